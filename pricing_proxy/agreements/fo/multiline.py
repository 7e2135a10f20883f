"""Find the multiline discounts of a cart: by how much of a group of items it holds.

Customer, group and everybody, each with the rows for the group of items; rows for all items are
for the lines that `MultilineForAll` says. They add up as line discounts do. Where the lines of a
sum have different units, nobody says what the sum is: where that decides, the cart is refused.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from pricing_proxy.agreements.fo.cart_lines import AskedCart, CartRows, LocalCartLine
from pricing_proxy.agreements.fo.checking import RefusalReason
from pricing_proxy.agreements.fo.discount_search import DiscountRows, DiscountStep, added_up
from pricing_proxy.agreements.fo.ladder import START
from pricing_proxy.agreements.fo.line_terms import refused, summed
from pricing_proxy.agreements.fo.net import NO_DISCOUNT, SummedDiscount
from pricing_proxy.agreements.fo.party_rows import RowSearch
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalRefusal
from pricing_proxy.agreements.fo.rows import EVERYBODY, Code, Party
from pricing_proxy.agreements.fo.rules import DiscountPolicy, MultilineForAll, PricingTerms
from pricing_proxy.agreements.fo.stages import discount_stages
from pricing_proxy.names import same_name_key

Lines: TypeAlias = Sequence[LocalCartLine]
Tested: TypeAlias = tuple[DiscountRows, Party, Lines]
"""Whose rows are looked at, and the lines on whose quantities they are tested."""


def multiline_discounts(
    asked: AskedCart, rows: CartRows, terms: PricingTerms
) -> list[SummedDiscount] | LocalRefusal:
    """Return what multiline discounts add up to for each line of a cart."""
    if terms.policy is DiscountPolicy.LINE:
        return [NO_DISCOUNT for _ in asked.lines]
    search = _CartSearch(asked, rows, terms)
    for_all = terms.rules.multiline_for_all
    every_line = asked.lines if for_all is MultilineForAll.EVERY_LINE else ()
    found = [search.find(line, search.tested(line.group, every_line)) for line in asked.lines]
    if for_all is not MultilineForAll.EVERY_LINE:
        is_by_group = for_all is MultilineForAll.WITHOUT_GROUP
        is_open = [
            not line.group if is_by_group else step == NO_DISCOUNT
            for line, step in zip(asked.lines, found, strict=True)
        ]
        left = [line for line, chosen in zip(asked.lines, is_open, strict=True) if chosen]
        tested = search.tested("", left)
        found = [
            search.find(line, tested) if chosen else step
            for line, step, chosen in zip(asked.lines, found, is_open, strict=True)
        ]
    discounts = []
    for step in found:
        if isinstance(step, LocalRefusal):
            return step
        discounts.append(step)
    return discounts


class _CartSearch:
    def __init__(self, asked: AskedCart, rows: CartRows, terms: PricingTerms) -> None:
        self._asked = asked
        self._rows = rows
        self._terms = terms

    def tested(self, group: str, for_all: Lines) -> list[Tested]:
        """Return where a line's discounts are looked for, from narrow to wide.

        Args:
            group: The multiline discount group of its item; empty for none.
            for_all: The lines on which rows for all items are tested; none for no such rows.
        """
        of_group = [line for line in self._asked.lines if group and line.group == group]
        places = (((Code.GROUP, group), of_group), (EVERYBODY, for_all))
        customer = self._asked.customer
        return [
            (rows, party, lines)
            for party in customer.parties(customer.multiline_discount_group)
            for item_party, lines in places
            if lines and (rows := self._rows.multiline.get(item_party)) is not None
            if (party[0], item_party[0]) in self._terms.switches.multiline_discount
        ]

    def find(self, line: LocalCartLine, tested: Sequence[Tested]) -> SummedDiscount | LocalRefusal:
        """Return what the rows that apply to a line add up to."""
        asked = AskedPrice(unit=line.unit, currency=self._asked.currency, on=self._asked.on)
        stages = discount_stages(
            asked, self._terms, has_generic=any(rows.has_generic for rows, _, _ in tested)
        )
        found = _found(stages, tested, unit="")
        if found.rows != _found(stages, tested, unit=same_name_key(line.unit)).rows:
            return LocalRefusal(RefusalReason.MIXED_UNITS)
        if found.doubt is not None:
            return refused(found.doubt)
        return summed(found, stages, self._terms)


def _found(stages: Sequence[RowSearch], tested: Sequence[Tested], *, unit: str) -> DiscountStep:
    """Return the rows that apply; with a unit its quantities alone are summed."""
    for stage, search in enumerate(stages):
        steps = [
            rows.ladder(party, replace(search, quantity=_held(lines, unit))).at(START)
            for rows, party, lines in tested
        ]
        step = added_up(stage)(steps)
        if step.rows or step.doubt is not None:
            return step
    return DiscountStep()


def _held(lines: Lines, unit: str) -> Fraction:
    """Return how much a cart holds in some lines."""
    counted = (line for line in lines if unit in ("", same_name_key(line.unit)))
    return sum((Fraction(line.quantity) for line in counted), Fraction(0))
