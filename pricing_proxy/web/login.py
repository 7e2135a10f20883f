"""`/v1/customers/{customer}/login`: warm a customer's prices while they look at the first page."""

from collections.abc import Mapping

from aiohttp import web

from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import Context
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.web.access import Access, AccessScope
from pricing_proxy.web.handling import JSON_HEADERS, read_body
from pricing_proxy.web.markets import find_customer, find_market
from pricing_proxy.web.schemas import LOGIN


class LoginRoutes:
    """The handler.

    Args:
        warmer: Loads in the background.
        markets: Every market by its code.
        access: Who may call.
    """

    def __init__(self, *, warmer: Warmer, markets: Mapping[str, Market], access: Access) -> None:
        self._warmer = warmer
        self._markets = markets
        self._access = access

    async def post(self, request: web.Request) -> web.Response:
        """Answer 202 at once; the prices are loaded behind it, or not if the ERP is in trouble."""
        self._access.require(request, AccessScope.LOGIN)
        body = await read_body(request, LOGIN)
        market = find_market(self._markets, body["market"])
        account, customer = await find_customer(market, request.match_info["customer"])
        lines = 0
        if customer is not None:
            context = Context(market.code, account, market.currency)
            lines = await self._warmer.warm(context, customer, body.get("skus", ()))
        return web.Response(status=202, text=f'{{"warming":{lines}}}', headers=JSON_HEADERS)
