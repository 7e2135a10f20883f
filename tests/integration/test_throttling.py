"""Who throttles stops those who ask it, for ten minutes at most, until an operator says otherwise.

Two replicas over one Redis: what one of them is told closes gates in both.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pricing_proxy.__main__ import app
from pricing_proxy.configuration.reading import KEY_VARIABLE
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from tests.configuration.files import CONFIGURATION, SECRET, SECRET_VARIABLE, write
from tests.integration.redis_process import redis_process
from tests.integration.running import KEY, READER_KEY, Running, serving, settings_over, until

pytestmark = pytest.mark.real_services

ERP, TOKENS = "sandbox:pricing", "sandbox:pricing:tokens"


class Pair:
    """A replica that runs, and what starts another."""

    def __init__(self, first: Running, sandbox: Sandbox, redis_url: str) -> None:
        self.first = first
        self._sandbox = sandbox
        self._redis_url = redis_url

    @asynccontextmanager
    async def second(self, *, is_ready: bool = True) -> AsyncIterator[Running]:
        settings = settings_over(self._sandbox, self._redis_url)
        async with serving(self._sandbox, settings, is_ready=is_ready) as running:
            yield running


@pytest.fixture
async def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    sizes = SandboxSettings(state_dir=tmp_path, latency_ms=2, entra_latency_ms=0)
    async with (
        redis_process(tmp_path) as redis,
        Sandbox(sizes) as sandbox,
        serving(sandbox, settings_over(sandbox, redis.url)) as first,
    ):
        yield Pair(first, sandbox, redis.url)


async def gate_of(running: Running, member: str = "gate") -> Any:
    return (await running.status())["erp"]["sandbox"][member]


async def is_closed(running: Running, member: str = "gate") -> bool:
    return bool((await gate_of(running, member))["is_closed"])


async def is_open(running: Running, member: str = "gate") -> bool:
    return not await is_closed(running, member)


async def opened(running: Running, *arguments: str) -> Result:
    """Run the command beside the loop that the service runs in."""
    there = ("--url", running.admin)
    return await asyncio.to_thread(CliRunner().invoke, app, ["gate", "open", *arguments, *there])


async def test_entra_s_429_to_a_starting_replica_stops_no_other(pair: Pair) -> None:
    """It has no token and says so; the one that has serves checkouts from the ERP."""
    await pair.first.warm()
    await pair.first.turn("entra", retry_after=60)
    async with pair.second(is_ready=False) as second:
        await until(lambda: is_closed(second, "token_gate"))
        await until(lambda: is_closed(pair.first, "token_gate"))

        for number in range(5):
            bound = await pair.first.ask(mode="checkout", quantity=str(number + 1), wait_ms=5000)
            assert (bound.status, bound.content["binding"]) == (200, True)
        for running in (pair.first, second):
            gate = await gate_of(running)
            assert (gate["name"], gate["is_closed"]) == (ERP, False)
            tokens = await gate_of(running, "token_gate")
            assert (tokens["name"], tokens["is_closed"]) == (TOKENS, True)
            assert 0 < tokens["opens_in_seconds"] <= 72

        # What only the ERP can tell is not told by the one without a token, and says when.
        unknown = await second.ask(["LAMP-20"], mode="checkout", quantity="7", wait_ms=500)
        assert unknown.status == 503
        assert int(unknown.headers["Retry-After"]) >= 1

        # Opened through the replica that is well, in the one that waits for its first token.
        await pair.first.turn("entra", retry_after=None)
        told = await opened(pair.first, "sandbox", "--token")
        assert told.exit_code == 0, told.output
        assert TOKENS in told.stdout
        await until(lambda: is_open(second, "token_gate"))

        async def is_bound() -> bool:
            answer = await second.ask(["LAMP-20"], mode="checkout", quantity="7", wait_ms=5000)
            return answer.status == 200

        await until(is_bound)


@pytest.mark.parametrize(
    "header",
    [1_000_000_000, "9" * 60, "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 99999 00:00:00 GMT"],
)
async def test_an_absurd_wish_closes_the_gate_for_ten_minutes_and_an_operator_opens_it(
    pair: Pair, header: int | str, caplog: pytest.LogCaptureFixture
) -> None:
    async with pair.second() as second:
        await pair.first.turn("fo", retry_after=header)
        refused = await pair.first.ask(mode="checkout", wait_ms=500)
        assert refused.status == 503
        await pair.first.turn("fo", retry_after=None)
        await until(lambda: is_closed(second))
        for running in (pair.first, second):
            gate = await gate_of(running)
            assert 500 < gate["opens_in_seconds"] <= 600
            metrics = await running.session.get(f"{running.admin}/metrics")
            seconds = re.search(
                rf'gate_closed_seconds{{gate="{ERP}"}} ([0-9.]+)', await metrics.text()
            )
            assert seconds is not None
            assert 500 < float(seconds[1]) <= 600
        assert "no more than 600 s are waited" in caplog.text

        told = await opened(second, "sandbox")
        assert told.exit_code == 0, told.output
        await until(lambda: is_open(pair.first))
        for running in (pair.first, second):
            bound = await running.ask(mode="checkout", wait_ms=5000)
            assert (bound.status, bound.content["binding"]) == (200, True)


async def test_the_command_says_why_it_opened_nothing(pair: Pair) -> None:
    weak = await opened(pair.first, "sandbox", "--key", READER_KEY)
    unknown = await opened(pair.first, "elsewhere")

    assert (weak.exit_code, unknown.exit_code) == (1, 1)
    assert "lacks the scope operate" in weak.stderr
    assert f"Known are: {ERP}, {TOKENS}" in unknown.stderr


async def test_the_command_finds_the_service_by_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there, and without a key nobody is asked."""
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    file = write(tmp_path, f"{CONFIGURATION}\n[service]\nadmin = {{ port = 9 }}\n")
    runner = CliRunner()

    keyless = runner.invoke(app, ["gate", "open", "erp", "--config", str(file)])
    away = runner.invoke(app, ["gate", "open", "erp", "--config", str(file), "--key", "k"])

    assert (keyless.exit_code, away.exit_code) == (1, 1)
    assert "a key with the scope operate" in keyless.stderr
    assert "No service answers at http://127.0.0.1:9" in away.stderr
