"""All that trade agreements say of one item, ready to be asked for any customer.

Rows are checked once. What they say to a customer, a group or everybody is worked out once, and
so is the answer for all customers for whom the same rows count: a customer without agreements
of its own costs a look-up. Which rows are whose is in `party_rows`, what is found in
`price_search` and `discount_search`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from pricing_proxy.agreements.fo.answering import answer, is_by_line
from pricing_proxy.agreements.fo.checking import (
    RefusalReason,
    discount_check,
    price_check,
)
from pricing_proxy.agreements.fo.discount_search import DiscountRows, Place, discount_look
from pricing_proxy.agreements.fo.party_rows import PartyRows
from pricing_proxy.agreements.fo.price_search import PriceRows, price_look
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalQuote, LocalRefusal
from pricing_proxy.agreements.fo.rows import (
    AgreedDiscount,
    AgreedPrice,
    AgreedSale,
    Code,
    ItemDimensions,
    Party,
    PricedCustomer,
    PricedItem,
    is_in_period,
    last_day_alike,
)
from pricing_proxy.agreements.fo.rules import PricingTerms
from pricing_proxy.names import is_same_name

Numbered: TypeAlias = tuple[int, Party]
Key: TypeAlias = tuple[tuple[Party, ...], tuple[Numbered, ...], str, str, ItemDimensions, Decimal]

_CODES = (Code.TABLE, Code.GROUP, Code.ALL)


def price_rows_of(rows: Iterable[AgreedPrice], item: PricedItem, terms: PricingTerms) -> PriceRows:
    """Return the prices agreed for an item, ready to be searched."""
    return PartyRows(rows, price_check(item, terms), price_look(terms.rules), terms.rules)


def discount_rows_of(
    rows: Iterable[AgreedDiscount], item_party: Party, terms: PricingTerms
) -> DiscountRows:
    """Return the line discounts for one item, a group of items or all, ready to be searched."""
    check = discount_check(item_party, terms)
    return PartyRows(rows, check, discount_look(terms.rules), terms.rules)


class PriceList:
    """What an item costs, for whoever asks.

    Args:
        item: The item.
        terms: What holds for the legal entity; the rows are those that were checked by it.
        prices: The prices agreed for the item.
        discounts: The line discounts for the item, its group and all items; the rows of groups
            and of all are shared between items. None where there are none.
    """

    def __init__(
        self,
        item: PricedItem,
        terms: PricingTerms,
        *,
        prices: PriceRows,
        discounts: tuple[DiscountRows | None, DiscountRows | None, DiscountRows | None],
    ) -> None:
        self.item = item
        self.terms = terms
        self.prices = prices
        self.discounts = discounts
        self._answers: dict[Key, LocalQuote | LocalRefusal] = {}
        self._on: date | None = None

    def quote(self, customer: PricedCustomer, asked: AskedPrice) -> LocalQuote | LocalRefusal:
        """Return what the item costs a customer at all quantities, or why that is not known."""
        if self.terms.unified_pricing:
            return LocalRefusal(RefusalReason.UNIFIED_PRICING)
        if customer.is_contradicted:
            return LocalRefusal(RefusalReason.CUSTOMER_CHANGES)
        sales = [each for each in customer.agreed_sales if _is_for(each, self.item)]
        for each in sales:
            if is_in_period(each, asked.on):
                return LocalRefusal(RefusalReason.SALES_AGREEMENT, agreement=each.agreement)
        found = self._answer(customer, asked)
        if isinstance(found, LocalRefusal) or not sales:
            return found
        days = [found.valid_until, *(last_day_alike(each, asked.on) for each in sales)]
        ends = [day for day in days if day is not None]
        return replace(found, valid_until=min(ends, default=None))

    def price_parties(self, customer: PricedCustomer) -> tuple[Party, ...]:
        """Return whose prices count for a customer, from narrow to wide."""
        return tuple(
            party
            for party in customer.parties(customer.price_group)
            if party[0] in self.terms.switches.price and self.prices.has(party)
        )

    def discount_places(self, customer: PricedCustomer) -> tuple[Numbered, ...]:
        """Return which discounts count: for the item (0), its group or all, and whose."""
        return tuple(
            (place, party)
            for place, party in self.all_discount_places(customer)
            if (party[0], _CODES[place]) in self.terms.switches.line_discount
        )

    def all_discount_places(self, customer: PricedCustomer) -> tuple[Numbered, ...]:
        """Return the same, with combinations that are switched off."""
        return tuple(
            (place, party)
            for party in customer.parties(customer.line_discount_group)
            for place, rows in enumerate(self.discounts)
            if rows is not None and rows.has(party)
        )

    def places(self, places: tuple[Numbered, ...]) -> tuple[Place, ...]:
        """Return the rows of discount places."""
        return tuple(
            (rows, party) for place, party in places if (rows := self.discounts[place]) is not None
        )

    def _answer(self, customer: PricedCustomer, asked: AskedPrice) -> LocalQuote | LocalRefusal:
        """Return the answer for all for whom the same rows count."""
        parties, places = self.price_parties(customer), self.discount_places(customer)
        if is_by_line(self.item, self.terms):
            return self._worked_out(parties, places, asked)
        if asked.on != self._on:
            self._answers.clear()
            self._on = asked.on
        key = (
            parties, places, asked.unit, asked.currency, asked.dimensions, asked.quantity_step
        )  # fmt: skip
        kept = self._answers.get(key)
        if kept is None:
            kept = self._answers[key] = self._worked_out(parties, places, asked)
        return kept

    def _worked_out(
        self, parties: tuple[Party, ...], places: tuple[Numbered, ...], asked: AskedPrice
    ) -> LocalQuote | LocalRefusal:
        return answer(
            self.item,
            self.terms,
            asked,
            prices=self.prices,
            parties=parties,
            places=self.places(places),
        )


def _is_for(sale: AgreedSale, item: PricedItem) -> bool:
    return not sale.item.strip() or is_same_name(sale.item, item.number)
