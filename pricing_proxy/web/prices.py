"""`/v1/prices` and `/v1/carts/price`: what a customer pays, as JSON.

Reads the request, finds market and customer, asks `prices.service`, and writes the answer.
Browse and cart answers are always 200 with a state per line; a checkout is all or nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from aiohttp import web
from multidict import MultiMapping
from pydantic import ValidationError

from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import Mode
from pricing_proxy.listening.problems import INVALID_VALUE
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import Columns, PriceQuery, QuotedLine
from pricing_proxy.prices.recalling import RecalledLines
from pricing_proxy.prices.service import PriceService
from pricing_proxy.problem_details import Flaw, ProblemError
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.access import Access, AccessScope, Reader
from pricing_proxy.web.answer_writer import AnswerWriter
from pricing_proxy.web.answers import answer_body
from pricing_proxy.web.checkout import checkout_body
from pricing_proxy.web.common_bodies import CommonQueries, columns_of, common_body
from pricing_proxy.web.handling import read_body, read_bytes, validated
from pricing_proxy.web.markets import find_currency, find_customer, find_market, names_somebody
from pricing_proxy.web.meters import PriceMeter
from pricing_proxy.web.problems import NOT_POSITIVE, UNKNOWN_MEMBER
from pricing_proxy.web.recalled_pages import ALL_FROM_MEMORY, RecalledPages
from pricing_proxy.web.schemas import (
    CART,
    PRICES,
    SHOPPER_PRICES,
    PricesBody,
    ShopCustomer,
    flaws_problem,
    pointer,
)
from pricing_proxy.web.shoppers import body_of_shopper, spelled_by

_SINGLE_PARAMETERS = ("market", "customer", "magento_id", "mode", "currency", "wait_ms", "accept")
_MODES = {mode.value: mode for mode in Mode}
_LINE_PARAMETERS = ("sku", "quantity", "unit")
# Null and not an empty list: the source prices line by line and cannot know of any.
_NO_CART_DISCOUNTS = ',"cart_discounts":null'
_ALL_FROM_REDIS = "pricing-proxy; hit; detail=l2"


class PriceRoutes:
    """The handlers.

    Args:
        service: Quotes pages.
        markets: Every market by its code.
        access: Who may call.
        meter: Told about every answer.
        traces: Where spans of what is answered at once go.
        clock: Time.
        is_leaving: Whether connections are to be closed after the answer.

    Attributes:
        recalled: Answers at once what needs no waiting.
    """

    def __init__(
        self,
        *,
        service: PriceService,
        markets: Mapping[str, Market],
        access: Access,
        meter: PriceMeter,
        traces: Traces,
        clock: Clock,
        is_leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._markets = markets
        self._access = access
        self._queries = CommonQueries(partial(names_somebody, markets))
        self._meter = meter
        self._clock = clock
        self._writer = AnswerWriter(clock=clock, is_leaving=is_leaving)
        self.recalled = RecalledPages(
            service=service,
            markets=markets,
            access=access,
            queries=self._queries,
            meter=meter,
            traces=traces,
            clock=clock,
            is_leaving=is_leaving,
        )

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer `POST /v1/prices`."""
        reader = self._access.require_reader(request)
        text = await read_bytes(request)
        if reader.shopper is not None:
            asked = validated(text, SHOPPER_PRICES)
            body = body_of_shopper(asked, reader.shopper)
            return await self._answer(request, reader, body, None, called=spelled_by(asked))
        common = common_body(text)
        if common is not None:
            return await self._answer(request, reader, *common)
        return await self._answer(request, reader, validated(text, PRICES), None)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer `GET /v1/prices`: the same with the members as query parameters."""
        reader = self._access.require_reader(request)
        if reader.shopper is None:
            common = self._queries.read(request.rel_url.raw_query_string)
            if common is not None:
                return await self._answer(request, reader, *common)
        members, called = body_of(request.query), None
        try:
            if reader.shopper is None:
                body = PRICES.validate_python(members)
            else:
                asked = SHOPPER_PRICES.validate_python(members)
                body, called = body_of_shopper(asked, reader.shopper), spelled_by(asked)
        except ValidationError as error:
            raise flaws_problem(error) from None
        return await self._answer(request, reader, body, None, called=called)

    async def price_cart(self, request: web.Request) -> web.StreamResponse:
        """Answer `POST /v1/carts/price`: a whole cart, priced as a checkout."""
        reader = Reader(self._access.require(request, AccessScope.PRICES), None)
        cart = await read_body(request, CART)
        body = cast("PricesBody", {**cart, "mode": "checkout"})
        return await self._answer(request, reader, body, None, more=_NO_CART_DISCOUNTS)

    async def _answer(
        self,
        request: web.Request,
        reader: Reader,
        body: PricesBody,
        lines: Columns | None,
        *,
        called: str | None = None,
        more: str = "",
    ) -> web.StreamResponse:
        """Answer a body.

        Args:
            request: What it came in.
            reader: Who asks.
            body: What is asked.
            lines: Its lines by column, None when they are still in it.
            called: How the caller spells the account, where the body does not say so.
            more: Members that the answer has besides.
        """
        began_us = self._clock.monotonic_us()
        market = find_market(self._markets, body["market"])
        query = await query_of(body, market, lines=lines, reader=reader)
        if called is not None:
            query = query._replace(called=called)
        quote = await self._service.quote(query)
        is_refused = True
        try:
            if query.mode is Mode.CHECKOUT:
                text = checkout_body(query, quote, market, accepts_flagged="accept" in body)
            else:
                text = answer_body(query, quote, market, is_binding=None)
            is_refused = False
        finally:
            self._meter.answered(
                query.mode,
                quote,
                seconds=(self._clock.monotonic_us() - began_us) / 1_000_000,
                is_refused=is_refused,
            )
        if more:
            text = f"{text[:-1]}{more}}}"
        status = ALL_FROM_MEMORY if quote.is_from_memory else cache_status(quote.lines)
        return self._writer.answer(request, text.encode(), cache_status=status)


def cache_status(lines: Sequence[QuotedLine]) -> str:
    """Return the Cache-Status header (RFC 9211): where the lines came from."""
    if isinstance(lines, RecalledLines):
        levels = [lines.level] * len(lines)
    else:
        levels = [line.level for line in lines]
    count = len(levels)
    from_memory = levels.count("l1")
    if from_memory == count:
        return ALL_FROM_MEMORY
    from_redis = levels.count("l2")
    if from_redis == count:
        return _ALL_FROM_REDIS
    from_source = count - from_memory - from_redis
    found = (("l1", from_memory), ("l2", from_redis), ("source", from_source))
    detail = " ".join(f"{level}={number}" for level, number in found if number)
    if not from_source:
        return f'pricing-proxy; hit; detail="{detail}"'
    return f'pricing-proxy; fwd=miss; detail="{detail}"'


async def query_of(
    body: PricesBody,
    market: Market,
    *,
    lines: Columns | None = None,
    reader: Reader | None = None,
    may_ask_erp: bool = True,
) -> PriceQuery:
    """Return what a body asks for; raises `ProblemError` for what is not in the market.

    Args:
        body: A valid body.
        market: The market it names.
        lines: Its lines by column, None when they are still in it.
        reader: Who asks; None where nothing is loaded for the answer.
        may_ask_erp: Whether the ERP may be asked for a customer while there is no map.
    """
    currency = find_currency(market, body.get("currency"))
    if lines is None:
        lines = columns_of(body["lines"])
        _refuse_zeros(lines)
    asked_by = "" if reader is None else reader.name
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
        is_budgeted=reader is not None and reader.shopper is not None,
        asked_by=asked_by,
        called=_called(body["customer"], account),
    )


def _called(named: str | ShopCustomer, account: str) -> str | None:
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
        if name in _LINE_PARAMETERS:
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
