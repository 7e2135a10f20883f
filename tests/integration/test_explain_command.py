"""`pricing-proxy explain` asks the running service and prints what decides."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pricing_proxy.__main__ import app
from pricing_proxy.configuration.reading import KEY_VARIABLE
from tests.configuration.files import CONFIGURATION, SECRET, SECRET_VARIABLE, write
from tests.integration.running import KEY, READER_KEY, Running, running_service


@asynccontextmanager
async def explaining(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    async with running_service(folder) as running:
        yield running


async def run(*arguments: str) -> Result:
    """Run the command beside the loop that the service runs in."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["explain", *arguments])


async def test_the_command_shows_what_decides_and_loads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with explaining(tmp_path, monkeypatch) as running:
        there = ("--url", running.admin, "--market", "b2b_de")
        cold = await run("C-1001", "LAMP-01", "--quantity", "10", *there)
        assert cold.exit_code == 0, cold.output
        assert "the ERP is asked, for up to 120 ms" in cold.stdout
        assert running.price_calls() == 0

        await running.warm()
        warm = await run("magento_id:1", "LAMP-01", "--quantity", "10", *there)
        assert warm.exit_code == 0, warm.output
        assert "served at once" in warm.stdout
        assert "in l1 from fo_service" in warm.stdout
        assert "fresh: 17.1000" in warm.stdout
        assert re.search(r"breaker sandbox:price_read +│ closed", warm.stdout)
        [decided] = [line for line in warm.stdout.splitlines() if "▶" in line]
        assert "fresh" in decided

        checkout = await run(
            "C-1001", "LAMP-01", "LAMP-02", "--mode", "checkout", "--json", "--unit", "PCS", *there
        )
        answer = json.loads(checkout.stdout)
        assert (answer["mode"], len(answer["lines"])) == ("checkout", 2)
        assert {breaker["phase"] for breaker in answer["guards"]["breakers"]} == {"closed"}
        assert answer["guards"]["gate"]["is_closed"] is False


async def test_a_refusal_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with explaining(tmp_path, monkeypatch) as running:
        there = ("--url", running.admin, "--market", "b2b_de")
        weak = await run("C-1001", "LAMP-01", "--key", READER_KEY, *there)
        unknown = await run("C-9999", "LAMP-01", *there)
        elsewhere = await run("C-1001", "LAMP-01", "--url", running.public, "--market", "b2b_de")

    assert (weak.exit_code, unknown.exit_code, elsewhere.exit_code) == (1, 1, 1)
    assert "lacks the scope explain" in weak.stderr
    assert "no such customer" in unknown.stderr
    assert "Use" in elsewhere.stderr or "nothing here" in elsewhere.stderr


async def test_where_nobody_listens_the_next_step_is_named() -> None:
    result = await run("C-1", "A", "--url", "http://127.0.0.1:9", "--market", "m", "--key", "k")

    assert result.exit_code == 1
    assert "--url" in result.stderr


def test_the_configuration_says_where_the_service_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    file = write(tmp_path, f"{CONFIGURATION}\n[service]\nadmin = {{ port = 9 }}\n")
    runner = CliRunner()

    without_key = runner.invoke(app, ["explain", "C-1", "A", "--config", str(file)])
    unreached = runner.invoke(app, ["explain", "C-1", "A", "--config", str(file), "--key", "k"])
    monkeypatch.delenv(SECRET_VARIABLE)
    wrong = runner.invoke(app, ["explain", "C-1", "A", "--config", str(file), "--key", "k"])

    assert (without_key.exit_code, unreached.exit_code, wrong.exit_code) == (1, 1, 2)
    assert KEY_VARIABLE in without_key.stderr
    assert "http://127.0.0.1:9" in unreached.stderr
