"""The demo's files are what the real programs read, and its ports are checked before."""

import dataclasses
import os
import shlex
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pricing_proxy import settings as price_settings
from pricing_proxy.__main__ import app as prices_app
from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from pricing_proxy.demo.plan import DemoError, Plan, Ports, free_ports
from pricing_proxy.demo.sync_plan import database_folder
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from sync import settings as sync_settings
from sync.__main__ import app as sync_app


def unused() -> Ports:
    names = [field.name for field in dataclasses.fields(Ports)]
    return Ports(**dict(zip(names, free_ports(len(names)), strict=True)))


def plan(folder: Path) -> Plan:
    return Plan(ports=unused(), folder=folder, database=folder / "postgres")


def test_both_programs_accept_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = plan(tmp_path)
    demo.write_configuration()
    monkeypatch.setenv(SECRETS_VARIABLE, str(demo.secrets_folder))

    prices = price_settings.load(demo.configuration_file)
    sync = sync_settings.load(demo.configuration_file).sync

    assert prices.service.public.port == demo.ports.public
    assert (sync.intake.port, sync.operators.port) == (demo.ports.intake, demo.ports.operators)
    assert sync.postgres.data_directory == demo.database
    assert sync.alerts.targets == [f"json://127.0.0.1:{demo.ports.alerts}/"]
    shop = INTEGRATIONS[0]
    assert (sync.magento.consumer_key, sync.magento.token) == (shop.consumer_key, shop.token)
    secrets = (sync.magento.consumer_secret, sync.magento.token_secret)
    assert [secret.get_secret_value() for secret in secrets] == [
        shop.consumer_secret,
        shop.token_secret,
    ]


def test_a_taken_port_is_named_with_the_option_that_changes_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = dataclasses.replace(unused(), intake=taken)

        with pytest.raises(DemoError, match=f"{taken}: choose another by --intake-port"):
            ports.check()


def test_every_command_names_another_control_port(tmp_path: Path) -> None:
    demo = plan(tmp_path)

    sandbox = [text for text in demo.commands().values() if " sandbox " in text]

    assert len(sandbox) == 16
    named = f"--control-port {demo.ports.control}"
    assert all(text.count(named) == text.count("pricing-proxy sandbox ") for text in sandbox)


def test_every_command_is_one_that_its_program_knows(tmp_path: Path) -> None:
    """Parsed by the programs themselves, with all options; nothing is done."""
    programs = {"pricing-proxy": get_command(prices_app), "d365-sync": get_command(sync_app)}
    demo = plan(tmp_path)
    parsed = 0
    for text in (*demo.commands().values(), demo.check_command()):
        for words in called(text.replace("$(", "").replace("$run", "1"), [*programs]):
            parse(programs[words[0]], words[1:])
            parsed += 1
    assert parsed >= 40


def test_the_database_is_with_the_demo_or_where_its_path_is_short(tmp_path: Path) -> None:
    long = tmp_path / ("deep" * 20)
    long.mkdir()

    made = database_folder(long)

    assert long not in made.parents
    assert len(os.fsencode(made)) < 89
    assert not list(made.iterdir())
    made.rmdir()


def test_ports_that_are_taken_are_changed_for_free_ones_and_no_others() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports = dataclasses.replace(unused(), fo=other.getsockname()[1])

        moved = ports.moved()

    moved.check()
    assert moved.fo != ports.fo
    assert dataclasses.replace(moved, fo=ports.fo) == ports


ODD_NAMES = ("Kunde Müller", 'a "quoted" one', "it's \\ here", "$HOME & `date`; #1")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_demo_in_a_folder_of_any_name_writes_what_both_programs_accept(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    demo = plan(folder)
    demo.write_configuration()
    monkeypatch.setenv(SECRETS_VARIABLE, str(demo.secrets_folder))

    prices = price_settings.load(demo.configuration_file)

    assert prices.environments["sandbox"].ca_file == demo.ca_file
    sync = sync_settings.load(demo.configuration_file).sync
    assert sync.postgres.data_directory == demo.database


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_commands_of_a_demo_in_a_folder_of_any_name_can_be_copied(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_folder = tmp_path / name / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "pricing-proxy").touch()
    monkeypatch.setattr(sys, "executable", str(bin_folder / "python"))
    demo = plan(tmp_path / name)

    words = shlex.split(demo.check_command())
    assert words == [
        f"{SECRETS_VARIABLE}={demo.secrets_folder}",
        str(bin_folder / "pricing-proxy"),
        *("check", "--config", str(demo.configuration_file)),
    ]
    for command in demo.commands().values():
        if "d365-sync" in command or "-m sync" in command:
            assert str(demo.configuration_file) in words_of(command)


def test_the_database_is_elsewhere_where_the_folder_has_a_comma(tmp_path: Path) -> None:
    folder = tmp_path / "a, b"
    folder.mkdir()

    made = database_folder(folder)

    assert "," not in str(made)
    made.rmdir()


def called(text: str, programs: Sequence[str]) -> Iterator[list[str]]:
    """Yield each call of a program in a line of the shell, without what surrounds it."""
    words: list[str] = []
    for word in [*words_of(text), ";"]:
        if set(word) <= set("();|&<>"):
            if words:
                yield words
            words = []
        elif words:
            words.append(word)
        elif Path(word).name in programs:
            words = [Path(word).name]


def parse(command: Any, words: Sequence[str]) -> None:
    """Parse a call as its program does; raises `UsageError`."""
    left = [*words]
    context = None
    # A group may do something itself, as `runs` does.
    while hasattr(command, "get_command") and not left[0].startswith("-"):
        context = command.context_class(command, parent=context)
        name, *left = left
        command = command.get_command(context, name)
        assert command is not None, f"there is no {name}"
    command.make_context(command.name, left, parent=context)


def words_of(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)
