"""Which searches are made for a line, one after the other, until one finds something."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from pricing_proxy.agreements.fo.party_rows import RowSearch
from pricing_proxy.agreements.fo.quote import AskedPrice
from pricing_proxy.agreements.fo.rows import PricedItem
from pricing_proxy.agreements.fo.rules import OtherUnit, PricingTerms
from pricing_proxy.names import same_name_key


def price_stages(
    item: PricedItem,
    asked: AskedPrice,
    terms: PricingTerms,
    *,
    has_generic: bool,
    quantity: Fraction | None = None,
) -> tuple[RowSearch, ...]:
    """Return the searches for a price: asked unit, inventory unit; then in the generic currency.

    Rows that may be converted are asked for only where there are any. With a quantity only that
    one is asked for, in the asked unit.
    """
    units = tuple(_units(item, asked, terms.rules.other_unit))
    return tuple(
        replace(search, unit=unit, bracket_factor=bracket_factor, unit_factor=unit_factor)
        for search in discount_stages(asked, terms, has_generic=has_generic, quantity=quantity)
        for unit, bracket_factor, unit_factor in units
    )


def discount_stages(
    asked: AskedPrice,
    terms: PricingTerms,
    *,
    has_generic: bool,
    quantity: Fraction | None = None,
) -> tuple[RowSearch, ...]:
    """Return the searches for line discounts: of the asked unit, or of any."""
    dimensions, document = asked.dimensions.folded(), same_name_key(asked.currency)
    unit = same_name_key(asked.unit)
    return tuple(
        RowSearch(
            on=asked.on,
            currency=currency,
            document_currency=document,
            is_generic=is_generic,
            unit=unit,
            dimensions=dimensions,
            quantity=quantity,
        )
        for currency, is_generic in _currencies(asked, terms, has_generic=has_generic)
    )


def rate_to_document(search: RowSearch, terms: PricingTerms) -> Fraction:
    """Return what one unit of the currency of a search's rows is worth in the document's."""
    if not search.is_generic or search.currency is None:
        return Fraction(1)
    one, other = terms.rate(search.document_currency), terms.rate(search.currency)
    return (one or Fraction(1)) / (other or Fraction(1))


def _currencies(
    asked: AskedPrice, terms: PricingTerms, *, has_generic: bool
) -> Iterator[tuple[str | None, bool]]:
    """Yield currencies of rows, and whether these have to allow that they are converted."""
    document = same_name_key(asked.currency)
    yield document, False
    generic = terms.generic_currency
    if not has_generic:
        return
    if generic is None or terms.rate(generic) is None:
        # Rows that F&O might convert: a line that needs one is refused.
        yield None, True
    elif same_name_key(generic) != document:
        yield same_name_key(generic), True


def _units(
    item: PricedItem, asked: AskedPrice, other: OtherUnit
) -> Iterator[tuple[str, Fraction, Fraction]]:
    """Yield units of rows, with how many of them one asked unit is: in brackets, and in prices."""
    one = Fraction(1)
    unit, inventory_unit = same_name_key(asked.unit), same_name_key(item.inventory_unit)
    yield unit, one, one
    factor = item.factor(unit, inventory_unit)
    if unit != inventory_unit and factor is not None and other is not OtherUnit.NONE:
        is_converted = other is OtherUnit.CONVERTED_QUANTITY
        yield inventory_unit, factor if is_converted else one, factor
