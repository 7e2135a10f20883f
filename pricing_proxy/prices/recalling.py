"""Answer a page that is fresh as a whole, which is what nearly every page is.

Mostly all of it is in memory, else one load brings all of it. It decides exactly as
`prices.page` would, from the same table, for the page as a whole instead of for each line:
whatever is not the plain case is left to `prices.page`. Work is done by columns, for a page
has up to 200 lines and a line should cost less than a microsecond.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from operator import attrgetter, ne
from typing import NamedTuple, cast, overload

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import TABLE, State, fresh_span
from pricing_proxy.names import ByName
from pricing_proxy.prices.basis import Knowledge
from pricing_proxy.prices.flights import Arrival
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.query import Columns, Failure, Key, PriceQuery, Quote, QuotedLine
from pricing_proxy.prices.shelf import Bounds, Shelf
from pricing_proxy.shared_state.item_map import Item

# Modes that show a fresh price as it is; a checkout also asks how recent it is.
_PLAIN_MODES = tuple(
    mode for mode, ruling in TABLE[State.FRESH].items() if ruling.serve and not ruling.refresh
)

_ONE_PIECE = "1"
_ALL_ARRIVED = {Arrival}
_level, _entry = attrgetter("level"), attrgetter("entry")
_sku = attrgetter("sku")


class RecalledLines(Sequence[QuotedLine]):
    """The lines of a page that is fresh; each is made only when somebody looks at it alone.

    Attributes:
        level: Where all entries came from: "l1", "l2" or "source".
        columns: What was asked.
        entries: What is served for each line: fresh and verified.
        bounds: What holds for all entries; those of other pages may have widened it.
    """

    __slots__ = ("_catalog", "bounds", "columns", "entries", "level")

    def __init__(
        self,
        columns: Columns,
        entries: Sequence[Entry],
        bounds: Bounds,
        *,
        catalog: ByName[Item],
        level: str,
    ) -> None:
        self.level = level
        self.columns = columns
        self.entries = entries
        self.bounds = bounds
        self._catalog = catalog

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> QuotedLine: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[QuotedLine]: ...
    def __getitem__(self, index: int | slice) -> QuotedLine | Sequence[QuotedLine]:
        return list(self)[index]

    def __iter__(self) -> Iterator[QuotedLine]:
        for line, entry in zip(self.columns, self.entries, strict=True):
            unit = line.unit or self._catalog[line.sku].sales_unit
            yield QuotedLine(line, unit, entry, State.FRESH, True, None, self.level, True)


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
    is_plain = columns.quantity == _ONE_PIECE and columns.units is None
    held = _plain(columns, shelf, catalog, known) if is_plain else None
    if held is None:
        keys = _keys_of(columns, catalog)
        held = None if keys is None else _held(columns, keys, shelf, catalog, known)
        if keys is None or held is None:
            return None
        if _are_spelled_otherwise(columns, keys):
            # Not kept as plain: callers may think of any number of spellings.
            held = _as_called(columns, keys, held)
        elif is_plain:
            shelf.plain.add(columns.skus, *held, catalog=catalog, now_us=known.now_us)
    return _quote(columns, held, catalog=catalog, level="l1", known=known)


class WholePage(NamedTuple):
    """A page that one load may answer as a whole.

    Attributes:
        columns: The lines.
        keys: What each is stored under; its SKU is the ERP's spelling.
        catalog: The market's items.
    """

    columns: Columns
    keys: Sequence[Key]
    catalog: ByName[Item]

    @property
    def items(self) -> dict[Key, Item]:
        """What the load has to bring."""
        return dict(zip(self.keys, map(self.catalog.__getitem__, self.columns.skus), strict=True))


def whole_page(query: PriceQuery, market: Market) -> WholePage | None:
    """Return the query as a whole; None when no load can answer it so."""
    catalog = market.master.items()
    if catalog is None or query.mode not in _PLAIN_MODES:
        return None
    columns = Columns.of(query.lines)
    keys = _keys_of(columns, catalog)
    return None if keys is None else WholePage(columns, keys, catalog)


def delivered(
    whole: WholePage, landed: Mapping[Key, Arrival | Failure], known: Knowledge
) -> Quote | None:
    """Return the answer when a load brought every line, fresh and verified; else None.

    Args:
        whole: What is asked, in a mode that shows a fresh price as it is.
        landed: What the load brought.
        known: What is known since then.
    """
    columns, keys, catalog = whole
    if not known.is_verified:
        return None
    found = list(map(landed.get, keys))
    if set(map(type, found)) != _ALL_ARRIVED:
        return None
    arrivals = cast("list[Arrival]", found)
    levels, entries = set(map(_level, arrivals)), list(map(_entry, arrivals))
    held = _fresh(columns, entries, catalog, known) if len(levels) == 1 else None
    if held is None:
        return None
    if _are_spelled_otherwise(columns, keys):
        held = _as_called(columns, keys, held)
    return _quote(columns, held, catalog=catalog, level=levels.pop(), known=known)


def _quote(
    columns: Columns,
    held: "_Held",
    *,
    catalog: ByName[Item],
    level: str,
    known: Knowledge,
) -> Quote:
    return Quote(
        lines=RecalledLines(columns, *held, catalog=catalog, level=level),
        decided_us=known.now_us,
        retry_after_seconds=1,
        is_from_memory=level == "l1",
    )


class _Held(NamedTuple):
    """The entries of a page that are all fresh and not invalidated."""

    entries: Sequence[Entry]
    bounds: Bounds


def _plain(columns: Columns, shelf: Shelf, catalog: ByName[Item], known: Knowledge) -> _Held | None:
    """Return the entries if pages before this one were answered with them."""
    bounds = shelf.plain.bounds
    if bounds is None or not bounds.are_fresh(known.now_us):
        return None
    entries = shelf.plain.find(columns.skus, catalog)
    if entries is None or _is_touched(columns, bounds, catalog, known):
        return None
    return _Held(entries, bounds)


def _held(
    columns: Columns,
    keys: Sequence[Key],
    shelf: Shelf,
    catalog: ByName[Item],
    known: Knowledge,
) -> _Held | None:
    """Return the entries by looking at each line."""
    entries = list(map(shelf.get, keys))
    if not all(entries):
        return None
    return _fresh(columns, cast("list[Entry]", entries), catalog, known)


def _fresh(
    columns: Columns, entries: Sequence[Entry], catalog: ByName[Item], known: Knowledge
) -> _Held | None:
    kinds, _, loaded_us, positions, soft_us, _ = zip(*entries, strict=True)
    span = fresh_span(kinds, loaded_us, soft_us)
    if span is None:
        return None
    bounds = Bounds(*span, min(loaded_us), max(loaded_us), min(positions))
    if not bounds.are_fresh(known.now_us) or _is_touched(columns, bounds, catalog, known):
        return None
    return _Held(entries, bounds)


def _is_touched(columns: Columns, bounds: Bounds, catalog: ByName[Item], known: Knowledge) -> bool:
    """Return whether anything of the page may be invalidated."""
    return known.marks is not None and known.marks.touches(
        (catalog[sku].item_number for sku in columns.skus), bounds.position, bounds.oldest_us
    )


def _keys_of(columns: Columns, catalog: ByName[Item]) -> Sequence[Key] | None:
    """Return what each line is stored under; None where one is no item that is sold."""
    skus: Sequence[str] = columns.skus
    found = list(map(catalog.get, skus))
    if None in found:
        if not all(map(catalog.knows, skus)):
            return None
        found = list(map(catalog.find, skus))
        skus = [item.sku for item in found if item is not None]
    items = [item for item in found if item is not None and item.is_sold]
    if len(items) != len(columns.skus):
        return None
    units = [item.sales_unit for item in items]
    if columns.units is not None:
        units = [asked or unit for asked, unit in zip(columns.units, units, strict=True)]
    # Without the constructor's call, which is half of a named tuple's cost.
    members = zip(skus, units, columns.shortest, strict=True)
    return list(map(tuple.__new__, repeat(Key), members))


def _are_spelled_otherwise(columns: Columns, keys: Sequence[Key]) -> bool:
    """Return whether a line is not called as the ERP calls it, which hardly ever happens."""
    return any(map(ne, columns.skus, map(_sku, keys)))


def _as_called(columns: Columns, keys: Sequence[Key], held: _Held) -> _Held:
    """Return the entries with the caller's spellings."""
    entries = [
        entry if sku == key.sku else entry.spelled(sku)
        for sku, key, entry in zip(columns.skus, keys, held.entries, strict=True)
    ]
    return held._replace(entries=entries)
