"""Find the market and the customer that a request names, or say that there is none."""

from collections.abc import Mapping

from pricing_proxy.prices.market import Market
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.web import problems
from pricing_proxy.web.schemas import CustomerByShopId, PricesBody


def find_market(markets: Mapping[str, Market], code: str) -> Market:
    """Return the market; raises a 400 for an unknown one."""
    market = markets.get(code)
    if market is None:
        detail = f"There is no such market; configured are: {', '.join(sorted(markets))}."
        raise ProblemError(problems.UNKNOWN_MARKET, detail)
    return market


def names_somebody(markets: Mapping[str, Market], body: PricesBody) -> bool:
    """Return whether a body names a market, and by account a customer in its map."""
    market, named = markets.get(body["market"]), body["customer"]
    if market is None or not isinstance(named, str):
        return False
    return market.master.customer(named) is not None


def find_currency(market: Market, asked: str | None) -> str:
    """Return the currency to answer in; raises a 400 for one the market does not sell in."""
    if asked is None:
        return market.currency
    if asked not in market.currencies:
        detail = f"The market sells in: {', '.join(sorted(market.currencies))}."
        raise ProblemError(problems.UNKNOWN_CURRENCY, detail)
    return asked


async def find_customer(
    market: Market, named: str | CustomerByShopId, *, asked_by: str = "", may_ask_erp: bool = True
) -> tuple[str, Customer | None]:
    """Return the account and the customer; the latter None while nobody can tell.

    The account is in the ERP's spelling once the customer is known, else as named.

    Args:
        market: Where.
        named: By account or by the shop's id.
        asked_by: The name of the key that asks: keys take turns before the ERP.
        may_ask_erp: Whether the ERP may be asked while there is no map.

    Raises:
        ProblemError: 404 for a shop id without an account, or an account that does not exist.
    """
    account = named if isinstance(named, str) else await _account(market, named["magento_id"])
    customer = market.master.customer(account)
    if customer is not None:
        return customer.account, customer
    if not (may_ask_erp or market.master.has_customers):
        return account, None
    try:
        customer = await market.master.find_customer(account, asked_by=asked_by)
    except UpstreamError:
        return account, None
    if customer is None:
        raise ProblemError(problems.UNKNOWN_CUSTOMER)
    return customer.account, customer


async def _account(market: Market, shop_id: int) -> str:
    try:
        account = await market.master.account_of(shop_id)
    except SharedStateError:
        raise ProblemError(problems.CUSTOMER_MAP_UNAVAILABLE) from None
    if account is None:
        raise ProblemError(problems.CUSTOMER_NOT_MAPPED)
    return account
