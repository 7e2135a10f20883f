"""What a shell asks for while somebody types imports none of the commands."""

import json
import os
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from pricing_proxy import __main__ as prices
from pricing_proxy.children import tied
from sync import __main__ as documents

PROGRAMS = [prices, documents]
# Of the standard library and typer; whatever serves, stores or computes would be many more.
MOST_MODULES = 400
FRAME = {"pricing_proxy.lazy_commands", "pricing_proxy.exit_codes"}
HEAVY = ("aiohttp", "asyncio", "orjson", "pydantic", "redis", "requests", "rich", "sqlalchemy")

TELLING = """
import atexit, json, runpy, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
sys.argv = {words!r}
runpy.run_module({module!r}, run_name="__main__")
"""


def imported(module: ModuleType, *words: str, **variables: str) -> tuple[str, list[str]]:
    """Run a program and return what it says, and which modules it imported."""
    package = module.__name__.removesuffix(".__main__")
    text = TELLING.format(words=[PROGRAM_OF[package], *words], module=package)
    ended = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
        **tied(),
    )
    return ended.stdout, json.loads(ended.stderr.splitlines()[-1])


PROGRAM_OF = {"pricing_proxy": "pricing-proxy", "sync": "d365-sync"}


def ours(modules: list[str]) -> set[str]:
    return {name for name in modules if name.startswith(("pricing_proxy.", "sync."))}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.__name__)
def test_the_version_is_told_without_importing_any_command(program: ModuleType) -> None:
    said, modules = imported(program, "--version")

    assert said == "0.1.0\n"
    assert ours(modules) <= FRAME
    assert not set(HEAVY) & set(modules)
    assert len(modules) < MOST_MODULES


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.__name__)
def test_names_are_completed_without_importing_any_command(program: ModuleType) -> None:
    name = PROGRAM_OF[program.__name__.removesuffix(".__main__")]
    variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
    variables = {variable: "complete_bash", "COMP_WORDS": f"{name} ", "COMP_CWORD": "1"}

    said, modules = imported(program, **variables)

    assert set(program.COMMANDS) <= set(said.split())
    assert ours(modules) <= FRAME


def test_options_of_a_command_are_completed() -> None:
    variables = {"COMP_WORDS": "pricing-proxy key --sc", "COMP_CWORD": "2"}

    said, _ = imported(prices, **variables, _PRICING_PROXY_COMPLETE="complete_bash")

    assert said.split() == ["--scope"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.__name__)
def test_each_command_is_where_the_table_says(program: ModuleType) -> None:
    for place in program.COMMANDS.values():
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.__name__)
def test_the_help_names_each_command_and_what_it_does(program: ModuleType) -> None:
    app: typer.Typer = program.app

    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output

    for name in program.COMMANDS:
        assert any(len(line.split()) > 3 for line in text.splitlines() if f" {name} " in line), name
