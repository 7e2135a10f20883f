"""Each verdict by name; that they come true is shown by tests/property/test_explain_model.py."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.prices.explaining import LineExplanation, LineVerdict
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import ScopeKind
from tests.fakes.erp import outage_of
from tests.fakes.price_world import PriceWorld, context_of, key_of, price_service


async def explain(
    world: PriceWorld, sku: str = "S-1", *, mode: Mode = Mode.BROWSE, account: str = "C-1"
) -> LineExplanation:
    explanation = await world.explainer.explain(world.query(sku, mode=mode, account=account))
    [line] = explanation.lines
    return line


async def test_a_fresh_price_is_served() -> None:
    world = price_service()
    await world.load("S-1")

    line = await explain(world)

    assert (line.verdict, line.state, line.level) == (LineVerdict.SERVE, State.FRESH, "l1")
    assert (line.invalidated, line.newest, line.reason) == (None, -1, None)


async def test_a_stale_price_is_served_and_refreshed() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(301)

    assert (await explain(world)).verdict is LineVerdict.REFRESH
    cart = await explain(world, mode=Mode.CART)
    assert (cart.verdict, cart.wait_us) == (LineVerdict.LOAD, 600_000)


async def test_nothing_stored_means_a_load_that_is_waited_for() -> None:
    line = await explain(price_service())

    assert (line.verdict, line.state, line.level) == (LineVerdict.LOAD, State.ABSENT, None)
    assert (line.wait_us, line.quoted) == (120_000, None)


async def test_explaining_neither_joins_nor_lifts_a_load_under_way() -> None:
    world = price_service()
    query = world.query("S-1", is_budgeted=True)
    asking = asyncio.ensure_future(world.service.quote(query))
    await asyncio.sleep(0.01)
    [flight] = world.loader.flights._tasks.values()

    for mode in Mode:
        assert (await explain(world, mode=mode)).verdict is LineVerdict.JOIN

    assert (flight.ticket.klass, flight.is_budgeted) == (CallClass.INTERACTIVE, True)
    await asking


async def test_a_load_that_began_too_early_is_nothing_for_a_checkout() -> None:
    world = price_service()
    world.erp.latency_seconds = 3
    asking = asyncio.ensure_future(world.ask("S-1", wait_seconds=5))
    await asyncio.sleep(2.1)

    assert (await explain(world)).verdict is LineVerdict.JOIN
    assert (await explain(world, mode=Mode.CHECKOUT)).verdict is LineVerdict.LOAD
    await asking


async def test_what_redis_holds_is_seen_and_not_remembered() -> None:
    world = price_service()
    await world.load("S-1")
    other = price_service(redis=world.redis, erp=world.erp)

    line = await explain(other)

    assert (line.verdict, line.level) == (LineVerdict.SERVE, "l2")
    assert other.cache.shelf(context_of()) == {}


async def test_an_invalidation_is_named_with_its_position() -> None:
    world = price_service()
    await world.load("S-1")
    position = world.invalidate(ScopeKind.ITEM, "S-1", level=Level.SOFT)

    line = await explain(world)

    assert (line.invalidated, line.newest) == (Level.SOFT, position)
    assert line.entry is not None
    assert line.entry.position < position
    assert (line.state, line.verdict) == (State.STALE_HARD, LineVerdict.LOAD)


async def test_a_paused_key_is_settled_with_what_there_is() -> None:
    world = price_service()
    await world.load("S-1")
    world.invalidate()
    world.erp.outage = outage_of(UpstreamUnavailableError)
    await world.ask("S-1")

    line = await explain(world)

    assert (line.verdict, line.reason) == (LineVerdict.SETTLE, "erp_unavailable")
    assert line.quoted is not None
    assert line.quoted.is_served
    assert line.quoted.entry == world.cache.shelf(context_of())[key_of()]


async def test_what_the_item_map_settles_says_why() -> None:
    line = await explain(price_service(), "NO-SUCH-SKU")

    assert (line.verdict, line.state) == (LineVerdict.SERVE, State.NO_PRICE)
    assert (line.item, line.unit, line.reason) == (None, None, "unknown_sku")


async def test_before_the_maps_are_there_nothing_can_be_said() -> None:
    world = price_service()
    world.master.catalog = None

    line = await explain(world)

    assert (line.verdict, line.reason) == (LineVerdict.SETTLE, "starting")


async def test_a_customer_that_nobody_could_check_is_not_loaded_for() -> None:
    line = await explain(price_service(), account="C-404")

    assert (line.verdict, line.reason) == (LineVerdict.SETTLE, "customer_not_checked")


@pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CART])
@pytest.mark.parametrize("age", [0, 299, 301, 4000])
async def test_it_says_when_to_ask_again_as_the_answer_does(mode: Mode, age: int) -> None:
    """Lines with an old price to show need nobody to come back; others may wait for a load."""
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(age)
    world.erp.latency_seconds = 2
    for lines in (["S-1"], ["S-1", "S-2"], ["S-2"]):
        query = world.query(*lines, mode=mode, wait_seconds=0)
        said = (await world.explainer.explain(query)).ask_again_ms
        assert said == (await world.service.quote(query)).ask_again_ms
        assert (said > 0) is ("S-2" in lines)
        await asyncio.sleep(0.3)
