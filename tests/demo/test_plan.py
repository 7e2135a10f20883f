"""The demo's files are what the real programs read, and its ports are checked before."""

import dataclasses
import os
import socket
from pathlib import Path

import pytest

from pricing_proxy import settings as price_settings
from pricing_proxy.configuration.reading import SECRETS_VARIABLE
from pricing_proxy.demo.plan import DemoError, Plan, Ports, free_port
from pricing_proxy.demo.sync_plan import database_folder
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from sync import settings as sync_settings


def free_ports() -> Ports:
    return Ports(**{field.name: free_port() for field in dataclasses.fields(Ports)})


def plan(folder: Path) -> Plan:
    return Plan(ports=free_ports(), folder=folder, database=folder / "postgres")


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
        ports = dataclasses.replace(free_ports(), intake=taken)

        with pytest.raises(DemoError, match=f"{taken}: choose another by --intake-port"):
            ports.check()


def test_every_command_names_another_control_port(tmp_path: Path) -> None:
    demo = plan(tmp_path)

    sandbox = [text for text in demo.commands().values() if " sandbox " in text]

    assert len(sandbox) == 6
    assert all(f"--control-port {demo.ports.control}" in text for text in sandbox)


def test_the_database_is_with_the_demo_or_where_its_path_is_short(tmp_path: Path) -> None:
    long = tmp_path / ("deep" * 20)
    long.mkdir()

    made = database_folder(long)

    assert long not in made.parents
    assert len(os.fsencode(made)) < 89
    assert not list(made.iterdir())
    made.rmdir()
