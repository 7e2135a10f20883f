"""A network between the service and a real Redis that refuses, swallows, delays and cuts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.redis_process import redis_process
from tests.integration.running import Running, running_service, until
from tests.misbehaving_proxy import Fault, MisbehavingProxy, misbehaving_proxy

pytestmark = pytest.mark.real_services

LAMPS = [f"LAMP-{number:02}" for number in range(1, 25)]


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[MisbehavingProxy]:
    async with redis_process(tmp_path) as redis, misbehaving_proxy(redis.port) as between:
        yield between


@pytest.fixture
async def running(tmp_path: Path, proxy: MisbehavingProxy) -> AsyncIterator[Running]:
    address = {"url": f"redis://127.0.0.1:{proxy.port}/0"}
    async with running_service(tmp_path / "sandbox", redis=address) as service:
        yield service


@pytest.mark.parametrize(
    "fault", [Fault.REFUSE, Fault.BLACK_HOLE, Fault.CUT_MID_REPLY, Fault.RESET]
)
async def test_a_network_that_fails_costs_no_answer_and_no_truth(
    running: Running, proxy: MisbehavingProxy, fault: Fault
) -> None:
    """Prices go on, flagged; a checkout binds; and afterwards all is as before."""
    before = await running.warm(LAMPS)
    proxy.misbehave(fault)

    async def is_noticed() -> bool:
        return not (await running.status())["redis"]["is_verified"]

    await until(is_noticed)
    during = await running.ask(LAMPS, wait_ms=5000)
    assert during.status == 200
    assert {line["state"] for line in during.content["lines"]} == {"unverified"}
    checkout = await running.ask(["LAMP-01"], mode="checkout")
    assert (checkout.status, checkout.content["binding"]) == (200, True)
    assert prices_in(during.content) == prices_in(before.content)

    proxy.misbehave(Fault.NONE)

    async def is_back() -> bool:
        answer = await running.ask(LAMPS)
        return bool(answer.content["verified"])

    await until(is_back)


async def test_a_slow_network_delays_only_what_memory_does_not_hold(
    running: Running, proxy: MisbehavingProxy
) -> None:
    await running.warm(LAMPS)
    proxy.misbehave(Fault.DELAY)
    answer = await running.ask(LAMPS)
    assert answer.headers["Cache-Status"] == "pricing-proxy; hit; detail=l1"
    assert (await running.warm(["LAMP-25"])).status == 200


def prices_in(content: dict[str, list[dict[str, str]]]) -> list[str]:
    return [line["unit_price"] for line in content["lines"]]
