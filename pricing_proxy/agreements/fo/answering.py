"""Put an answer together: the price found at each quantity, the discounts, and how long it holds.

Any step that meets a row in doubt makes the whole line refused, with the row named: quantities
that do not meet it are not worth a price list with holes.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from pricing_proxy.agreements.fo.checking import RefusalReason
from pricing_proxy.agreements.fo.discount_search import Place, find_discounts
from pricing_proxy.agreements.fo.ladder import Ladder, paired
from pricing_proxy.agreements.fo.line_terms import TermsMaker
from pricing_proxy.agreements.fo.net import LineTerms
from pricing_proxy.agreements.fo.price_search import PriceRows, find_prices
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalQuote, LocalRefusal, breaks_of
from pricing_proxy.agreements.fo.rows import Party, PricedItem
from pricing_proxy.agreements.fo.rules import ChargesSpread, PricingTerms
from pricing_proxy.agreements.fo.stages import discount_stages, price_stages


def is_by_line(item: PricedItem, terms: PricingTerms) -> bool:
    """Return whether each quantity of an item has a price of its own."""
    is_spread = terms.rules.charges_spread is ChargesSpread.LINE_QUANTITY
    return item.charges_included and is_spread


def answer(
    item: PricedItem,
    terms: PricingTerms,
    asked: AskedPrice,
    *,
    prices: PriceRows,
    parties: Sequence[Party],
    places: Sequence[Place],
) -> LocalQuote | LocalRefusal:
    """Return what an item costs by prices of parties and discounts in places, narrow to wide."""
    refusal = _not_converted(item, terms, asked)
    if refusal is not None:
        return refusal
    quantity = Fraction(asked.quantity) if is_by_line(item, terms) else None
    for_prices = price_stages(item, asked, terms, has_generic=prices.has_generic, quantity=quantity)
    for_discounts = discount_stages(
        asked, terms, has_generic=any(rows.has_generic for rows, _ in places), quantity=quantity
    )
    maker = TermsMaker(item, terms, asked, for_prices, for_discounts)
    found = paired(
        find_prices(prices, parties, for_prices),
        find_discounts(places, for_discounts),
        maker.terms_of,
    )
    by_quantity = _without_refusals(found)
    if isinstance(by_quantity, LocalRefusal):
        return by_quantity
    return LocalQuote(
        by_quantity=by_quantity,
        breaks=() if quantity is not None else breaks_of(by_quantity, asked.quantity_step),
        valid_until=_first_of(
            *(prices.last_day_alike(party, each) for party in parties for each in for_prices),
            *(rows.last_day_alike(party, each) for rows, party in places for each in for_discounts),
        ),
        only_for=None if quantity is None else asked.quantity,
    )


def _first_of(*days: date) -> date | None:
    """Return the first day; None where there is none but `date.max`."""
    return min((day for day in days if day != date.max), default=None)


def _not_converted(item: PricedItem, terms: PricingTerms, asked: AskedPrice) -> LocalRefusal | None:
    if terms.rate(asked.currency) is None:
        return LocalRefusal(RefusalReason.UNKNOWN_CURRENCY)
    units = item.inventory_unit, item.sales_unit
    if any(item.factor(asked.unit, unit) is None for unit in units):
        return LocalRefusal(RefusalReason.UNKNOWN_UNIT)
    return None


def _without_refusals(
    found: Ladder[LineTerms | LocalRefusal | None],
) -> Ladder[LineTerms | None] | LocalRefusal:
    steps: list[LineTerms | None] = []
    for step in found.steps:
        if isinstance(step, LocalRefusal):
            return step
        steps.append(step)
    return Ladder(found.edges, tuple(steps))
