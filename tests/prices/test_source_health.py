"""A source that takes nothing at all is said once and shown, whatever it answers."""

import asyncio
from itertools import pairwise

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.fakes.erp import outage_of
from tests.fakes.price_world import MARKET, PriceWorld, price_service


async def ask_for_a_while(world: PriceWorld, *, pages: int = 5) -> None:
    for page in range(pages):
        await world.ask(f"S-{page * 2 + 1}", f"S-{page * 2 + 2}", wait_seconds=5)


@pytest.mark.parametrize(
    ("outage", "reason"),
    [
        (outage_of(UpstreamDeniedError, status=403), "erp_denied (403)"),
        (outage_of(UpstreamRejectedError, status=404), "refused_by_erp (404)"),
        (outage_of(UpstreamRejectedError, status=405), "refused_by_erp (405)"),
        (outage_of(UpstreamRejectedError, status=400), "refused_by_erp (400)"),
        (outage_of(UpstreamRejectedError, status=500), "refused_by_erp (500)"),
        (outage_of(UpstreamContractError), "erp_contract"),
        (outage_of(UpstreamContractError, status=200), "erp_contract (200)"),
    ],
)
async def test_a_source_that_refuses_everything_is_said_once_and_shown(
    outage: type[Exception], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The ERP is up and no breaker opens, yet no page has a price."""
    caplog.set_level("INFO")
    world = price_service()
    await world.ask("S-90", wait_seconds=5)
    world.erp.outage = outage
    await ask_for_a_while(world)
    failing = world.loader.health.failing(MARKET)
    assert failing is not None
    assert failing.reason == reason
    assert failing.loads >= 3
    assert failing.for_us > 0
    (told,) = caplog.messages
    assert told == (
        f"market b2b_de: no price is answered any more: {reason} at the ERP; {failing.next_step}"
    )
    world.erp.outage = None
    await asyncio.sleep(5)
    await world.ask("S-91", wait_seconds=5)
    assert world.loader.health.failing(MARKET) is None
    assert caplog.messages[1:] == ["market b2b_de: prices are answered again"]


@pytest.mark.parametrize("error", [UpstreamUnavailableError, UpstreamTimeoutError])
async def test_what_passes_is_shown_by_breaker_and_gate_instead(error: type) -> None:
    world = price_service()
    world.erp.outage = outage_of(error)
    await ask_for_a_while(world)
    assert world.loader.health.failing(MARKET) is None


async def test_a_poisoned_line_is_no_failing_source() -> None:
    """Also where it is the only thing that anybody asks for."""
    world = price_service()
    world.erp.poison.add("S-1")
    for _ in range(6):
        await world.ask("S-1", wait_seconds=5)
        await asyncio.sleep(15)
    assert world.loader.health.failing(MARKET) is None


DENIED = outage_of(UpstreamDeniedError, status=403)
REFUSED = outage_of(UpstreamRejectedError, status=400)


async def test_an_outage_of_its_own_refuses_loads_at_once_and_tries_now_and_then() -> None:
    """Every page would cost the ERP calls, and every customer a wait, for what is refused."""
    world = price_service()
    world.erp.outage = DENIED
    await ask_for_a_while(world, pages=3)
    world.erp.batches.clear()
    began_us = world.now_us
    for number in range(20, 40):
        answer = await world.ask_one(f"S-{number}", account="C-2", wait_seconds=5)
        assert (answer.state, answer.reason) == (State.ABSENT, "erp_denied")
    assert (world.erp.batches, world.now_us) == ([], began_us)
    tried_at = []
    for second in range(200):
        await world.ask(f"S-{40 + second % 50}", account="C-2", wait_seconds=5)
        tried_at += [second] * len(world.erp.batches)
        world.erp.batches.clear()
        await asyncio.sleep(1)
    pauses = [after - before for before, after in pairwise(tried_at)]
    assert pauses == sorted(pauses)
    assert 5 <= pauses[0] <= 11
    assert 55 <= pauses[-1] <= 61


async def test_a_checkout_is_refused_at_once_and_told_when_to_come_back() -> None:
    world = price_service()
    world.erp.outage = DENIED
    await ask_for_a_while(world, pages=3)
    began_us = world.now_us
    quote = await world.ask("S-50", mode=Mode.CHECKOUT)
    assert world.now_us == began_us
    assert quote.lines[0].reason == "erp_denied"
    assert 1 <= quote.retry_after_seconds <= 5


async def test_what_is_known_is_served_flagged_meanwhile() -> None:
    world = price_service()
    await world.load("S-1")
    world.erp.outage = DENIED
    await ask_for_a_while(world, pages=4)
    await asyncio.sleep(3700)
    world.erp.batches.clear()
    await ask_for_a_while(world, pages=1)
    answer = await world.ask_one("S-1")
    assert (answer.state, answer.is_served) == (State.STALE_HARD, True)


async def test_one_customer_s_refusals_keep_nothing_from_another() -> None:
    """A customer whom the ERP refuses is alone in the shop at night."""
    world = price_service(accounts=["C-1", "C-2", "C-3"])
    world.erp.poison_lines = {("C-1", f"S-{number}") for number in range(1, 20)}
    await ask_for_a_while(world, pages=8)
    failing = world.loader.health.failing(MARKET)
    assert failing is not None
    assert not failing.is_refusing
    answer = await world.ask_one("S-1", account="C-2", wait_seconds=5)
    assert answer.state is State.FRESH
    assert world.loader.health.failing(MARKET) is None


async def test_refusals_of_several_customers_are_an_outage_that_is_tried_every_few_seconds() -> (
    None
):
    world = price_service(accounts=["C-1", "C-2", "C-3", "C-4"])
    world.erp.outage = REFUSED
    for account in ("C-1", "C-2", "C-3"):
        await world.ask("S-1", "S-2", account=account, wait_seconds=5)
        await world.settle()
    world.erp.batches.clear()
    answer = await world.ask_one("S-3", account="C-4", wait_seconds=5)
    assert (answer.reason, world.erp.batches) == ("refused_by_erp", [])
    await asyncio.sleep(60)
    await world.ask("S-3", "S-4", account="C-4", wait_seconds=5)
    world.erp.outage = None
    await asyncio.sleep(5)
    answer = await world.ask_one("S-5", account="C-4", wait_seconds=5)
    assert answer.state is State.FRESH


async def test_answers_of_which_no_line_can_be_read_are_no_answers() -> None:
    world = price_service()
    world.erp.missing = {f"S-{number}" for number in range(1, 11)}
    await ask_for_a_while(world)
    failing = world.loader.health.failing(MARKET)
    assert failing is not None
    assert failing.reason == "erp_contract"
