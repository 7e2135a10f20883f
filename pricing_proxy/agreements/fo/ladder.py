"""Steps over all quantities: what a search finds changes only where a bracket begins or ends.

A search for one quantity looks at the rows whose brackets hold it. Between two bounds these are
the same rows, so one look at each step answers for all quantities; bounds that belong to
their bracket make steps that are one quantity wide.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeAlias, TypeVar

from pricing_proxy.agreements.fo.checking import CheckedRow

S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")

Edge: TypeAlias = tuple[Fraction, int]
"""Where a step begins: at a quantity (0), or just above it (1)."""

START: Edge = (Fraction(0), 0)


@dataclass(frozen=True, slots=True)
class Ladder(Generic[S]):
    """What is found, by quantity: `steps[i]` holds from `edges[i]` on; the first is `START`."""

    edges: tuple[Edge, ...]
    steps: tuple[S, ...]

    def at(self, edge: Edge) -> S:
        """Return what is found at an edge; (quantity, 0) for a quantity."""
        if len(self.steps) == 1:
            return self.steps[0]
        return self.steps[bisect_right(self.edges, edge) - 1]


def one_step(step: S) -> Ladder[S]:
    """Return the ladder of what does not depend on the quantity."""
    return Ladder((START,), (step,))


def ladder_of(
    rows: Sequence[CheckedRow],
    look: Callable[[Sequence[CheckedRow]], S],
    *,
    factor: Fraction,
    is_exclusive: bool,
) -> Ladder[S]:
    """Return what a look at the rows finds at each quantity.

    Args:
        rows: In the order in which they are looked at.
        look: Gets the rows whose brackets hold a quantity, in that order.
        factor: How many of the rows' units one of the quantity's is.
        is_exclusive: An upper bound is not within its bracket.
    """
    if all(row.upper is None and not row.lower for row in rows):
        return one_step(look(rows))
    spans = [bracket_of(row, factor=factor, is_exclusive=is_exclusive) for row in rows]
    edges = sorted({START, *(edge for span in spans for edge in span if edge is not None)})
    places = {edge: place for place, edge in enumerate(edges)}
    within: list[list[CheckedRow]] = [[] for _ in edges]
    for row, (first, end) in zip(rows, spans, strict=True):
        for place in range(places[first], len(edges) if end is None else places[end]):
            within[place].append(row)
    return _merged(edges, [look(each) for each in within])


def bracket_of(
    row: CheckedRow, *, factor: Fraction, is_exclusive: bool
) -> tuple[Edge, Edge | None]:
    """Return where a row's bracket begins, and the first edge after it; None for no end."""
    first = max((row.lower / factor, 0), START)
    return first, None if row.upper is None else (row.upper / factor, 0 if is_exclusive else 1)


def combined(ladders: Sequence[Ladder[S]], settle: Callable[[Sequence[S]], T]) -> Ladder[T]:
    """Return what follows from several ladders at each quantity."""
    edges = _edges([ladder.edges for ladder in ladders])
    found = [settle([ladder.at(edge) for ladder in ladders]) for edge in edges]
    return _merged(edges, found)


def paired(one: Ladder[S], other: Ladder[T], settle: Callable[[S, T], U]) -> Ladder[U]:
    """Return what follows from two ladders at each quantity."""
    edges = _edges((one.edges, other.edges))
    return _merged(edges, [settle(one.at(edge), other.at(edge)) for edge in edges])


def _edges(several: Sequence[tuple[Edge, ...]]) -> Sequence[Edge]:
    """Return all edges once, rising."""
    if all(len(edges) == 1 for edges in several):
        return several[0]  # Most agreements have no brackets; hashing fractions is dear.
    return sorted({edge for edges in several for edge in edges})


def _merged(edges: Sequence[Edge], steps: Sequence[S]) -> Ladder[S]:
    """Leave out edges at which nothing changes."""
    if len(edges) == 1:
        return Ladder((START,), tuple(steps))
    kept = [place for place in range(len(edges)) if not place or steps[place] != steps[place - 1]]
    return Ladder(tuple(edges[place] for place in kept), tuple(steps[place] for place in kept))
