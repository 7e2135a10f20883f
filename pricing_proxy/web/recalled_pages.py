"""Answer a page of prices at once when memory holds it whole and fresh: nearly every page.

It does what `web.prices` does, for the plain case alone: a server with a key asks for lines
in a body or query as nearly all callers send them, in a browse or cart mode. It never
refuses: whatever is not plain, a mistake as well, is left to `web.prices`.
"""

from collections.abc import Callable, Mapping

from aiohttp import HttpVersion11
from aiohttp.http import RawRequestMessage
from multidict import istr

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.domain.freshness import Mode
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import PriceQuery
from pricing_proxy.prices.service import PriceService
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.access import API_KEY_HEADER, Access
from pricing_proxy.web.answer_writer import AnswerWriter
from pricing_proxy.web.answers import answer_body
from pricing_proxy.web.cache_status import ALL_FROM_MEMORY
from pricing_proxy.web.common_bodies import CommonBody, CommonQueries, common_body
from pricing_proxy.web.meters import PriceMeter

_PATH = "/v1/prices"
_QUERY_PATH = f"{_PATH}?"
_MODES = {mode.value: mode for mode in Mode}
# Names that need no folding of their case at each look-up.
_API_KEY, _TRACEPARENT = istr(API_KEY_HEADER), istr("traceparent")
_CONTENT_TYPE, _CONTENT_ENCODING = istr("Content-Type"), istr("Content-Encoding")


class RecalledPages:
    """Answers requests; `web.immediate` shows it each.

    Args:
        service: Recalls pages.
        markets: Every market by its code.
        access: Who may call.
        queries: Reads query strings.
        meter: Told about every answer.
        traces: Where spans go; a caller's own trace goes on in the usual way.
        clock: Time.
        is_leaving: Whether connections are to be closed after the answer.
    """

    def __init__(
        self,
        *,
        service: PriceService,
        markets: Mapping[str, Market],
        access: Access,
        queries: CommonQueries,
        meter: PriceMeter,
        traces: Traces,
        clock: Clock,
        is_leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._markets = markets
        self._access = access
        self._queries = queries
        self._meter = meter
        self._traces = traces
        self._clock = clock
        self._is_leaving = is_leaving
        self._writer = AnswerWriter(clock=clock)

    def __call__(self, message: RawRequestMessage, body: bytes) -> bytes | None:
        """Return the whole answer; None when the request must go its usual way."""
        if not self._service.remembers or self._is_leaving() or not _is_plain(message):
            return None
        began_us = self._clock.monotonic_us()
        query = self._query(message, body)
        quote = None if query is None else self._service.recall(query)
        if query is None or quote is None:
            return None
        text = answer_body(query, quote, self._markets[query.market], is_binding=None)
        took_us = self._clock.monotonic_us() - began_us
        seconds = took_us / MICROSECONDS_PER_SECOND
        self._meter.answered(query.mode, quote, seconds=seconds, is_refused=False)
        self._traces.note(f"{message.method} {_PATH}", took_us=took_us)
        return self._writer.whole(text.encode(), cache_status=ALL_FROM_MEMORY)

    def _query(self, message: RawRequestMessage, body: bytes) -> PriceQuery | None:
        """Return what is asked; None for what is not plain, not allowed, or not in the market."""
        # First of all: what a caller without access sends is neither parsed nor kept.
        if not self._access.opens(message.headers[_API_KEY], "prices"):
            return None
        asked = self._asked(message, body)
        if asked is None:
            return None
        members, lines = asked
        account = members["customer"]
        market = self._markets.get(members["market"])
        if market is None or not isinstance(account, str):
            return None
        currency = members.get("currency", market.currency)
        customer = market.master.customer(account)
        if customer is None or currency not in market.currencies:
            return None
        mode = _MODES[members.get("mode", "browse")]
        # What is recalled takes no time, however long the caller would wait.
        query = PriceQuery(market.code, customer, customer.account, currency, mode, lines)
        return query if account == customer.account else query._replace(called=account)

    def _asked(self, message: RawRequestMessage, body: bytes) -> CommonBody | None:
        path = message.path
        if message.method == "GET":
            is_query = path.startswith(_QUERY_PATH)
            return self._queries.read(path[len(_QUERY_PATH) :]) if is_query else None
        if message.method != "POST" or path != _PATH:
            return None
        headers = message.headers
        if headers.get(_CONTENT_TYPE) != "application/json" or _CONTENT_ENCODING in headers:
            return None
        return common_body(body)


def _is_plain(message: RawRequestMessage) -> bool:
    """Return whether a server with a key asks, in no trace yet, on a connection that stays."""
    headers = message.headers
    return (
        _API_KEY in headers
        and not message.should_close
        and message.version == HttpVersion11
        and _TRACEPARENT not in headers
    )
