"""What throttling closed is seen by `status` and opened by `gate open`, in all processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pricing_proxy.clock import SystemClock
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.shared_state.gate import Gates, app_gate, shop_gate, tokens_of
from tests.integration.redis_process import redis_process
from tests.patience import PATIENCE_SECONDS
from tests.sync_console.conftest import AWAY, CommandLine
from tests.sync_console.test_looking_and_intervening import audited
from tests.sync_engine.engine import Engine

pytestmark = pytest.mark.real_services

ERP = "https://contoso.operations.dynamics.com"
# As they are called, and under which names they are shared.
NAMES = {
    "shop": shop_gate(AWAY),
    "erp:sync": app_gate(ERP, "sync"),
    "erp:sync:tokens": tokens_of(app_gate(ERP, "sync")),
}
OPENING = {
    "shop": ("--shop",),
    "erp:sync": ("erp",),
    "erp:sync:tokens": ("erp", "--token"),
}


@dataclass(frozen=True)
class World:
    """A process of the sync with its three gates, and the command line beside it."""

    run: CommandLine
    gates: dict[str, Gate]

    async def until(self, name: str, *, is_closed: bool) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.gates[name].view().is_closed is not is_closed:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
async def world(d365_sync: CommandLine, tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_process(tmp_path))
        text = d365_sync.file.read_text(encoding="utf-8")
        d365_sync.file.write_text(text.replace('"embedded"', f'"{redis.url}"'), encoding="utf-8")
        client = Redis.from_url(redis.url)
        stack.push_async_callback(client.aclose)
        gates = {}
        for name, shared in NAMES.items():
            gates[name], _ = await stack.enter_async_context(
                Gates(client, SystemClock()).gate(shared, system="any", name=name)
            )
        yield World(d365_sync, gates)


@pytest.mark.parametrize("name", NAMES)
async def test_a_closed_gate_is_shown_and_opened_in_the_process_that_has_it(
    world: World, engine: Engine, name: str
) -> None:
    world.gates[name].throttled(timedelta(days=1))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (told := await world.run.json("status"))["gates"]:
            pass
    assert list(told["gates"]) == [name]
    assert 500 < told["gates"][name] <= 600
    shown = await world.run("status")
    assert name in shown.stdout
    assert f"d365-sync gate open {' '.join(OPENING[name])}" in shown.stdout

    opened = await world.run("gate", "open", *OPENING[name], "--by", "anna")
    assert opened.exit_code == 0, opened.output
    assert f"{name} is open" in opened.stdout
    await world.until(name, is_closed=False)
    assert (await world.run.json("status"))["gates"] == {}
    assert await audited(engine) == [("anna", "open", f"gate {name}")]
    assert not any(gate.view().is_closed for gate in world.gates.values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name an environment"),
        (("erp", "--shop"), "Name an environment"),
        (("--shop", "--token"), "Name an environment"),
        (("elsewhere",), "configured are: erp"),
    ],
)
async def test_a_gate_that_is_none_is_not_opened(
    world: World, arguments: tuple[str, ...], said: str
) -> None:
    refused = await world.run("gate", "open", *arguments)

    assert refused.exit_code == 1
    assert said in refused.stderr


async def test_without_a_redis_for_all_nothing_is_claimed(d365_sync: CommandLine) -> None:
    refused = await d365_sync("gate", "open", "--shop")
    assert refused.exit_code == 1
    assert "embedded" in refused.stderr
    assert (await d365_sync.json("status"))["gates"].startswith("unknown: redis.url is embedded")

    text = d365_sync.file.read_text(encoding="utf-8")
    away = text.replace('"embedded"', '"redis://127.0.0.1:9/0"')
    d365_sync.file.write_text(away, encoding="utf-8")
    refused = await d365_sync("gate", "open", "--shop")
    assert refused.exit_code == 1
    assert "nobody was told" in refused.stderr
    assert (await d365_sync.json("status"))["gates"].startswith("unknown: Redis does not answer")
