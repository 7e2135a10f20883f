"""What no single key of a market's rules for orders shows. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from pricing_proxy.configuration.cross_checks import table
from pricing_proxy.configuration.mistakes import Mistake
from sync.engine.erp_texts import text_mistakes
from sync.orders.rules import FLOW, OrderRules


def mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    """Find what store views make wrong, and fields that are named in vain."""
    here, own = f"sync.markets.{market}", table(document, "sync", "markets", market)
    yield from _field_mistakes(document, market)
    known = table(own, FLOW, "tax")
    for percent, code in table(own, FLOW, "tax_codes").items():
        if code not in known:
            advice = "expected a rate of orders.tax"
            yield Mistake(f"{here}.orders.tax_codes.{percent}", advice, code)
    start, stores = table(own, FLOW).get("start_at"), own.get("store_ids")
    if not isinstance(stores, list):
        return
    if isinstance(start, str) and start.isdecimal() and stores[1:]:
        advice = "expected an instant: each store view counts increment ids of its own"
        yield Mistake(f"{here}.orders.start_at", advice, start)
    for store in table(own, FLOW, "reference_prefix"):
        if store.isdecimal() and store not in map(str, stores):
            advice = 'expected "*" or a store view of this market'
            yield Mistake(f"{here}.orders.reference_prefix", advice, store)


def _field_mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    rules = table(document, "sync", "markets", market, FLOW)
    reference, carried = rules.get("reference_field"), rules.get("carried")
    fields = [
        each["field"]
        for each in (carried if isinstance(carried, list) else ())
        if isinstance(each, dict) and isinstance(each.get("field"), str)
    ]
    if reference in fields:
        where = f"sync.markets.{market}.orders.carried"
        yield Mistake(where, "expected another field: this one holds the reference", reference)
    more = {*fields, *([reference] if isinstance(reference, str) else ())}
    yield from text_mistakes(document, market, OrderRules, frozenset(more))
