"""Write a quote as JSON by splicing its stored fragments: no price is parsed or formatted.

Each line's fragment is text that was encoded when the price was loaded; only quantity,
state and age are added here.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from pricing_proxy.clock import MICROSECONDS_PER_SECOND
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.freshness import State
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import PriceQuery, Quote, QuotedLine

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
    is_flagged = is_binding is False
    decided_us = quote.decided_us
    parts = [line_json(line, decided_us, is_flagged) for line in quote.lines]
    complete = _text(is_complete(quote.lines))
    verified = _text(False not in [line.is_verified for line in quote.lines])
    return (
        f'{{"market":{_quoted(query.market)},"customer":{_quoted(query.account)},'
        f'"currency":"{query.currency}","tax_included":{_text(market.tax_included)},'
        f'"complete":{complete},"verified":{verified},"binding":{_text(bool(is_binding))},'
        f'"lines":[{",".join(parts)}]}}'
    )


def line_json(quoted: QuotedLine, decided_us: int, is_flagged: bool) -> str:  # noqa: FBT001 -- hot
    """Return one line of an answer."""
    line, _, entry, state, is_served, _, _, is_verified = quoted
    flag = ',"binding":false' if is_flagged else ""
    if entry is None or not is_served:
        return _line_without_entry(quoted, flag)
    age_seconds = (decided_us - entry.loaded_us) // MICROSECONDS_PER_SECOND
    tail = _tail(_SHOWN[state], is_verified, age_seconds)
    return f'{entry.fragment},"quantity":"{line.quantity}"{tail}{flag}}}'


def refused_line_json(line: QuotedLine, decided_us: int) -> str:
    """Return one line of a refused checkout, with the last price that is known."""
    entry = line.entry
    last_known, loaded_at = "null", "null"
    if entry is not None and entry.kind is Kind.PRICE:
        tail = _tail(_SHOWN[line.state], line.is_verified, _age_seconds(entry, decided_us))
        last_known = f'{entry.fragment},"quantity":"{line.line.quantity}"{tail}}}'
        loaded_at = f'"{entry.loaded_at}"'
    state = _SHOWN[line.state] if line.is_served else "unavailable"
    reason = f',"reason":"{line.reason}"' if line.reason else ""
    return (
        f'{{"sku":{_quoted(line.line.sku)},"quantity":"{line.line.quantity}",'
        f'"unit":{_quoted(line.unit)},"state":"{state}"{reason},'
        f'"last_known":{last_known},"loaded_at":{loaded_at}}}'
    )


def is_complete(lines: Sequence[QuotedLine]) -> bool:
    """Return whether every line has a price or is known to have none."""
    return False not in [line.is_served for line in lines]


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


def _line_without_entry(line: QuotedLine, flag: str) -> str:
    state = shown_state(line)
    return (
        f'{{"sku":{_quoted(line.line.sku)},"unit":{_quoted(line.unit)},"reason":"{line.reason}",'
        f'"quantity":"{line.line.quantity}","state":"{state}",'
        f'"verified":{_text(line.is_verified)}{flag}}}'
    )


def _age_seconds(entry: Entry, decided_us: int) -> int:
    return (decided_us - entry.loaded_us) // MICROSECONDS_PER_SECOND


@lru_cache(maxsize=8192)
def _tail(state: str, is_verified: bool, age_seconds: int) -> str:  # noqa: FBT001 -- cached by position
    # A clock that stepped back makes no price younger than new.
    age = max(age_seconds, 0)
    return f',"state":"{state}","verified":{_text(is_verified)},"age_seconds":{age}'


@lru_cache(maxsize=4096)
def _quoted(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(value: bool) -> str:  # noqa: FBT001 -- a JSON literal
    return "true" if value else "false"
