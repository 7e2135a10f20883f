"""What a browser's request may ask for: the prices of its token's customer, and no others.

The token says whose prices; a request that names anybody or any market else is refused,
not corrected, so that a page with a mistake is found. Nothing here can bind: a checkout is
the shop's own affair.
"""

from typing import cast

from pricing_proxy.names import is_same_name
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web import problems
from pricing_proxy.web.schemas import CustomerByShopId, PricesBody, ShopperBody
from pricing_proxy.web.tokens import Shopper


def body_of_shopper(body: ShopperBody, shopper: Shopper) -> PricesBody:
    """Return the body with the token's market and customer, whose account in the token's spelling.

    Raises:
        ProblemError: 403 for another market or customer, and for a checkout.
    """
    if body.get("mode") == "checkout":
        raise ProblemError(problems.MODE_NOT_ALLOWED)
    if body.get("market", shopper.market) != shopper.market:
        raise ProblemError(problems.OTHER_MARKET)
    customer = _customer(shopper)
    if not _is_same(body.get("customer", customer), customer):
        raise ProblemError(problems.OTHER_CUSTOMER)
    whole = {**body, "market": shopper.market, "customer": customer}
    return cast("PricesBody", whole)


def spelled_by(body: ShopperBody) -> str | None:
    """Return how the page itself spells the account, None where it names none."""
    named = body.get("customer")
    return named if isinstance(named, str) else None


def _is_same(named: str | CustomerByShopId | None, customer: str | CustomerByShopId | None) -> bool:
    if isinstance(named, str) and isinstance(customer, str):
        return is_same_name(named, customer)
    return named == customer


def _customer(shopper: Shopper) -> str | CustomerByShopId | None:
    if shopper.shop_id is not None:
        return {"magento_id": shopper.shop_id}
    return shopper.account
