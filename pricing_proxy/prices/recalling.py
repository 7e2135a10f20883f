"""Answer a page that is wholly in memory and fresh, which is what nearly every page is.

It decides exactly as `prices.page` would, from the same table, for the page as a whole
instead of for each line: whatever is not the plain case is left to `prices.page`. Work is
done by columns, for a page has up to 200 lines and a line should cost less than a microsecond.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast, overload

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import TABLE, State, are_fresh
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.page import Knowledge
from pricing_proxy.prices.ports import Shelf
from pricing_proxy.prices.query import Columns, Key, PriceQuery, Quote, QuotedLine
from pricing_proxy.shared_state.item_map import Item

# Modes that show a fresh price as it is; a checkout also asks how recent it is.
_PLAIN_MODES = tuple(
    mode for mode, ruling in TABLE[State.FRESH].items() if ruling.serve and not ruling.refresh
)

_ONE_PIECE = "1"


class RecalledLines(Sequence[QuotedLine]):
    """The lines of a recalled page; each is made only when somebody looks at it alone.

    Attributes:
        columns: What was asked.
        keys: What each line is stored under.
        entries: What is served for each line: fresh and verified.
        fragments: The entries' fragments.
        loaded_us: When they were loaded.
    """

    __slots__ = ("columns", "entries", "fragments", "keys", "loaded_us")

    def __init__(
        self,
        columns: Columns,
        keys: Sequence[Key],
        entries: Sequence[Entry],
        *,
        fragments: Sequence[str],
        loaded_us: Sequence[int],
    ) -> None:
        self.columns = columns
        self.keys = keys
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
        for line, key, entry in zip(self.columns, self.keys, self.entries, strict=True):
            yield QuotedLine(line, key[1], entry, State.FRESH, True, None, "l1", True)


class KeyTable:
    """What one market's items are stored under; one look-up for each line of most pages.

    Most pages ask for one piece of each item in its sales unit: their keys are remembered.
    They are good for one item map: a map is read anew as a whole, and never changed.
    """

    def __init__(self) -> None:
        self._catalog: Mapping[str, Item] = {}
        self._single: dict[str, Key] = {}

    def of(self, columns: Columns, catalog: Mapping[str, Item]) -> Sequence[Key] | None:
        """Return each line's key; None when the market does not sell one of the items.

        Args:
            columns: The lines.
            catalog: The market's items right now.
        """
        if columns.quantity != _ONE_PIECE or columns.units is not None:
            return _keys_of(columns, catalog)
        if catalog is not self._catalog:
            self._catalog, self._single = catalog, {}
        keys = list(map(self._single.get, columns.skus))
        if all(keys):
            return cast("list[Key]", keys)
        found = _keys_of(columns, catalog)
        if found is not None:
            self._single.update(zip(columns.skus, found, strict=True))
        return found


def recall(
    query: PriceQuery, *, market: Market, shelf: Shelf, known: Knowledge, table: KeyTable
) -> Quote | None:
    """Return the answer when every line is in memory, fresh and verified; else None.

    Args:
        query: What is asked.
        market: Its market.
        shelf: What this process remembers of the context.
        known: What is known right now besides the entries.
        table: The market's keys.
    """
    catalog = market.master.items()
    if not shelf or catalog is None or not known.is_verified or query.mode not in _PLAIN_MODES:
        return None
    columns = Columns.of(query.lines)
    keys = table.of(columns, catalog)
    if keys is None:
        return None
    entries = list(map(shelf.get, keys))
    if not all(entries):
        return None
    held = cast("list[Entry]", entries)
    kinds, fragments, loaded_us, positions, soft_us, _ = zip(*held, strict=True)
    if not are_fresh(kinds, loaded_us, soft_us, now_us=known.now_us):
        return None
    if known.marks is not None and known.marks.touches(
        (catalog[sku].item_number for sku in columns.skus), min(positions), min(loaded_us)
    ):
        return None
    return Quote(
        lines=RecalledLines(columns, keys, held, fragments=fragments, loaded_us=loaded_us),
        decided_us=known.now_us,
        retry_after_seconds=1,
        is_from_memory=True,
    )


def _keys_of(columns: Columns, catalog: Mapping[str, Item]) -> Sequence[Key] | None:
    items = [item for item in map(catalog.get, columns.skus) if item is not None and item.is_sold]
    if len(items) != len(columns.skus):
        return None
    units = [item.sales_unit for item in items]
    if columns.units is not None:
        units = [asked or unit for asked, unit in zip(columns.units, units, strict=True)]
    return list(map(Key, columns.skus, units, columns.shortest))
