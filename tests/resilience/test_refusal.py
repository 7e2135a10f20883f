"""What a call would be refused with is known beforehand, for explanations; asking takes nothing."""

from datetime import timedelta

import pytest

from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.errors import CallRefusedError, UpstreamError
from pricing_proxy.resilience.operation import OperationClass
from tests.resilience.scenario import World, dead, deadline_in, run

CHECKOUT, INTERACTIVE, REFRESH = CallClass.CHECKOUT, CallClass.INTERACTIVE, CallClass.REFRESH


def refusal(world: World, klass: CallClass, *, within: float = 4) -> CallRefusedError | None:
    """Return the same each time: three looks change nothing."""
    first, *others = [
        world.policy.refusal(OperationClass.PRICE_READ, Ticket(klass), deadline=deadline_in(within))
        for _ in range(3)
    ]
    assert [str(each) for each in others] == [str(first)] * 2
    return first


async def lose(world: World) -> None:
    await world.call(CHECKOUT)
    world.erp.outage = dead()
    for _ in range(5):
        with pytest.raises(UpstreamError):
            await world.call(CHECKOUT)


def test_nothing_is_refused_while_all_is_well() -> None:
    async def main() -> None:
        world = World()
        assert refusal(world, CHECKOUT) is None
        world.assert_nothing_is_held()

    run(main())


def test_an_open_breaker_refuses_whoever_may_not_probe() -> None:
    async def main() -> None:
        world = World()
        await lose(world)
        foreseen = refusal(world, INTERACTIVE)
        assert foreseen is not None
        with pytest.raises(CallRefusedError) as raised:
            await world.call(INTERACTIVE)
        assert str(raised.value) == str(foreseen)
        assert raised.value.retry_after == foreseen.retry_after

    run(main())


def test_a_gate_that_opens_too_late_refuses() -> None:
    async def main() -> None:
        world = World()
        world.gate.throttled(timedelta(seconds=60))
        assert refusal(world, CHECKOUT) is not None
        assert refusal(world, REFRESH, within=100) is None

    run(main())
