"""The rows of one kind for one item, or for a group of items: what they say to each party.

What they say to a customer, a group or everybody is worked out once per search and kept: a
group's steps serve all its customers. Only what holds on one day is kept at a time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Generic, TypeAlias, TypeVar

from pricing_proxy.agreements.fo.checking import (
    AgreedRow,
    CheckedRow,
    KeptOutRow,
    RefusalReason,
    RowCheck,
    read_once,
)
from pricing_proxy.agreements.fo.ladder import Ladder, bracket_of, ladder_of, one_step
from pricing_proxy.agreements.fo.rows import (
    Party,
    is_in_period,
    last_day_alike,
)
from pricing_proxy.agreements.fo.rules import BlankCurrency, SearchRules, UpperBound

S = TypeVar("S")

# Of one party for one item, unit, currency and day. Nobody agrees on so many steps; what is
# worked out for them takes a tenth of a second, and ten times as many would take ten.
MOST_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSearch:
    """What rows have to fit; codes are folded.

    Attributes:
        currency: Of the rows; None for any but `document_currency`.
        document_currency: In which the answer is wanted.
        is_generic: Only rows that may be converted from the generic currency.
        unit: Of the rows.
        bracket_factor: How many of the brackets' units one asked unit is.
        unit_factor: How many of the rows' units one asked unit is.
        quantity: Only this one is looked at, in the asked unit; None for all.
    """

    on: date
    currency: str | None
    document_currency: str
    unit: str
    dimensions: tuple[str, ...]
    is_generic: bool = False
    bracket_factor: Fraction = Fraction(1)
    unit_factor: Fraction = Fraction(1)
    quantity: Fraction | None = None

    def __hash__(self) -> int:
        """Hash what tells searches apart cheaply: fractions are dear."""
        return hash((self.on, self.currency, self.unit, self.is_generic, self.dimensions))

    def fits_but_for_day(self, row: CheckedRow, rules: SearchRules) -> bool:
        """Return whether currency, unit and dimensions let a row in."""
        return (
            self.fits_currency(row, rules)
            and row.unit in ("", self.unit)
            and fits_dimensions(row, self.dimensions)
        )

    def fits_currency(self, row: CheckedRow, rules: SearchRules) -> bool:
        """Return whether the currency, and the way to it, let a row in."""
        if self.is_generic and not row.row.is_generic:
            return False
        if self.currency is None:
            return row.currency != self.document_currency
        is_blank = not row.currency and rules.blank_currency is BlankCurrency.ANY
        return row.currency == self.currency or (is_blank and not self.is_generic)


def fits_dimensions(row: CheckedRow, asked: tuple[str, ...]) -> bool:
    """Return whether each dimension that a row names is the asked one."""
    pairs = zip(row.dimensions, asked, strict=True)
    return all(not named or named == given for named, given in pairs)


@dataclass(frozen=True, slots=True)
class Look(Generic[S]):
    """How one kind of row is looked at.

    Attributes:
        at: Returns what rows that all apply say, in their order, to a quantity in their own
            unit; None for any.
        unknown: Returns what is said where a row makes the answer unknown.
    """

    at: Callable[[Sequence[CheckedRow], Fraction | None], S]
    unknown: Callable[[CheckedRow], S]


Key: TypeAlias = tuple[Party, RowSearch]


class PartyRows(Generic[S]):
    """Rows by whose they are; a party's are checked when somebody asks for them.

    Args:
        rows: As they were read.
        check: How one of them is checked.
        look: How those of one combination are looked at.
        rules: The answers to the open questions.

    Attributes:
        has_generic: Whether any row may be converted from the generic currency.
    """

    def __init__(
        self,
        rows: Iterable[AgreedRow],
        check: RowCheck,
        look: Look[S],
        rules: SearchRules,
    ) -> None:
        self._check = check
        self._look = look
        self._rules = rules
        self._read: defaultdict[Party, list[AgreedRow]] = defaultdict(list)
        self._kept_out: defaultdict[Party, list[KeptOutRow]] = defaultdict(list)
        self._checked: dict[Party, tuple[CheckedRow, ...]] = {}
        self._ladders: dict[Key, Ladder[S]] = {}
        self._on: date | None = None
        once, self._contradicted, again = read_once(rows)
        for row in once:
            self._read[row.party].append(row)
        for left_out in again:
            self._kept_out[left_out.row.party].append(left_out)
        self.has_generic = any(row.is_generic for row in once)

    def has(self, party: Party) -> bool:
        """Return whether there is any row of a party."""
        return party in self._read

    def of(self, party: Party) -> tuple[CheckedRow, ...]:
        """Return the rows of a party, in the order in which they are looked at."""
        checked = self._checked.get(party)
        if checked is None:
            checked = self._checked[party] = self._sorted(party)
        return checked

    def kept_out(self, party: Party) -> list[KeptOutRow]:
        """Return the rows of a party that can never apply."""
        self.of(party)
        return self._kept_out.get(party, [])

    def _sorted(self, party: Party) -> tuple[CheckedRow, ...]:
        kept: list[CheckedRow] = []
        for row in self._read.get(party, ()):
            found = self._check(row, row.record_id in self._contradicted)
            if isinstance(found, CheckedRow):
                kept.append(found)
            else:
                self._kept_out[party].append(KeptOutRow(row, found))
        return tuple(sorted(kept, key=_order))

    def ladder(self, party: Party, search: RowSearch) -> Ladder[S]:
        """Return what a party's rows say at each quantity."""
        if search.quantity is not None:
            return self._worked_out(party, search)
        if search.on != self._on:
            self._ladders.clear()
            self._on = search.on
        kept = self._ladders.get((party, search))
        if kept is None:
            kept = self._ladders[party, search] = self._worked_out(party, search)
        return kept

    def applicable(self, party: Party, search: RowSearch) -> list[CheckedRow]:
        """Return the rows of a party that apply on the day, whatever the quantity."""
        return [
            row
            for row in self.of(party)
            if search.fits_but_for_day(row, self._rules) and is_in_period(row.row, search.on)
        ]

    def last_day_alike(self, party: Party, search: RowSearch) -> date:
        """Return the last day on which the party's rows say the same; `date.max` for ever."""
        days = (
            last_day_alike(row.row, search.on)
            for row in self.of(party)
            if (row.row.from_date or row.row.to_date) and search.fits_but_for_day(row, self._rules)
        )
        return min((day for day in days if day is not None), default=date.max)

    def is_within(self, row: CheckedRow, search: RowSearch, quantity: Fraction) -> bool:
        """Return whether a quantity in the asked unit is within a row's bracket."""
        first, end = bracket_of(row, factor=search.bracket_factor, is_exclusive=self._is_exclusive)
        return first <= (quantity, 0) and (end is None or (quantity, 0) < end)

    @property
    def _is_exclusive(self) -> bool:
        return self._rules.upper_bound is UpperBound.EXCLUSIVE

    def _worked_out(self, party: Party, search: RowSearch) -> Ladder[S]:
        rows = self.applicable(party, search)
        if len(rows) > MOST_ROWS:
            beyond = replace(rows[MOST_ROWS], doubt=RefusalReason.TOO_MANY_ROWS)
            return one_step(self._look.unknown(beyond))
        if search.currency is None:
            rows = [replace(row, doubt=RefusalReason.GENERIC_CURRENCY) for row in rows]
        if search.quantity is not None:
            within = [row for row in rows if self.is_within(row, search, search.quantity)]
            return one_step(self._look.at(within, search.quantity * search.unit_factor))
        return ladder_of(
            rows,
            lambda within: self._look.at(within, None),
            factor=search.bracket_factor,
            is_exclusive=self._is_exclusive,
        )


def _order(row: CheckedRow) -> tuple[Fraction | int, ...]:
    return row.order
