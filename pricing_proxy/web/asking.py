"""From a request for prices to what is asked: a query string, a body, and a `PriceQuery`.

What is wrong in itself is left for validation to name; what the market does not have is
refused here.
"""

from typing import Any

from multidict import MultiMapping

from pricing_proxy.domain.freshness import Mode
from pricing_proxy.listening.problems import INVALID_VALUE
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import Columns, PriceQuery
from pricing_proxy.problem_details import Flaw, ProblemError
from pricing_proxy.web.access import Admitted
from pricing_proxy.web.common_bodies import columns_of
from pricing_proxy.web.markets import find_currency, find_customer
from pricing_proxy.web.problems import NOT_POSITIVE, UNKNOWN_MEMBER
from pricing_proxy.web.schemas import CustomerByShopId, PricesBody, pointer

_SINGLE_PARAMETERS = ("market", "customer", "magento_id", "mode", "currency", "wait_ms", "accept")
LINE_PARAMETERS = ("sku", "quantity", "unit")
"""Members of a line, which a query gives once for all lines or once for each."""
_MODES = {mode.value: mode for mode in Mode}


async def query_of(
    body: PricesBody,
    market: Market,
    *,
    lines: Columns | None = None,
    by: Admitted | None = None,
    called: str | None = None,
    may_ask_erp: bool = True,
) -> PriceQuery:
    """Return what a body asks for; raises `ProblemError` for what is not in the market.

    Args:
        body: A valid body.
        market: The market it names.
        lines: Its lines by column, None when they are still in it.
        by: Who asks; None where nothing is loaded for the answer.
        called: How the caller spells the account, where the body does not say so.
        may_ask_erp: Whether the ERP may be asked for a customer while there is no map.
    """
    currency = find_currency(market, body.get("currency"))
    if lines is None:
        lines = columns_of(body["lines"])
        _refuse_zeros(lines)
    asked_by = "" if by is None else by.name
    account, customer = await find_customer(
        market, body["customer"], asked_by=asked_by, may_ask_erp=may_ask_erp
    )
    wait_ms = body.get("wait_ms")
    return PriceQuery(
        market=market.code,
        customer=customer,
        account=account,
        currency=currency,
        mode=_MODES[body.get("mode", "browse")],
        lines=lines,
        wait_us=None if wait_ms is None else wait_ms * 1000,
        is_budgeted=by is not None and by.shopper is not None,
        asked_by=asked_by,
        called=called or _called(body["customer"], account),
    )


def _called(named: str | CustomerByShopId, account: str) -> str | None:
    """Return how the caller spelled the account, None where that is the ERP's spelling."""
    return named if isinstance(named, str) and named != account else None


def _refuse_zeros(lines: Columns) -> None:
    if "0" in lines.shortest:
        zeros = [
            Flaw(pointer("lines", index, "quantity"), NOT_POSITIVE.code, NOT_POSITIVE.detail)
            for index, quantity in enumerate(lines.shortest)
            if quantity == "0"
        ]
        raise ProblemError(NOT_POSITIVE, flaws=zeros)


def body_of(query: MultiMapping[str]) -> dict[str, Any]:
    """Return the body that the query parameters stand for; mistakes stay in it to be found."""
    body: dict[str, Any] = {}
    for name in dict.fromkeys(query):
        values = query.getall(name)
        if name in LINE_PARAMETERS:
            continue
        if name == "lines":
            detail = "Name the lines by sku, quantity and unit."
            raise ProblemError(UNKNOWN_MEMBER, detail, pointer="/lines")
        # An unknown or repeated parameter is carried on, for validation to name it.
        body[name] = values[0] if len(values) == 1 and name in _SINGLE_PARAMETERS else values
    if "magento_id" in body and "customer" not in body:
        body["customer"] = {"magento_id": _number(body.pop("magento_id"))}
    if "wait_ms" in body:
        body["wait_ms"] = _number(body["wait_ms"])
    body["lines"] = _line_bodies(query)
    return body


def _line_bodies(query: MultiMapping[str]) -> list[dict[str, str]]:
    skus = query.getall("sku", [])
    lines = [{"sku": sku} for sku in skus]
    for name in ("quantity", "unit"):
        values = query.getall(name, [])
        if not values:
            continue
        if len(values) not in (1, len(skus)):
            detail = f"Give {name} once for all lines, or once for each sku."
            raise ProblemError(INVALID_VALUE, detail, pointer="/lines")
        for index, line in enumerate(lines):
            line[name] = values[index % len(values)]
    return lines


def _number(text: Any) -> Any:
    is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 17  # noqa: PLR2004 -- digits of 2^53
    return int(text) if is_number else text
