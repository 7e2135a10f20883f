"""`/v1/customers/{customer}/login`: warm a customer's prices while they look at the first page."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import ValidationError

from pricing_proxy.listening.problems import INVALID_VALUE
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import Context
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.web.handling import JSON_HEADERS, Asked
from pricing_proxy.web.markets import find_customer, find_market
from pricing_proxy.web.schemas import ACCOUNT, LONGEST_ACCOUNT, LoginBody


class LoginRoutes:
    """The handler.

    Args:
        warmer: Loads in the background.
        markets: Every market by its code.
    """

    def __init__(self, *, warmer: Warmer, markets: Mapping[str, Market]) -> None:
        self._warmer = warmer
        self._markets = markets

    async def post(self, asked: Asked[LoginBody]) -> web.Response:
        """Answer 202 at once; the prices are loaded behind it, or not if the ERP is in trouble."""
        key, body = asked.by.name, asked.body
        named = _account(asked.request.match_info["customer"])
        market = find_market(self._markets, body["market"])
        account, customer = await find_customer(market, named, asked_by=key)
        lines = 0
        if customer is not None:
            context = Context(market.code, account, market.currency)
            caller = Caller(key, f"{market.code}|{account}")
            skus = body.get("skus", ())
            lines = await self._warmer.warm(context, customer, skus, caller=caller)
        return web.Response(status=202, text=f'{{"warming":{lines}}}', headers=JSON_HEADERS)


def _account(text: str) -> str:
    """Return an account from the path; raises a 422, as for one in a body."""
    try:
        return ACCOUNT.validate_python(text)
    except ValidationError:
        detail = f"An account has 1 to {LONGEST_ACCOUNT} printable characters."
        raise ProblemError(INVALID_VALUE, detail, pointer="/customer") from None
