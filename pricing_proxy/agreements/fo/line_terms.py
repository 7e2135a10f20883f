"""Turn rows that were found into what holds for a line, in the asked unit and currency."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from pricing_proxy.agreements.fo.checking import CheckedRow, RefusalReason, are_plausible
from pricing_proxy.agreements.fo.discount_search import DiscountStep
from pricing_proxy.agreements.fo.net import (
    NO_DISCOUNT,
    LineTerms,
    SummedDiscount,
    added,
    exact,
    scaled,
)
from pricing_proxy.agreements.fo.party_rows import RowSearch
from pricing_proxy.agreements.fo.price_search import PriceStep
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalRefusal
from pricing_proxy.agreements.fo.rows import ONE, ZERO, AgreedDiscount, AgreedPrice, PricedItem
from pricing_proxy.agreements.fo.rules import ChargesSpread, PricingTerms, ZeroBasePrice
from pricing_proxy.agreements.fo.stages import rate_to_document


class TermsMaker:
    """Makes the terms of one item's lines.

    Args:
        item: The item; it can be converted from the asked unit.
        terms: What holds for the legal entity; it knows the asked currency.
        asked: The line.
        price_searches: In the order in which the steps of prices number them.
        discount_searches: The same for discounts.
    """

    def __init__(
        self,
        item: PricedItem,
        terms: PricingTerms,
        asked: AskedPrice,
        price_searches: Sequence[RowSearch],
        discount_searches: Sequence[RowSearch],
    ) -> None:
        self._item = item
        self._terms = terms
        self._asked = asked
        self._price_searches = price_searches
        self._discount_searches = discount_searches

    def terms_of(self, price: PriceStep, discount: DiscountStep) -> LineTerms | LocalRefusal | None:
        """Return what holds where these rows were found; None where there is no price."""
        if price.doubt is not None:
            return refused(price.doubt)
        found = self._price(price)
        if not isinstance(found, LineTerms):
            return found
        if discount.doubt is not None:
            return refused(discount.doubt)
        return replace(found, discount=summed(discount, self._discount_searches, self._terms))

    def _price(self, step: PriceStep) -> LineTerms | LocalRefusal | None:
        if step.best is None or not isinstance(step.best.row, AgreedPrice):
            return self._base()
        row, search = step.best.row, self._price_searches[step.stage]
        return self._converted(
            row.price,
            row.price_unit,
            row.charges,
            factor=search.unit_factor,
            rate=rate_to_document(search, self._terms),
            row=row.record_id,
        )

    def _base(self) -> LineTerms | LocalRefusal | None:
        """Return the item's own price, which is in its sales unit and the company's currency."""
        item = self._item
        if not are_plausible(item.base_price, item.base_price_unit, item.charges):
            return LocalRefusal(RefusalReason.IMPLAUSIBLE_NUMBER)
        if item.base_price < 0 or item.charges < 0:
            return LocalRefusal(RefusalReason.NEGATIVE_PRICE)
        if item.base_price_unit <= 0:
            return LocalRefusal(RefusalReason.PRICE_UNIT)
        is_free = self._terms.rules.zero_base_price is ZeroBasePrice.FREE
        if not item.base_price and not is_free:
            return None
        return self._converted(
            item.base_price,
            item.base_price_unit,
            item.charges,
            factor=item.factor(self._asked.unit, item.sales_unit) or Fraction(1),
            rate=self._terms.rate(self._asked.currency) or Fraction(1),
            row=None,
        )

    def _converted(
        self,
        price: Decimal,
        price_unit: Decimal,
        charges: Decimal,
        *,
        factor: Fraction,
        rate: Fraction,
        row: int | None,
    ) -> LineTerms:
        """Return terms in the asked unit and currency.

        One asked unit is `factor` of the price's units, and one unit of its currency is worth
        `rate` in the asked one.
        """
        if self._item.charges_included and charges:
            each = Fraction(charges) / self._spread_over(factor)
            price = exact((Fraction(price) + each * Fraction(price_unit)) * factor * rate)
            charges = ZERO
        else:
            price, charges = scaled(price, factor * rate), scaled(charges, rate)
        rounding = self._terms.rules.price_rounding
        if rounding is not None:
            price = rounding.apply(Fraction(price))
        return LineTerms(
            price=price,
            price_unit=price_unit,
            charges=charges,
            price_row=row,
            discount=NO_DISCOUNT,
        )

    def _spread_over(self, factor: Fraction) -> Fraction:
        """Return over how many of a price's units its charges are spread."""
        if self._terms.rules.charges_spread is ChargesSpread.LINE_QUANTITY:
            return Fraction(self._asked.quantity) * factor
        return Fraction(self._item.charges_quantity or ONE)


def summed(
    step: DiscountStep, searches: Sequence[RowSearch], terms: PricingTerms
) -> SummedDiscount:
    """Return what discount rows add up to in the document's currency.

    Args:
        step: The rows, none of which is in doubt.
        searches: In the order in which the step numbers them.
        terms: What holds for the legal entity.
    """
    if not step.rows:
        return NO_DISCOUNT
    rows = [each.row for each in step.rows if isinstance(each.row, AgreedDiscount)]
    rate = rate_to_document(searches[step.stage], terms)
    return SummedDiscount(
        percent1=added(row.percent1 for row in rows),
        percent2=added(row.percent2 for row in rows),
        amount=scaled(added(row.amount for row in rows), rate),
        record_ids=tuple(row.record_id for row in rows),
    )


def refused(row: CheckedRow) -> LocalRefusal:
    """Return the refusal of what depends on a row in doubt."""
    reason = row.doubt or RefusalReason.CONTRADICTION
    return LocalRefusal(reason, record_id=row.row.record_id)
