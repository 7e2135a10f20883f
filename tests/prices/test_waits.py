"""How long an answer may take, and that nobody's impatience costs anybody else."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Mode, State, Wait
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.query import Line
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from tests.fakes.erp import outage_of
from tests.fakes.price_world import MARKET, SECOND_US, price_service

MILLISECOND = 1000


@pytest.mark.parametrize(
    ("mode", "asked_seconds", "waited_ms"),
    [
        (Mode.BROWSE, None, 120),
        (Mode.BROWSE, 2, 2000),
        (Mode.BROWSE, 0.05, 50),
        (Mode.BROWSE, 0, 0),
        (Mode.CART, None, 1200),
        (Mode.CART, 0.1, 100),
        (Mode.CART, 5, 5000),
        (Mode.CHECKOUT, None, 3800),
        (Mode.CHECKOUT, 1.5, 1500),
        (Mode.CHECKOUT, 1, 1000),
        # A healthy ERP takes longer than this: an order must not be refused for it.
        (Mode.CHECKOUT, 0, 1000),
    ],
)
async def test_a_line_without_any_price_waits_as_long_as_its_mode_bears(
    mode: Mode, asked_seconds: float | None, waited_ms: int
) -> None:
    world = price_service()
    world.erp.latency_seconds = 60
    before_us = world.now_us
    line = await world.ask_one(mode=mode, wait_seconds=asked_seconds)
    assert (line.state, line.is_served, line.reason) == (State.ABSENT, False, "too_slow")
    assert world.now_us - before_us == waited_ms * MILLISECOND


async def test_a_checkout_waits_up_to_its_deadline_when_told_to_wait_longer() -> None:
    world = price_service()
    world.erp.latency_seconds = 60
    before_us = world.now_us
    line = await world.ask_one(mode=Mode.CHECKOUT, wait_seconds=5)
    assert line.reason in {"too_slow", "erp_timeout"}
    assert world.now_us - before_us == 5000 * MILLISECOND


async def test_a_short_wait_shortens_the_wait_for_a_refresh_too() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(301)
    world.erp.latency_seconds = 60
    before_us = world.now_us
    line = await world.ask_one(mode=Mode.CART, wait_seconds=0.2)
    assert (line.state, line.is_served) == (State.STALE_SOFT, True)
    assert world.now_us - before_us == 200 * MILLISECOND


async def test_a_long_wait_does_not_lengthen_the_wait_for_a_refresh() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(301)
    world.erp.latency_seconds = 60
    before_us = world.now_us
    await world.ask_one(mode=Mode.CART, wait_seconds=5)
    assert world.now_us - before_us == 600 * MILLISECOND


async def test_a_load_outlasts_those_who_wait_for_it() -> None:
    world = price_service()
    world.erp.latency_seconds = 0.5
    assert not (await world.ask_one()).is_served
    await world.settle()
    assert (await world.ask_one()).state is State.FRESH
    assert len(world.erp.batches) == 1


@pytest.mark.parametrize(
    ("mode", "wait_seconds", "flight_ms"),
    [
        (Mode.BROWSE, None, 10_000),
        (Mode.CART, None, 6_000),
        (Mode.CHECKOUT, None, 4_000),
        (Mode.CHECKOUT, 0.1, 4_000),
        (Mode.CHECKOUT, 5, 5_000),
    ],
)
async def test_a_load_has_a_deadline_of_its_own(
    mode: Mode, wait_seconds: float | None, flight_ms: int
) -> None:
    world = price_service()
    began_us = world.now_us
    await world.ask_one(mode=mode, wait_seconds=wait_seconds)
    assert world.erp.batches[0].deadline_us - began_us == flight_ms * MILLISECOND


async def test_a_refresh_has_ten_seconds() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(301)
    began_us = world.now_us
    await world.ask_one()
    await world.settle()
    assert world.erp.batches[0].deadline_us - began_us == 10_000 * MILLISECOND


async def test_an_impatient_checkout_does_not_end_the_load_for_a_patient_one() -> None:
    """A waiter's deadline bounds only its waiting."""
    world = price_service()
    world.erp.latency_seconds = 1
    impatient, patient = await asyncio.gather(
        world.ask_one(mode=Mode.CHECKOUT, wait_seconds=0.1), world.ask_one(mode=Mode.CHECKOUT)
    )
    assert (impatient.is_served, patient.is_served) == (False, True)
    assert len(world.erp.batches) == 1


