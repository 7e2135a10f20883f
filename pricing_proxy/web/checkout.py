"""A checkout's answer is all or nothing: every line binds, or the shop is told why not.

422 when a line has no price, for then repeating is pointless; 503 with Retry-After when
the cause passes, with the last known price of each line and its age; never a silent old
price. `"accept": "flagged"` turns the 503 into a 200 that binds nothing.
"""

import orjson

from pricing_proxy.domain.entry import Kind
from pricing_proxy.domain.freshness import State
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import PriceQuery, Quote, QuotedLine
from pricing_proxy.problem_details import Flaw, ProblemError
from pricing_proxy.web.answers import answer_body, no_price_reason, refused_line_json
from pricing_proxy.web.problems import NO_PRICE, PRICE_NOT_CURRENT
from pricing_proxy.web.schemas import pointer

_UNIT_REASON = "unknown_unit"


def checkout_body(query: PriceQuery, quote: Quote, market: Market, *, accepts_flagged: bool) -> str:
    """Return the answer's JSON; raises `ProblemError` when the checkout is refused."""
    unpriced = [
        (index, reason)
        for index, line in enumerate(quote.lines)
        if (reason := no_price_reason(line)) is not None
    ]
    if unpriced:
        raise _has_no_price(unpriced)
    if all(line.is_served and line.state is State.FRESH for line in quote.lines):
        return answer_body(query, quote, market, is_binding=True)
    if accepts_flagged:
        return answer_body(query, _flagged(quote), market, is_binding=False)
    raise _cannot_bind_now(quote)


def _has_no_price(unpriced: list[tuple[int, str]]) -> ProblemError:
    flaws = [
        Flaw(
            pointer("lines", index, "unit" if reason == _UNIT_REASON else "sku"),
            reason,
            "The ERP has no price for this line.",
        )
        for index, reason in unpriced
    ]
    return ProblemError(NO_PRICE, flaws=flaws)


def _cannot_bind_now(quote: Quote) -> ProblemError:
    open_lines = [
        Flaw(pointer("lines", index), line.reason or "not_current", "No current price right now.")
        for index, line in enumerate(quote.lines)
        if not line.is_served
    ]
    lines = [
        orjson.Fragment(refused_line_json(line, quote.decided_us).encode()) for line in quote.lines
    ]
    return ProblemError(
        PRICE_NOT_CURRENT,
        flaws=open_lines,
        headers={"Retry-After": str(quote.retry_after_seconds)},
        members={"lines": lines},
    )


def _flagged(quote: Quote) -> Quote:
    """Show the last known prices as what they are."""
    return Quote(
        lines=[_with_last_known(line) for line in quote.lines],
        decided_us=quote.decided_us,
        retry_after_seconds=quote.retry_after_seconds,
        ask_again_ms=quote.ask_again_ms,
    )


def _with_last_known(line: QuotedLine) -> QuotedLine:
    if line.entry is None or line.entry.kind is not Kind.PRICE:
        return line
    # Not confirmed at checkout is not fresh, however young.
    state = State.STALE_SOFT if line.state is State.FRESH and not line.is_served else line.state
    return line._replace(is_served=True, state=state)
