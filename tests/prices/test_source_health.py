"""A source that takes nothing at all is said once and shown, whatever it answers."""

import asyncio

import pytest

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
        (outage_of(UpstreamRejectedError, status=400), "refused_by_erp"),
        (outage_of(UpstreamRejectedError, status=500), "refused_by_erp"),
        (outage_of(UpstreamContractError), "erp_contract"),
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
    assert (failing.reason, failing.loads) == (reason, 5)
    assert failing.for_us > 0
    assert caplog.messages == [f"market b2b_de: no price is answered any more: {reason}"]
    world.erp.outage = None
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
