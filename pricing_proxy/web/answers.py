"""Write a quote as JSON by splicing its stored fragments: no price is parsed or formatted.

Each line's fragment is text that was encoded when the price was loaded; only quantity,
state and age are added here.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from operator import add, attrgetter

from pricing_proxy.clock import MICROSECONDS_PER_SECOND
from pricing_proxy.domain.entry import Kind
from pricing_proxy.domain.freshness import State
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import PriceQuery, Quote, QuotedLine
from pricing_proxy.prices.recalling import RecalledLines

_fragment, _loaded_us = attrgetter("fragment"), attrgetter("loaded_us")
# What callers see of a state: they need to know how to show a price, not why.
_SHOWN = {
    State.FRESH: "fresh",
    State.STALE_SOFT: "stale",
    State.STALE_HARD: "stale",
    State.UNVERIFIED: "unverified",
    State.NO_PRICE: "no_price",
    State.EXPIRED: "unavailable",
    State.ABSENT: "unavailable",
}


def answer_body(query: PriceQuery, quote: Quote, market: Market, *, is_binding: bool | None) -> str:
    """Return the answer's JSON.

    Args:
        query: What was asked.
        quote: What is answered.
        market: The market asked.
        is_binding: For each line as well as the whole in an answer that is flagged;
            None in modes that never bind.
    """
    if isinstance(quote.lines, RecalledLines) and is_binding is None:
        lines = _recalled(quote.lines, quote.decided_us)
    else:
        parts = _lines(quote.lines, quote.decided_us)
        if is_binding is False:
            parts = [f'{part[:-1]},"binding":false}}' for part in parts]
        lines = ",".join(parts)
    is_fresh = isinstance(quote.lines, RecalledLines)
    complete = _text(is_fresh or quote.is_from_memory or is_complete(quote.lines))
    verified = _text(_is_verified(quote))
    more = f'"ask_again_ms":{quote.ask_again_ms},' if quote.ask_again_ms else ""
    return (
        f'{{"market":{_quoted(query.market)},"customer":{_quoted(query.called or query.account)},'
        f'"currency":"{query.currency}","tax_included":{_text(market.tax_included)},'
        f'"complete":{complete},"verified":{verified},"binding":{_text(bool(is_binding))},'
        f'{more}"lines":[{lines}]}}'
    )


def _lines(lines: Sequence[QuotedLine], decided_us: int) -> list[str]:
    """Return each line; one loop without calls, for this is where a page's time goes."""
    parts = []
    # A page's lines mostly end alike, having been loaded together.
    last: tuple[State, bool, int] | None = None
    tail = ""
    for quoted in lines:
        line, _, entry, state, is_served, _, _, is_verified = quoted
        if entry is None or not is_served:
            parts.append(_line_without_entry(quoted))
            continue
        ending = (state, is_verified, (decided_us - entry[2]) // MICROSECONDS_PER_SECOND)
        if ending != last:
            last, tail = ending, _tail(*ending)
        parts.append(f'{entry[1]},"quantity":"{line[1]}"{tail}')
    return parts


def _recalled(lines: RecalledLines, decided_us: int) -> str:
    """Return the lines of a recalled page, where all lines are fresh and verified."""
    quantity, bounds = lines.columns.quantity, lines.bounds
    fragments = map(_fragment, lines.entries)
    tail = _fresh_tail(bounds.oldest_us, decided_us)
    if quantity is not None and tail == _fresh_tail(bounds.newest_us, decided_us):
        # The lines differ in nothing but their fragments: one call for the whole page.
        ending = f',"quantity":"{quantity}"{tail}'
        return f"{ending},".join(fragments) + ending
    loaded_us = list(map(_loaded_us, lines.entries))
    # Few: what was loaded together is as old.
    tails = {at_us: _fresh_tail(at_us, decided_us) for at_us in set(loaded_us)}
    if quantity is not None:
        # For most pages beside others of the customer: joined by loops in C.
        endings = {at_us: f',"quantity":"{quantity}"{tail}' for at_us, tail in tails.items()}
        return ",".join(map(add, fragments, map(endings.__getitem__, loaded_us)))
    return ",".join(
        f'{fragment},"quantity":"{quantity}"{tails[at_us]}'
        for fragment, quantity, at_us in zip(
            fragments, lines.columns.quantities, loaded_us, strict=True
        )
    )


def _fresh_tail(loaded_us: int, decided_us: int) -> str:
    return _tail(State.FRESH, True, (decided_us - loaded_us) // MICROSECONDS_PER_SECOND)


def refused_line_json(line: QuotedLine, decided_us: int) -> str:
    """Return one line of a refused checkout, with the last price that is known."""
    entry = line.entry
    last_known, loaded_at = "null", "null"
    if entry is not None and entry.kind is Kind.PRICE:
        [last_known] = _lines([line._replace(is_served=True)], decided_us)
        loaded_at = f'"{entry.loaded_at}"'
    state = _SHOWN[line.state] if line.is_served else "unavailable"
    reason = f',"reason":"{line.reason}"' if line.reason else ""
    return (
        f'{{"sku":{_quoted(line.line.sku)},"quantity":"{line.line.quantity}",'
        f'"unit":{_quoted(line.unit)},"state":"{state}"{reason},'
        f'"last_known":{last_known},"loaded_at":{loaded_at}}}'
    )


def line_json(line: QuotedLine, decided_us: int) -> str:
    """Return one line as an answer of that instant holds it."""
    [text] = _lines([line], decided_us)
    return text


def is_complete(lines: Sequence[QuotedLine]) -> bool:
    """Return whether every line has a price or is known to have none."""
    return False not in [line.is_served for line in lines]


def _is_verified(quote: Quote) -> bool:
    if isinstance(quote.lines, RecalledLines):
        return True
    if quote.is_from_memory:
        # Decided in one go, so what holds for one line holds for all.
        return quote.lines[0].is_verified
    return False not in [line.is_verified for line in quote.lines]


def no_price_reason(line: QuotedLine) -> str | None:
    """Return why a line has no price; None when it has one, or nothing is known."""
    if not line.is_served or line.state is not State.NO_PRICE:
        return None
    if line.entry is None:
        return line.reason
    reason: str = json.loads(line.entry.fragment + "}")["reason"]
    return reason


def shown_state(line: QuotedLine) -> str:
    """Return the state as callers see it."""
    return _SHOWN[line.state] if line.is_served else "unavailable"


def _line_without_entry(line: QuotedLine) -> str:
    state = shown_state(line)
    return (
        f'{{"sku":{_quoted(line.line.sku)},"unit":{_quoted(line.unit)},"reason":"{line.reason}",'
        f'"quantity":"{line.line.quantity}","state":"{state}",'
        f'"verified":{_text(line.is_verified)}}}'
    )


@lru_cache(maxsize=8192)
def _tail(state: State, is_verified: bool, age_seconds: int) -> str:  # noqa: FBT001 -- cached by position
    # A clock that stepped back makes no price younger than new.
    age = max(age_seconds, 0)
    return f',"state":"{_SHOWN[state]}","verified":{_text(is_verified)},"age_seconds":{age}}}'


@lru_cache(maxsize=4096)
def _quoted(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(value: bool) -> str:  # noqa: FBT001 -- a JSON literal
    return "true" if value else "false"
