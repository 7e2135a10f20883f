"""Answer a page that is wholly in memory and fresh, which is what nearly every page is.

It decides exactly as `prices.page` would, from the same table, for the page as a whole
instead of for each line: whatever is not the plain case is left to `prices.page`. Work is
done by columns, for a page has up to 200 lines and a line should cost less than a microsecond.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast, overload

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import TABLE, State, are_fresh
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.page import Knowledge
from pricing_proxy.prices.ports import Shelf
from pricing_proxy.prices.query import Columns, Key, PriceQuery, Quote, QuotedLine

# Modes that show a fresh price as it is; a checkout also asks how recent it is.
_PLAIN_MODES = tuple(
    mode for mode, ruling in TABLE[State.FRESH].items() if ruling.serve and not ruling.refresh
)


class RecalledLines(Sequence[QuotedLine]):
    """The lines of a recalled page; each is made only when somebody looks at it alone.

    Attributes:
        columns: What was asked.
        units: The unit of each line.
        entries: What is served for each line: fresh and verified.
        fragments: The entries' fragments.
        loaded_us: When they were loaded.
    """

    __slots__ = ("columns", "entries", "fragments", "loaded_us", "units")

    def __init__(
        self,
        columns: Columns,
        units: Sequence[str],
        entries: Sequence[Entry],
        *,
        fragments: Sequence[str],
        loaded_us: Sequence[int],
    ) -> None:
        self.columns = columns
        self.units = units
        self.entries = entries
        self.fragments = fragments
        self.loaded_us = loaded_us

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> QuotedLine: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[QuotedLine]: ...
    def __getitem__(self, index: int | slice) -> QuotedLine | Sequence[QuotedLine]:
        return list(self)[index]

    def __iter__(self) -> Iterator[QuotedLine]:
        for line, unit, entry in zip(self.columns, self.units, self.entries, strict=True):
            yield QuotedLine(line, unit, entry, State.FRESH, True, None, "l1", True)


def recall(query: PriceQuery, *, market: Market, shelf: Shelf, known: Knowledge) -> Quote | None:
    """Return the answer when every line is in memory, fresh and verified; else None.

    Args:
        query: What is asked.
        market: Its market.
        shelf: What this process remembers of the context.
        known: What is known right now besides the entries.
    """
    catalog = market.master.items()
    if not shelf or catalog is None or not known.is_verified or query.mode not in _PLAIN_MODES:
        return None
    columns = Columns.of(query.lines)
    items = [item for item in map(catalog.get, columns.skus) if item is not None and item.is_sold]
    if len(items) != len(columns.skus):
        return None
    units = [item.sales_unit for item in items]
    if columns.units is not None:
        units = [asked or unit for asked, unit in zip(columns.units, units, strict=True)]
    keys = cast("Iterable[Key]", zip(columns.skus, units, columns.shortest, strict=True))
    entries = list(map(shelf.get, keys))
    if not all(entries):
        return None
    held = cast("list[Entry]", entries)
    kinds, fragments, loaded_us, positions, soft_us, _ = zip(*held, strict=True)
    if not are_fresh(kinds, loaded_us, soft_us, now_us=known.now_us):
        return None
    if known.marks is not None and known.marks.touches(
        [item.item_number for item in items], min(positions), min(loaded_us)
    ):
        return None
    return Quote(
        lines=RecalledLines(columns, units, held, fragments=fragments, loaded_us=loaded_us),
        decided_us=known.now_us,
        retry_after_seconds=1,
        is_from_memory=True,
    )
