"""What became of a row in a search, and which rows do not even fit what is searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from pricing_proxy.agreements.fo.checking import AgreedRow, CheckedRow, KeptOutReason
from pricing_proxy.agreements.fo.party_rows import PartyRows, RowSearch, fits_dimensions
from pricing_proxy.agreements.fo.rows import Party
from pricing_proxy.agreements.fo.rules import SearchRules

S = TypeVar("S")


class RowVerdict(StrEnum):
    """What became of a row."""

    WON = "won"
    ADDED = "added"
    IN_DOUBT = "in_doubt"
    """The line is refused because of it."""
    UNDECIDED = "a_row_in_doubt_was_met"
    LOWER_PRICE = "a_lower_price_won"
    ENDED = "the_search_had_ended"
    ANOTHER_STAGE = "another_unit_or_currency_decided"
    ZERO = "a_price_of_zero_is_none"
    LESS_SPECIFIC = "another_row_names_more_dimensions"
    KEPT_OUT = "kept_out"
    SWITCHED_OFF = "combination_switched_off"
    CURRENCY = "another_currency"
    UNIT = "another_unit"
    DIMENSIONS = "other_dimensions"
    NOT_YET = "not_yet_valid"
    NO_LONGER = "no_longer_valid"
    BRACKET = "quantity_outside_its_bracket"


_NEARNESS = (
    RowVerdict.CURRENCY,
    RowVerdict.UNIT,
    RowVerdict.DIMENSIONS,
    RowVerdict.NOT_YET,
    RowVerdict.NO_LONGER,
    RowVerdict.BRACKET,
)
"""What a row fails at, from far to near: of several searches the nearest is said."""


@dataclass(frozen=True, slots=True)
class ConsideredRow:
    """A row and what became of it.

    Attributes:
        by: Record id of the row that won, or ended the search; None where none did.
        fault: Why the row was kept out.
    """

    row: AgreedRow
    verdict: RowVerdict
    by: int | None = None
    fault: KeptOutReason | None = None


class Sieve:
    """Sorts rows by the search that they fit, for one quantity.

    Attributes:
        lost: Those that fit none, and why.
    """

    def __init__(self, stages: Sequence[RowSearch], quantity: Fraction, rules: SearchRules) -> None:
        self._stages = stages
        self._quantity = quantity
        self._rules = rules
        self.lost: list[ConsideredRow] = []

    def note_kept_out(self, held: PartyRows[S], parties: Sequence[Party]) -> None:
        """Say which rows of some parties can never apply."""
        self.lost += [
            ConsideredRow(each.row, RowVerdict.KEPT_OUT, fault=each.reason)
            for party in parties
            for each in held.kept_out(party)
        ]

    def switch_off(self, held: PartyRows[S], party: Party) -> None:
        """Say that nobody looks at a combination."""
        self.lost += [ConsideredRow(row.row, RowVerdict.SWITCHED_OFF) for row in held.of(party)]

    def sift(self, held: PartyRows[S], party: Party) -> list[list[CheckedRow]]:
        """Return a combination's rows by search, in their order."""
        found: list[list[CheckedRow]] = [[] for _ in self._stages]
        for row in held.of(party):
            reasons = [self._unfit(held, row, search) for search in self._stages]
            if None in reasons:
                found[reasons.index(None)].append(row)
            else:
                nearest = max((each for each in reasons if each), key=_NEARNESS.index)
                self.lost.append(ConsideredRow(row.row, nearest))
        return found

    def _unfit(self, held: PartyRows[S], row: CheckedRow, search: RowSearch) -> RowVerdict | None:
        """Return why a row does not apply in a search."""
        dated = row.row
        tests = (
            (search.fits_currency(row, self._rules), RowVerdict.CURRENCY),
            (row.unit in ("", search.unit), RowVerdict.UNIT),
            (fits_dimensions(row, search.dimensions), RowVerdict.DIMENSIONS),
            (dated.from_date is None or dated.from_date <= search.on, RowVerdict.NOT_YET),
            (dated.to_date is None or dated.to_date >= search.on, RowVerdict.NO_LONGER),
            (held.is_within(row, search, self._quantity), RowVerdict.BRACKET),
        )
        return next((verdict for fits, verdict in tests if not fits), None)
