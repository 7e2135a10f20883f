"""`/v1/prices` and `/v1/carts/price`: what a customer pays, as JSON.

Reads the request, finds market and customer, asks `prices.service`, and writes the answer.
Browse and cart answers are always 200 with a state per line; a checkout is all or nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from aiohttp import web

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.domain.freshness import Mode
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import Columns
from pricing_proxy.prices.service import PriceService
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.access import Access
from pricing_proxy.web.answer_writer import AnswerWriter
from pricing_proxy.web.answers import answer_body
from pricing_proxy.web.asking import body_of, query_of
from pricing_proxy.web.cache_status import ALL_FROM_MEMORY, cache_status
from pricing_proxy.web.checkout import checkout_body
from pricing_proxy.web.common_bodies import CommonBody, CommonQueries, common_body
from pricing_proxy.web.handling import Asked, read_bytes, validated
from pricing_proxy.web.markets import find_market, names_somebody
from pricing_proxy.web.meters import PriceMeter
from pricing_proxy.web.recalled_pages import RecalledPages
from pricing_proxy.web.schemas import PRICES, SHOPPER_PRICES, CartBody, PricesBody
from pricing_proxy.web.shoppers import body_of_shopper, spelled_by

# Null and not an empty list: the source prices line by line and cannot know of any.
_NO_CART_DISCOUNTS = ',"cart_discounts":null'


class PriceRoutes:
    """The handlers.

    Args:
        service: Quotes pages.
        markets: Every market by its code.
        access: Who may call, for what is answered at once.
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

    async def post(self, asked: Asked[None]) -> web.StreamResponse:
        """Answer `POST /v1/prices`."""
        text = await read_bytes(asked.request)
        common = common_body(text) if asked.by.shopper is None else None
        return await self._answer_sent(asked, text, common)

    async def get(self, asked: Asked[None]) -> web.StreamResponse:
        """Answer `GET /v1/prices`: the same with the members as query parameters."""
        request, common = asked.request, None
        if asked.by.shopper is None:
            common = self._queries.read(request.rel_url.raw_query_string)
        sent = body_of(request.query) if common is None else {}
        return await self._answer_sent(asked, sent, common)

    async def price_cart(self, asked: Asked[CartBody]) -> web.StreamResponse:
        """Answer `POST /v1/carts/price`: a whole cart, priced as a checkout."""
        body = cast("PricesBody", {**asked.body, "mode": "checkout"})
        return await self._answer(asked, body, None, more=_NO_CART_DISCOUNTS)

    async def _answer_sent(
        self, asked: Asked[None], sent: bytes | Mapping[str, Any], common: CommonBody | None
    ) -> web.StreamResponse:
        """Answer what was sent, which is a page's own where a token came along."""
        shopper = asked.by.shopper
        if common is not None:
            return await self._answer(asked, *common)
        if shopper is None:
            return await self._answer(asked, validated(sent, PRICES), None)
        own = validated(sent, SHOPPER_PRICES)
        body = body_of_shopper(own, shopper)
        return await self._answer(asked, body, None, called=spelled_by(own))

    async def _answer(
        self,
        asked: Asked[Any],
        body: PricesBody,
        lines: Columns | None,
        *,
        called: str | None = None,
        more: str = "",
    ) -> web.StreamResponse:
        """Answer a body.

        Args:
            asked: What came, and from whom.
            body: What is asked.
            lines: Its lines by column, None when they are still in it.
            called: How the caller spells the account, where the body does not say so.
            more: Members that the answer has besides.
        """
        began_us = self._clock.monotonic_us()
        market = find_market(self._markets, body["market"])
        query = await query_of(body, market, lines=lines, by=asked.by, called=called)
        quote = await self._service.quote(query)
        is_refused = True
        try:
            if query.mode is Mode.CHECKOUT:
                text = checkout_body(query, quote, market, accepts_flagged="accept" in body)
            else:
                text = answer_body(query, quote, market, is_binding=None)
            is_refused = False
        finally:
            seconds = (self._clock.monotonic_us() - began_us) / MICROSECONDS_PER_SECOND
            self._meter.answered(query.mode, quote, seconds=seconds, is_refused=is_refused)
        if more:
            text = f"{text[:-1]}{more}}}"
        status = ALL_FROM_MEMORY if quote.is_from_memory else cache_status(quote.lines)
        return self._writer.answer(asked.request, text.encode(), cache_status=status)