async def test_lines_that_are_known_do_not_shorten_the_wait_of_others() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(301)
    world.erp.latency_seconds = 1
    before_us = world.now_us
    quote = await world.ask("S-1", "S-2", mode=Mode.CART)
    assert [line.state for line in quote.lines] == [State.FRESH, State.FRESH]
    assert world.now_us - before_us == 1000 * MILLISECOND


async def test_a_failure_is_told_with_the_time_to_try_again() -> None:
    world = price_service()
    world.dice.number = 0.5
    world.erp.latency_seconds = 5
    quote = await world.ask("S-1", mode=Mode.CHECKOUT)
    assert quote.retry_after_seconds == 1
    assert quote.decided_us == world.now_us
    await asyncio.sleep(0.1)
    quote = await world.ask("S-1")
    assert quote.lines[0].reason == "erp_timeout"
    # The pause of 2 s began at the deadline of 4 s; 0.07 s of it are over.
    assert quote.retry_after_seconds == 2


async def test_a_page_in_memory_is_answered_without_giving_way() -> None:
    """The hot path awaits nothing, so its answer needs no turn of the loop."""
    world = price_service()
    await world.load("S-1")
    answering = world.service.quote(world.query("S-1", Line("S-1")))
    with pytest.raises(StopIteration) as ended:
        answering.send(None)
    assert [line.state for line in ended.value.value.lines] == [State.FRESH] * 2


def test_configured_answer_times_set_the_waits() -> None:
    policies = mode_policies(browse_ms=20, cart_ms=1000, checkout_ms=10)
    browse, cart, checkout = (policies[mode] for mode in Mode)
    assert browse.wait_us(Wait.FULL, None) == 0
    assert cart.wait_us(Wait.FULL, None) == 800 * MILLISECOND
    assert cart.wait_us(Wait.BRIEF, None) == 600 * MILLISECOND
    assert cart.wait_us(Wait.BRIEF, 5 * MILLISECOND) == 5 * MILLISECOND
    assert checkout.wait_us(Wait.FULL, None) == 0
    assert checkout.wait_us(Wait.FULL, 7) == 7


@pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CART])
@pytest.mark.parametrize("seconds", [0.05, 0.3, 2.0])
async def test_a_page_with_lines_that_are_being_loaded_says_when_to_ask_again(
    mode: Mode, seconds: float
) -> None:
    """By what loads took; whoever comes back then finds the prices, and has not waited twice."""
    world = price_service()
    world.erp.latency_seconds = seconds
    for number in range(10):
        await world.load(f"S-{number + 10}")

    first = await world.ask("S-1", "S-2", mode=mode, wait_seconds=0)
    assert seconds * 1000 <= first.ask_again_ms <= max(seconds * 2000, 100)
    await asyncio.sleep(first.ask_again_ms / 1000)
    again = await world.ask("S-1", "S-2", mode=mode, wait_seconds=0)

    assert again.ask_again_ms == 0
    assert all(line.is_served for line in again.lines)


async def test_a_load_that_has_begun_is_asked_for_sooner_and_a_late_one_more_patiently() -> None:
    world = price_service()
    world.erp.latency_seconds = 1
    for number in range(10):
        await world.load(f"S-{number + 10}")
    world.erp.latency_seconds = 30
    asked = [(await world.ask("S-1", wait_seconds=0)).ask_again_ms]
    for pause in (0.5, 0.5, 4, 3):
        await asyncio.sleep(pause)
        asked.append((await world.ask("S-1", wait_seconds=0)).ask_again_ms)

    assert asked[0] > asked[1] > asked[2]
    assert asked[2] < asked[3] <= asked[4] <= 5000


async def test_while_no_call_can_begin_nobody_is_asked_to_come_back() -> None:
    closed = {MARKET: 0}
    world = price_service(opens_in_us=closed.__getitem__)
    world.erp.latency_seconds = 0.2
    await world.load("S-9")
    asked = []
    for seconds in (0, 1, 2, 60):
        closed[MARKET] = seconds * SECOND_US
        asked.append((await world.ask(f"S-{seconds + 10}", wait_seconds=0)).ask_again_ms)

    assert asked[0] < 1000 <= asked[1] < 2000 <= asked[2]
    assert asked[3] == 5000


async def test_a_page_that_failed_says_nothing_of_asking_again_soon() -> None:
    """Its lines are paused: nothing is being loaded."""
    world = price_service()
    world.erp.outage = outage_of(UpstreamUnavailableError)
    assert (await world.ask("S-1", wait_seconds=5)).ask_again_ms == 0
