"""Find an item's price for a customer, at every quantity.

Agreements of the customer come first, then its group's, then everybody's; the lowest price of
one unit wins, and a row without "find next" ends the search. What the asked unit does not give
the inventory unit may; then, where that is wanted, the generic currency; then the base price.
The rules that are open are `rules.SearchRules`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from pricing_proxy.agreements.fo.checking import CheckedRow
from pricing_proxy.agreements.fo.ladder import Ladder, combined, one_step, paired
from pricing_proxy.agreements.fo.party_rows import Look, PartyRows, RowSearch
from pricing_proxy.agreements.fo.rows import Party
from pricing_proxy.agreements.fo.rules import (
    DimensionMatch,
    FindNextNo,
    SearchRules,
    ZeroPrice,
)


@dataclass(frozen=True, slots=True)
class PriceStep:
    """What price rows say at one quantity.

    Attributes:
        best: The lowest price, None where there is none.
        unit_price: Of `best`, for one unit of its own.
        is_over: No wider row is looked at, nor another unit.
        doubt: The row because of which the answer is not known.
        stage: Which search found it; of the stages that were asked one after the other.
    """

    best: CheckedRow | None = None
    unit_price: Fraction = Fraction(0)
    is_over: bool = False
    doubt: CheckedRow | None = None
    stage: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether no further search is made."""
        return self.best is not None or self.is_over or self.doubt is not None


PriceRows: TypeAlias = PartyRows[PriceStep]


def price_look(rules: SearchRules) -> Look[PriceStep]:
    """Return how the price rows of one combination are looked at."""

    def at(rows: Sequence[CheckedRow], quantity: Fraction | None) -> PriceStep:
        best: CheckedRow | None = None
        lowest = Fraction(0)
        for row in competing(rows, rules, quantity):
            if row.doubt is not None:
                return PriceStep(doubt=row)
            price = unit_price_of(row, quantity)
            if is_price(row, price, rules) and (best is None or price < lowest):
                best, lowest = row, price
            if row.is_last:
                is_over = rules.find_next_no is FindNextNo.ENDS_SEARCH
                return PriceStep(best, lowest, is_over=is_over)
        return PriceStep(best, lowest)

    return Look(at, lambda row: PriceStep(doubt=row))


def unit_price_of(row: CheckedRow, quantity: Fraction | None) -> Fraction:
    """Return the price of one unit of a row's own, where a line has that many of them."""
    if quantity is None or not row.line_charges:
        return row.unit_price
    return row.unit_price + row.line_charges / quantity


def is_price(row: CheckedRow, unit_price: Fraction, rules: SearchRules) -> bool:
    """Return whether a row's price counts as one; 0 does by a rule only."""
    return unit_price > 0 or (row.is_last and rules.zero_price is ZeroPrice.COUNTS)


def competing(
    rows: Sequence[CheckedRow], rules: SearchRules, quantity: Fraction | None
) -> Sequence[CheckedRow]:
    """Return those of the rows of one combination that are looked at at all."""
    if rules.zero_price is ZeroPrice.IGNORED:
        rows = [row for row in rows if not is_ignored(row, unit_price_of(row, quantity))]
    if rules.dimensions is DimensionMatch.MOST_SPECIFIC:
        most = max((row.named for row in rows), default=0)
        rows = [row for row in rows if row.named == most]
    return rows


def is_ignored(row: CheckedRow, unit_price: Fraction) -> bool:
    """Return whether a row is a price of 0 without find next."""
    return row.is_last and unit_price == 0 and row.doubt is None


def find_prices(
    rows: PriceRows, parties: Sequence[Party], stages: Sequence[RowSearch]
) -> Ladder[PriceStep]:
    """Return the winner at each quantity; a step without one has the base price.

    The parties go from narrow to wide; the searches are made one after the other, until one is
    settled.
    """
    found = one_step(PriceStep())
    for stage, search in enumerate(stages):
        if all(step.is_settled for step in found.steps):
            break
        ladders = [rows.ladder(party, search) for party in parties]
        here = combined(ladders, _among_parties(stage)) if ladders else found
        found = paired(found, here, _first_settled)
    return found


def _among_parties(stage: int) -> Callable[[Sequence[PriceStep]], PriceStep]:
    def settle(steps: Sequence[PriceStep]) -> PriceStep:
        best: CheckedRow | None = None
        lowest = Fraction(0)
        for step in steps:
            if step.doubt is not None:
                return PriceStep(doubt=step.doubt, stage=stage)
            if step.best is not None and (best is None or step.unit_price < lowest):
                best, lowest = step.best, step.unit_price
            if step.is_over:
                return PriceStep(best, lowest, is_over=True, stage=stage)
        return PriceStep(best, lowest, stage=stage)

    return settle


def _first_settled(before: PriceStep, here: PriceStep) -> PriceStep:
    return before if before.is_settled else here
