"""`POST /v1/prices/explain`: why lines would be answered as they would be, for operators.

The same body as `/v1/prices`, on the admin listener. Nothing is loaded, joined or remembered
for it, so it may be asked while the ERP is in trouble, which is when it is needed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from pricing_proxy.clock import shown_seconds
from pricing_proxy.domain.freshness import Wait
from pricing_proxy.prices.explaining import Explainer, Explanation, LineExplanation
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import PriceQuery
from pricing_proxy.web.answers import line_json
from pricing_proxy.web.asking import query_of
from pricing_proxy.web.freshness_words import MEANING, OTHERWISE, ruling_text
from pricing_proxy.web.handling import JSON_HEADERS, Asked
from pricing_proxy.web.markets import find_market
from pricing_proxy.web.schemas import PricesBody


class ExplainRoutes:
    """The handler.

    Args:
        explainer: Knows why.
        markets: Every market by its code.
        guards: Returns breakers, gate and bulkhead before a market's ERP.
        lease_left_us: Returns for how long word of a market's invalidations still counts.
    """

    def __init__(
        self,
        *,
        explainer: Explainer,
        markets: Mapping[str, Market],
        guards: Callable[[str], Mapping[str, Any]],
        lease_left_us: Callable[[str], int],
    ) -> None:
        self._explainer = explainer
        self._markets = markets
        self._guards = guards
        self._lease_left_us = lease_left_us

    async def post(self, asked: Asked[PricesBody]) -> web.Response:
        """Answer 200 with why each line would be answered so."""
        market = find_market(self._markets, asked.body["market"])
        query = await query_of(asked.body, market, may_ask_erp=False)
        explanation = await self._explainer.explain(query)
        answer = {
            **self._page(market, query, explanation),
            "lines": [_line(line, market, explanation) for line in explanation.lines],
        }
        return web.Response(body=orjson.dumps(answer), headers=JSON_HEADERS)

    def _page(self, market: Market, query: PriceQuery, explanation: Explanation) -> dict[str, Any]:
        known, source = explanation.known, market.source
        return {
            "market": market.code,
            "customer": query.called or query.account,
            "account": query.account,
            "currency": query.currency,
            "mode": query.mode,
            "is_customer_known": query.customer is not None,
            "price_group": None if query.customer is None else query.customer.price_group,
            "verified": known.is_verified,
            "lease_left_seconds": shown_seconds(max(self._lease_left_us(market.code), 0)),
            "position": str(explanation.position),
            "max_seconds": shown_seconds(market.lifetimes.max_us),
            "sources": [{"name": source.name, "is_binding": source.is_binding}],
            "ask_again_ms": explanation.ask_again_ms,
            "guards": self._guards(market.code),
        }


def _line(line: LineExplanation, market: Market, explanation: Explanation) -> dict[str, Any]:
    entry, now_us = line.entry, explanation.known.now_us
    has_fallback = line.ruling.wait is not Wait.NONE
    return {
        "sku": line.line.sku,
        "quantity": line.line.quantity,
        "unit": line.unit,
        "item": None if line.item is None else line.item.item_number,
        "verdict": line.verdict,
        "row": line.state,
        "because": MEANING[line.state],
        "rule": ruling_text(line.ruling),
        "otherwise": OTHERWISE[line.ruling.fallback] if has_fallback else None,
        "reason": line.reason,
        "wait_ms": line.wait_us // 1000,
        "level": line.level,
        "source": None if line.level is None else market.source.name,
        "loaded_at": None if entry is None else entry.loaded_at,
        "age_seconds": None if entry is None else shown_seconds(now_us - entry.loaded_us),
        "soft_seconds": None if entry is None else shown_seconds(entry.soft_us),
        "hard_seconds": None if entry is None else shown_seconds(entry.hard_us),
        "position": None if entry is None else str(entry.position),
        "invalidated": line.invalidated,
        "invalidated_at": None if line.newest < 0 else str(line.newest),
        "answer": (
            None
            if line.quoted is None
            else orjson.Fragment(line_json(line.quoted, now_us).encode())
        ),
    }
