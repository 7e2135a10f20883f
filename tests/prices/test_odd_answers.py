"""One line of an answer never fails another: what is odd is said of its own line only."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.domain.price import NoPrice, Price, Unusable
from pricing_proxy.domain.price_limits import PriceLimits
from pricing_proxy.prices.odd_answers import Oddity
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Key, QuotedLine
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamMismatchError
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.web.answers import no_price_reason
from tests.fakes.erp import FakeErp
from tests.fakes.price_world import MARKET, PriceWorld, price_service
from tests.virtual_time import LoopClock


async def ask(world: PriceWorld, *skus: str, mode: Mode = Mode.BROWSE) -> list[QuotedLine]:
    return list((await world.ask(*skus, mode=mode, wait_seconds=5)).lines)


async def test_a_code_is_the_reason_of_its_own_line() -> None:
    world = price_service()
    world.erp.odd["S-2"] = "customer_blocked"

    first, second, third = await ask(world, "S-1", "S-2", "S-3")

    assert (first.state, third.state) == (State.FRESH, State.FRESH)
    assert (second.is_served, second.reason) == (False, "customer_blocked")


async def test_a_line_with_a_code_is_paused_and_then_asked_for_again() -> None:
    world = price_service()
    world.erp.odd["S-1"] = "customer_blocked"
    await ask(world, "S-1")
    assert (await world.ask_one("S-1")).reason == "customer_blocked"
    assert world.erp.asked("S-1") == 1

    world.erp.odd.clear()
    await asyncio.sleep(5)
    assert (await ask(world, "S-1"))[0].state is State.FRESH


@pytest.mark.parametrize("total", ["0", "0.00", "-1"])
async def test_a_price_that_cannot_be_right_is_no_price(total: str) -> None:
    world = price_service()
    world.erp.set_price("C-1", "S-1", total)

    odd, well = await ask(world, "S-1", "S-2")

    assert (odd.state, no_price_reason(odd)) == (State.NO_PRICE, "implausible_price")
    assert well.state is State.FRESH
    [checkout] = await ask(world, "S-1", mode=Mode.CHECKOUT)
    assert no_price_reason(checkout) == "implausible_price"


async def test_what_can_be_right_is_the_markets_to_say() -> None:
    world = price_service(limits=PriceLimits(lowest=Decimal(0), highest=Decimal(50)))
    world.erp.set_price("C-1", "S-1", "0")
    world.erp.set_price("C-1", "S-2", "50.01")

    free, dear = await ask(world, "S-1", "S-2")

    assert free.state is State.FRESH
    assert no_price_reason(dear) == "implausible_price"


async def test_odd_lines_are_counted_and_said_once_in_ten_minutes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = price_service()
    world.erp.odd["S-1"] = "customer_blocked"
    world.erp.missing.add("S-2")
    world.erp.set_price("C-1", "S-3", "0")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await ask(world, "S-1", "S-2", "S-3")
            await asyncio.sleep(100)

    seen = world.loader.odd.of_market(MARKET)
    assert {kind: (each.reason, each.sku) for kind, each in seen.items()} == {
        Oddity.CODE: ("customer_blocked", "S-1"),
        Oddity.UNREADABLE: ("missing_in_answer", "S-2"),
        Oddity.IMPLAUSIBLE: ("implausible_price", "S-3"),
    }
    assert all(each.lines >= 3 for each in seen.values())
    assert sum("oddly" in record.message for record in caplog.records) == 3


async def test_an_answer_without_one_readable_line_is_none() -> None:
    """As when a field of the answer was renamed: said once, like any refusal of everything."""
    world = price_service()
    world.erp.missing.update({"S-1", "S-2"})
    for _ in range(3):
        await ask(world, "S-1", "S-2")
        await asyncio.sleep(100)
    failing = world.loader.health.failing(MARKET)
    assert failing is not None
    assert failing.reason == "erp_contract"


async def test_one_unreadable_line_and_codes_say_nothing_of_the_source() -> None:
    world = price_service()
    world.erp.missing.add("S-1")
    world.erp.odd.update({"S-2": "customer_blocked", "S-3": "customer_blocked"})
    for _ in range(4):
        await ask(world, "S-1")
        await ask(world, "S-2", "S-3")
        await asyncio.sleep(100)
    assert world.loader.health.failing(MARKET) is None


@dataclass(kw_only=True)
class Mixed(FakeErp):
    """Answers that cannot be told apart as soon as they hold one SKU."""

    mixed: str

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice | Unusable]:
        said = await super().load(customer, context, wanted, ticket=ticket, deadline=deadline)
        if any(line.key.sku == self.mixed for line in wanted):
            raise UpstreamMismatchError("the price answer repeats a line", system="fo")
        return said


async def test_an_answer_whose_lines_may_be_each_others_is_asked_for_in_parts() -> None:
    world = price_service(erp=Mixed(clock=LoopClock(asyncio.get_running_loop()), mixed="S-2"))
    lines = await ask(world, "S-1", "S-2", "S-3", "S-4")
    assert [line.is_served for line in lines] == [True, False, True, True]
    assert world.loader.health.failing(MARKET) is None
