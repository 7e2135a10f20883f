"""What a customer's browsers may have loaded from the ERP, and what it never costs anybody."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.cold_budget import UNBOUNDED, OwnColdBudget
from pricing_proxy.prices.query import Quote
from tests.fakes.price_world import SKUS, PriceWorld, context_of, price_service
from tests.virtual_time import ManualClock

LINES = 5


async def browse(world: PriceWorld, *skus: str, mode: Mode = Mode.BROWSE) -> Quote:
    return await world.service.quote(
        world.query(*skus, mode=mode, wait_seconds=2, is_budgeted=True)
    )


def served(quote: Quote) -> list[bool]:
    return [line.is_served for line in quote.lines]


async def test_over_budget_what_is_cold_is_unavailable_and_says_so() -> None:
    world = price_service(cold_lines=LINES)

    quote = await browse(world, *SKUS[:7])

    assert served(quote) == [True] * 5 + [False] * 2
    assert {line.reason for line in quote.lines[5:]} == {"cold_budget_spent"}
    assert quote.retry_after_seconds == 60
    assert world.erp.lines == LINES


async def test_over_budget_nothing_waits_and_nothing_is_asked() -> None:
    world = price_service(cold_lines=LINES)
    await browse(world, *SKUS[:5])
    before_us, calls = world.now_us, len(world.erp.batches)

    quote = await browse(world, "S-6", "S-7")

    assert served(quote) == [False, False]
    assert world.now_us == before_us
    assert len(world.erp.batches) == calls


async def test_what_is_cached_is_served_over_budget() -> None:
    """In memory or in Redis: it costs the ERP nothing."""
    world = price_service(cold_lines=LINES)
    await browse(world, *SKUS[:5])
    await world.settle()
    elsewhere = price_service(redis=world.redis, cold_lines=0)

    assert all(served(await browse(world, *SKUS[:5])))
    assert all(served(await browse(elsewhere, *SKUS[:5])))
    assert elsewhere.erp.batches == []


async def test_over_budget_the_customer_s_own_old_price_is_served_and_flagged() -> None:
    world = price_service(cold_lines=1)
    await browse(world, "S-1")
    world.invalidate()

    [line] = (await browse(world, "S-1", mode=Mode.CART)).lines

    assert (line.state, line.is_served, line.is_verified) == (State.STALE_HARD, True, False)


async def test_a_minute_after_its_first_line_the_budget_is_there_again() -> None:
    world = price_service(cold_lines=LINES)
    await browse(world, *SKUS[:5])
    await asyncio.sleep(59.5)
    assert served(await browse(world, "S-6")) == [False]

    await asyncio.sleep(0.5)

    assert served(await browse(world, "S-6")) == [True]


async def test_every_customer_has_a_budget_of_their_own() -> None:
    world = price_service(cold_lines=1)
    await browse(world, "S-1")

    other = world.query("S-2", account="C-2", wait_seconds=2, is_budgeted=True)

    assert served(await world.service.quote(other)) == [True]


async def test_a_server_s_request_is_not_counted_and_not_bound() -> None:
    world = price_service(cold_lines=1)
    await world.ask(*SKUS[:50], wait_seconds=2)
    await browse(world, "S-51")

    assert served(await world.ask("S-52", wait_seconds=2)) == [True]
    assert served(await browse(world, "S-53")) == [False]


async def test_a_spent_budget_pauses_the_key_for_nobody_else() -> None:
    world = price_service(cold_lines=1)
    await browse(world, "S-1")
    assert served(await browse(world, "S-2")) == [False]

    assert (await world.ask_one("S-2", mode=Mode.CHECKOUT)).is_served


@pytest.mark.parametrize("after_seconds", [0.0, 0.02, 0.04, 0.06])
async def test_a_server_that_joins_a_browser_s_load_is_not_refused_with_it(
    after_seconds: float,
) -> None:
    """At every moment of the load: before Redis answered, before and after the budget did."""
    world = price_service(cold_lines=1)
    world.redis.latency_seconds = 0.03
    browsing = asyncio.ensure_future(browse(world, *SKUS[:4]))
    await asyncio.sleep(after_seconds)

    bound = await world.ask(*SKUS[:4], mode=Mode.CHECKOUT)

    assert all(served(bound))
    await browsing


async def test_a_server_that_joins_while_the_budget_is_asked_lifts_the_bound() -> None:
    world = price_service(cold_lines=1)
    own = world.loader._budget

    class Slow:
        async def grant(self, context: object, lines: int) -> object:
            await asyncio.sleep(1)
            return await own.grant(context, lines)  # type: ignore[arg-type]

    world.loader._budget = Slow()  # type: ignore[assignment]
    browsing = asyncio.ensure_future(browse(world, "S-1", "S-2"))
    await asyncio.sleep(0.5)
    joining = asyncio.ensure_future(world.ask("S-1", "S-2", wait_seconds=2))

    assert served(await joining) == [True, True]
    assert served(await browsing) == [True, True]


async def test_another_browser_that_joins_changes_nothing() -> None:
    world = price_service(cold_lines=1)
    world.redis.latency_seconds = 0.03

    quotes = await asyncio.gather(*(browse(world, "S-1", "S-2") for _ in range(3)))

    assert [served(quote) for quote in quotes] == [[True, False]] * 3
    assert world.erp.lines == 1


async def test_without_a_budget_nothing_is_bound() -> None:
    assert (await UNBOUNDED.grant(context_of(), 1_000_000)).lines == 1_000_000


@given(asked=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=40))
def test_no_minute_that_a_budget_began_holds_more_than_its_lines(
    asked: list[tuple[int, int]],
) -> None:
    clock, began, granted = ManualClock(), 0, 0
    budget = OwnColdBudget(20, clock=clock)
    ends_us = clock.monotonic_us()
    for pause, lines in asked:
        clock.advance(timedelta(seconds=pause))
        grant = budget.take(context_of(), lines)
        if clock.monotonic_us() >= ends_us:
            began, granted, ends_us = began + 1, 0, clock.monotonic_us() + 60_000_000
        assert grant.lines == min(lines, 20 - granted)
        assert grant.renews_us == ends_us
        granted += grant.lines


def test_the_customers_remembered_are_bounded() -> None:
    budget = OwnColdBudget(1, clock=ManualClock())
    for number in range(10_010):
        budget.take(context_of(f"C-{number}"), 1)

    assert len(budget._spent) == 10_000
    assert budget.take(context_of("C-10009"), 1).lines == 0
    assert budget.take(context_of("C-0"), 1).lines == 1
