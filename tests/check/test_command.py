"""The command line: exit codes, tables, JSON, progress and Ctrl-C."""

import asyncio
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from pricing_proxy.check.command import check_command
from pricing_proxy.children import tied
from pricing_proxy.diagnosis.limits import Limits
from tests.check.conftest import World

APP = typer.Typer()
APP.command("check")(check_command)
RUN = """
import typer
from pricing_proxy.check.command import check_command
app = typer.Typer()
app.command("check")(check_command)
app()
"""
HURRIED = """
from datetime import timedelta
from pricing_proxy.check import command
from pricing_proxy.diagnosis import limits
command.Limits = lambda: limits.Limits(
    wait=timedelta(seconds=30), total=timedelta(milliseconds=600)
)
"""
SECRET = "PRICING_PROXY_ENVIRONMENTS__SANDBOX__PRICING_CLIENT_SECRET"


@pytest.fixture
def file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SECRET, "demo-pricing-secret")
    monkeypatch.setenv("COLUMNS", "200")
    del world.environment["pricing_client_secret"]
    path = tmp_path / "pricing-proxy.toml"
    path.write_text(_toml(world.document), encoding="utf-8")
    return path


def _toml(document: dict[str, Any]) -> str:
    lines = []
    for kind, tables in document.items():
        for name, table in tables.items():
            lines.append(f"[{kind}.{name}]")
            # JSON's texts and lists are TOML's too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines)


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, APP, words)


async def test_healthy_systems_exit_with_0(file: Path) -> None:
    result = await run("--config", str(file))

    assert result.exit_code == 0, result.output
    for told in ("Redis", "Environment sandbox", "Market b2b_de", "CustomersV3", "30 ok"):
        assert told in result.stdout
    assert "Checking sandbox: Entra ID" in result.stderr


async def test_red_row_exits_with_1_and_names_the_next_step(world: World, file: Path) -> None:
    await world.turn("fo", drop_lines=["LAMP-05"])
    result = await run("--config", str(file))

    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    assert "LAMP-05" in result.stdout
    assert "1 failed" in result.stdout


async def test_json_holds_the_same_rows(world: World, file: Path) -> None:
    await world.turn("fo", dead=True)
    result = await run("--config", str(file), "--json")

    report = json.loads(result.stdout)
    rows = {row["name"]: row for table in report["tables"] for row in table["rows"]}
    assert result.exit_code == 1
    assert report["ok"] is False
    assert rows["F&O reachable"]["state"] == "failed"
    assert rows["F&O reachable"]["next_step"]
    assert rows["company"] == {
        "name": "company",
        "state": "skipped",
        "found": "needs: F&O reachable",
        "next_step": "",
        "needs": "F&O reachable",
    }


async def test_mistakes_in_the_configuration_exit_with_2(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[markets.x]\ncurrency = 'euro'", encoding="utf-8")
    result = await run("--config", str(path))

    assert result.exit_code == 2
    assert "markets.x.currency" in result.stderr
    assert "environments" in result.stderr


async def test_no_secret_and_no_token_is_printed(world: World, file: Path) -> None:
    await world.turn("entra", token_revoked=True)
    result = await run("--config", str(file), "--json")

    assert "demo-pricing-secret" not in result.output
    assert "AADSTS7000215" in result.output


async def test_ctrl_c_ends_it_at_once_though_entra_never_answers(world: World, file: Path) -> None:
    await world.turn("entra", black_hole=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "--config", str(file)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
        **tied(),
    )
    assert process.stderr is not None
    assert b"Checking" in await process.stderr.readline()
    while not world.sandbox.systems["entra"].calls.counts()["total"]:  # noqa: ASYNC110 -- counted without an event
        await asyncio.sleep(0.01)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)

    assert await process.wait() == 130
    assert time.monotonic() - began < 5


async def test_check_is_over_in_time_though_a_thread_still_waits_for_entra(world: World) -> None:
    """A name with many dead addresses keeps msal busy for longer than the whole check may take."""
    await world.turn("entra", black_hole=True)
    began = time.monotonic()
    report = await world.check(
        Limits(wait=timedelta(seconds=10), total=timedelta(milliseconds=600))
    )

    assert report.is_stuck
    assert time.monotonic() - began < 6


async def test_process_ends_without_the_thread_that_still_waits(world: World, file: Path) -> None:
    await world.turn("entra", black_hole=True)
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HURRIED + RUN, "--config", str(file), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(os.environ),
        **tied(),
    )
    printed, _ = await process.communicate()

    assert process.returncode == 1
    assert json.loads(printed)["ok"] is False
    assert time.monotonic() - began < 15


def test_defaults_leave_time_for_a_slow_system_and_end_within_fifteen_seconds() -> None:
    limits = Limits()

    assert timedelta(seconds=5) < limits.wait < limits.total <= timedelta(seconds=15)
