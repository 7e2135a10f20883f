"""The demo's files are what the real programs read, and its ports are checked before."""

import dataclasses
import os
import shlex
import socket
import sys
from pathlib import Path

import pytest

from pricing_proxy import settings as price_settings
from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from pricing_proxy.demo.plan import DemoError, Plan, Ports, free_ports
from pricing_proxy.demo.sync_plan import database_folder
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from sync import settings as sync_settings


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

    assert len(sandbox) == 10
    assert all(f"--control-port {demo.ports.control}" in text for text in sandbox)


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


def words_of(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)
