"""Two real applications over one real Redis: what one is told, the other obeys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from tests.integration.redis_process import redis_process
from tests.integration.running import MARKET, Answer, Running, serving, settings_over, until
from tests.misbehaving_proxy import Fault, MisbehavingProxy, misbehaving_proxy
from tests.patience import seconds_kept_waiting

pytestmark = pytest.mark.real_services

ROUNDS = 30
# The reader of the ledger looks each second by itself; half of that is the mean of not being told.
TOLD_SECONDS = 0.25
LEASE_SECONDS = 5
# A page may be asked just before the lease ends, and answered late on a busy machine.
SLACK_SECONDS = 0.5


class Pair(NamedTuple):
    """Two replicas; the second one reaches Redis through the proxy."""

    first: Running
    second: Running
    proxy: MisbehavingProxy


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_process(tmp_path))
        proxy = await stack.enter_async_context(misbehaving_proxy(redis.port))
        urls = (redis.url, f"redis://127.0.0.1:{proxy.port}/0")
        sizes = SandboxSettings(state_dir=tmp_path, latency_ms=2, entra_latency_ms=0)
        sandbox = await stack.enter_async_context(Sandbox(sizes))
        first, second = [
            await stack.enter_async_context(serving(sandbox, settings_over(sandbox, url)))
            for url in urls
        ]
        for running in (first, second):
            await until(lambda running=running: _is_verified(running))  # type: ignore[misc]
        yield Pair(first, second, proxy)


async def test_an_invalidation_through_one_is_obeyed_by_the_other(pair: Pair) -> None:
    """The next request gets the new price; word comes by being told, not by the next look."""
    for round_number in range(3):
        await pair.second.warm()
        price = f"{18 - round_number}.50"
        await _post_price(pair, price)
        position = await _invalidate(pair.first)
        await _reaches(pair.second, position)
        answer = await pair.second.warm()
        assert answer.content["lines"][0]["price"] == price
        assert answer.content["verified"]

    seconds = sorted([await _seconds_until_known(pair) for _ in range(ROUNDS)])
    assert seconds[ROUNDS // 2] <= TOLD_SECONDS


async def test_a_replica_whose_reads_are_cut_flags_its_answers_from_the_lease_on(
    pair: Pair,
) -> None:
    await pair.second.warm()
    loop = asyncio.get_running_loop()
    pair.proxy.misbehave(Fault.BLACK_HOLE)
    cut = loop.time()
    await _post_price(pair, "17.50")
    await _invalidate(pair.first)
    told = loop.time()
    answers: list[tuple[float, Answer]] = []
    while loop.time() - cut < LEASE_SECONDS + 2:
        answers.append((loop.time(), await pair.second.ask()))
        await asyncio.sleep(0.1)

    old = [(at, each) for at, each in answers if each.content["lines"][0]["price"] != "17.50"]
    assert {each.status for _, each in answers} == {200}
    assert not [at for at, each in old if at > told + LEASE_SECONDS and each.content["verified"]]
    late = [each for at, each in answers if at > cut + LEASE_SECONDS + SLACK_SECONDS]
    assert late
    assert not any(each.content["verified"] for each in late)

    pair.proxy.misbehave(Fault.NONE)
    await until(lambda: _is_verified(pair.second))
    healed = await pair.second.warm()
    assert healed.content["lines"][0]["price"] == "17.50"
    assert healed.content["verified"]


async def _seconds_until_known(pair: Pair) -> float:
    position = await _invalidate(pair.first)
    began = asyncio.get_running_loop().time() - seconds_kept_waiting()
    await _reaches(pair.second, position)
    return asyncio.get_running_loop().time() - seconds_kept_waiting() - began


async def _invalidate(running: Running) -> int:
    answer = await running.post_admin(
        {"market": MARKET, "scope": {"sku": "LAMP-01"}, "level": "soft", "reason": "a test"}
    )
    assert answer.status == 202, answer.text
    return int(answer.content["position"])


async def _reaches(running: Running, position: int) -> None:
    async def has_reached() -> bool:
        ledger = (await running.status())["markets"][MARKET]["ledger"]
        return int(ledger["position"]) >= position

    await until(has_reached)


async def _is_verified(running: Running) -> bool:
    return bool((await running.status())["redis"]["is_verified"])


async def _post_price(pair: Pair, price: str) -> None:
    await pair.first.post_price(
        account_type="table",
        account="C-1001",
        sku="LAMP-01",
        price=price,
        from_quantity="10",
    )
