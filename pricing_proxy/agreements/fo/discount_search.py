"""Add up a customer's line discounts for an item, at every quantity.

All nine pairs of account code and item code are looked at, the narrowest first, and in each the
rows with dimensions before those without. Every row that applies adds its percentages and its
amount: none "wins". A row without "find next" ends it all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from pricing_proxy.agreements.fo.checking import CheckedRow
from pricing_proxy.agreements.fo.ladder import Ladder, combined, one_step, paired
from pricing_proxy.agreements.fo.party_rows import Look, PartyRows, RowSearch
from pricing_proxy.agreements.fo.rows import Party
from pricing_proxy.agreements.fo.rules import FindNextNo, SearchRules


@dataclass(frozen=True, slots=True)
class DiscountStep:
    """What discount rows say at one quantity.

    Attributes:
        rows: That apply, in the order in which they were found.
        is_over: No wider row is looked at.
        doubt: The row because of which the answer is not known.
        stage: Which search found them.
    """

    rows: tuple[CheckedRow, ...] = ()
    is_over: bool = False
    doubt: CheckedRow | None = None
    stage: int = 0


DiscountRows: TypeAlias = PartyRows[DiscountStep]
Place: TypeAlias = tuple[DiscountRows, Party]
"""One pair of item code and account code: the rows for the item, and whose of them."""


def discount_look(rules: SearchRules) -> Look[DiscountStep]:
    """Return how the discount rows of one combination are looked at."""

    def at(rows: Sequence[CheckedRow], quantity: Fraction | None) -> DiscountStep:
        del quantity  # What they add does not depend on it.
        for place, row in enumerate(rows):
            if row.doubt is not None:
                return DiscountStep(doubt=row)
            if row.is_last:
                is_over = rules.find_next_no is FindNextNo.ENDS_SEARCH
                return DiscountStep(tuple(rows[: place + 1]), is_over=is_over)
        return DiscountStep(tuple(rows))

    return Look(at, lambda row: DiscountStep(doubt=row))


def find_discounts(places: Sequence[Place], stages: Sequence[RowSearch]) -> Ladder[DiscountStep]:
    """Return the rows that add up at each quantity.

    Args:
        places: Where to look, the narrowest first.
        stages: The searches that are made one after the other, until one finds a row.
    """
    found = one_step(DiscountStep())
    for stage, search in enumerate(stages if places else ()):
        if all(step.rows or step.doubt for step in found.steps):
            break
        ladders = [rows.ladder(party, search) for rows, party in places]
        here = combined(ladders, added_up(stage))
        found = paired(found, here, _first_found)
    return found


def added_up(stage: int) -> Callable[[Sequence[DiscountStep]], DiscountStep]:
    """Return how what several places say adds up, the narrowest first, in one of the searches."""

    def settle(steps: Sequence[DiscountStep]) -> DiscountStep:
        rows: list[CheckedRow] = []
        for step in steps:
            if step.doubt is not None:
                return DiscountStep(doubt=step.doubt, stage=stage)
            rows += step.rows
            if step.is_over:
                break
        return DiscountStep(tuple(rows), stage=stage)

    return settle


def _first_found(before: DiscountStep, here: DiscountStep) -> DiscountStep:
    return before if before.rows or before.doubt is not None else here
