"""The rows of the price service: who reconciles prices with it asks for some as a customer."""

from collections.abc import Mapping

from pricing_proxy.clock import Clock
from pricing_proxy.diagnosis.board import Board, Finding, failed, ok, warned
from pricing_proxy.resilience.errors import UpstreamDeniedError, UpstreamError
from sync.given import ConfiguredMarket
from sync.price_service.list_prices import ListPriceService, price_service
from sync.price_service.section import PriceServiceSection

# What a market's check asks for where it names none: no price is an answer as well.
_ANY = ("1",)
_KEY = "Correct PRICING_PROXY_SYNC__PRICE_SERVICE__KEY: a key of the price service for this market"
_ADDRESS = "Check sync.price_service.url, and that pricing-proxy serve runs there"


async def check_prices(
    section: PriceServiceSection, markets: Mapping[str, ConfiguredMarket], *, clock: Clock
) -> Board:
    """Return the table of the price service, a row for each market."""
    board = Board("Price service, asked when prices are reconciled", [*markets])
    try:
        async with price_service(section, clock=clock) as service:
            for code, market in markets.items():
                board.put(code, await _asked(service, market))
    except OSError as error:
        finding = failed(
            f"{section.ca_file}: {error.strerror}", "Correct sync.price_service.ca_file"
        )
        board.fill_rest(finding)
    return board


async def _asked(service: ListPriceService, market: ConfiguredMarket) -> Finding:
    customer, skus = market.section.probe_customer, market.section.probe_skus or _ANY
    if customer is None:
        return warned(
            "prices are compared between shop and ERP alone",
            f"Set markets.{market.code}.probe_customer, an account that the service is asked as",
        )
    try:
        found = await service.list_prices(market.code, customer, skus)
    except UpstreamError as error:
        return failed(str(error), _KEY if isinstance(error, UpstreamDeniedError) else _ADDRESS)
    return ok(f"{len(found)} of {len(skus)} base prices")
