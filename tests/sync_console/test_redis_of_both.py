"""Both programs understand the section `redis` alike: its passwords, and a wrong address."""

import asyncio
import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from pricing_proxy.__main__ import app as pricing_proxy
from sync.__main__ import app as d365_sync_app
from tests.redis_servers import PASSWORD, SENTINEL_PASSWORD, guarded_sentinel
from tests.sync import files
from tests.sync_console.conftest import AWAY, CommandLine

__all__ = ["guarded_sentinel"]

HERE = "redis://127.0.0.1:6379/0"


@pytest.mark.parametrize(
    ("program", "command"),
    [
        (pricing_proxy, ["check"]),
        (pricing_proxy, ["serve"]),
        (d365_sync_app, ["check"]),
        (d365_sync_app, ["run"]),
        (d365_sync_app, ["status"]),
        (d365_sync_app, ["gate", "open", "--shop"]),
    ],
)
@pytest.mark.parametrize(
    "url", ["redis:/127.0.0.1", "redis+sentinel://127.0.0.1", "http://cache", "rediss://h:0"]
)
def test_a_wrong_address_is_a_mistake_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Typer, command: list[str], url: str
) -> None:
    for name, text in files.SECRETS.items():
        monkeypatch.setenv(name, text)
    file = files.write(tmp_path, files.CONFIGURATION.replace(HERE, url))

    result = CliRunner().invoke(program, [*command, "--config", str(file)])

    assert result.exit_code == 2
    assert "redis.url: expected" in result.stderr
    assert isinstance(result.exception, SystemExit)


@pytest.mark.real_services
async def test_sentinels_that_ask_for_a_password_let_both_programs_in(
    d365_sync: CommandLine, guarded_sentinel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = d365_sync.file.read_text(encoding="utf-8")
    text = text.replace('"embedded"', f'"{guarded_sentinel}"')
    text = text.replace("https://contoso.operations.dynamics.com", AWAY)
    text = text.replace('tenant = "', f'authority = "{AWAY}"\ntenant = "')
    d365_sync.file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PRICING_PROXY_REDIS__PASSWORD", PASSWORD)
    monkeypatch.setenv("PRICING_PROXY_REDIS__TIMEOUT_MS", "5000")
    refused = await d365_sync("gate", "open", "--shop")
    assert refused.exit_code == 1
    assert "Redis does not answer" in refused.stderr

    monkeypatch.setenv("PRICING_PROXY_REDIS__SENTINEL_PASSWORD", SENTINEL_PASSWORD)

    opened = await d365_sync("gate", "open", "--shop", "--by", "anna")
    assert opened.exit_code == 0, opened.output
    assert (await d365_sync.json("status"))["gates"] == {}
    assert "version" in _row_of_redis((await d365_sync("check", "--json")).stdout)
    checked = await asyncio.to_thread(
        CliRunner().invoke, pricing_proxy, ["check", "--json", "--config", str(d365_sync.file)]
    )
    assert "version" in _row_of_redis(checked.stdout)


def _row_of_redis(checked: str) -> str:
    [row] = [
        row
        for table in json.loads(checked)["tables"]
        for row in table["rows"]
        if row["name"] in ("Redis", "Redis answers")
    ]
    return str(row["found"])
