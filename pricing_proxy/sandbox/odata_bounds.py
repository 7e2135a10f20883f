"""What a filter says of single fields, so that a large set need not be looked through whole. Pure.

    dataAreaId eq 'demf' and ItemNumber ge 'LAMP' and (InventoryWarehouseId eq '13' or … '14')

bounds three fields, and says nothing else: whoever keeps to the bounds need not test the rows.
Texts are folded as the database compares them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

# Above every text that a code may be.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a text may be.

    Attributes:
        values: One of these; None for any between the ends.
        low: Nothing less; `is_above` means not this one either.
        high: Nothing more; `is_below` means not this one either.
    """

    values: frozenset[str] | None = None
    low: str = ""
    is_above: bool = False
    high: str = _LAST
    is_below: bool = False

    def admits(self, value: str) -> bool:
        """Say whether a folded text is within."""
        if self.values is not None:
            return value in self.values
        after = value > self.low if self.is_above else value >= self.low
        return after and (value < self.high if self.is_below else value <= self.high)

    def within(self, ordered: Sequence[str]) -> list[range]:
        """Return where in folded texts, which are in order, those within stand."""
        if self.values is not None:
            found = (_where(ordered, value) for value in sorted(self.values))
            return [each for each in found if each]
        start = (bisect_right if self.is_above else bisect_left)(ordered, self.low)
        end = (bisect_left if self.is_below else bisect_right)(ordered, self.high)
        return [range(start, end)] if start < end else []

    def both(self, other: "Bound") -> "Bound":
        """Return what is within both."""
        if self.values is not None:
            return Bound(values=frozenset(filter(other.admits, self.values)))
        if other.values is not None:
            return other.both(self)
        low, is_above = max((self.low, self.is_above), (other.low, other.is_above))
        high, is_not_below = min((self.high, not self.is_below), (other.high, not other.is_below))
        return Bound(low=low, is_above=is_above, high=high, is_below=not is_not_below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a whole filter says of fields.

    Attributes:
        fields: Every row that fits is within these.
        is_exact: And every row within these fits.
    """

    fields: Mapping[str, Bound] = field(default_factory=dict)
    is_exact: bool = True

    def all_of(self, other: "Bounds") -> "Bounds":
        """Return what both conditions say."""
        fields = dict(self.fields)
        for name, bound in other.fields.items():
            fields[name] = fields[name].both(bound) if name in fields else bound
        return Bounds(fields=fields, is_exact=self.is_exact and other.is_exact)

    def any_of(self, other: "Bounds") -> "Bounds":
        """Return what either condition says, as far as it is of one field's values."""
        mine, theirs = tuple(self.fields.items()), tuple(other.fields.items())
        if len(mine) == len(theirs) == 1 and mine[0][0] == theirs[0][0]:
            one, another = mine[0][1].values, theirs[0][1].values
            if one is not None and another is not None:
                joined = replace(mine[0][1], values=one | another)
                return Bounds(
                    fields={mine[0][0]: joined}, is_exact=self.is_exact and other.is_exact
                )
        return UNBOUNDED


UNBOUNDED = Bounds(is_exact=False)
"""What is said of no field alone."""


def compared(name: str, word: str, text: str) -> Bounds:
    """Return what a comparison of a field with a folded text, no wildcard, says."""
    bounds = {
        "eq": Bound(values=frozenset({text})),
        "gt": Bound(low=text, is_above=True),
        "ge": Bound(low=text),
        "lt": Bound(high=text, is_below=True),
        "le": Bound(high=text),
    }
    return Bounds(fields={name: bounds[word]}) if word in bounds else UNBOUNDED


def _where(ordered: Sequence[str], value: str) -> range:
    return range(bisect_left(ordered, value), bisect_right(ordered, value))
