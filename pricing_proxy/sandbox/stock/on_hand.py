"""The rows of `WarehousesOnHandV2`, made when they are looked at.

250,000 items in three warehouses are 750,000 rows, of which most are never asked for and all
but a few are as they were at the beginning: what is kept of an item is its number. Rows are in
the order of their key; a range of items, or some of them, is found without looking at others.
"""

import base64
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from pricing_proxy.sandbox.book import FIRST_RECORD_ID, NO_DIMENSIONS, Book, Dimensions, fold
from pricing_proxy.sandbox.odata_bounds import Bound
from pricing_proxy.sandbox.odata_query import COMPANY_FIELD, ETAG
from pricing_proxy.sandbox.row_values import Row
from pricing_proxy.sandbox.stock.ledger import StockLedger, warehouses_of
from pricing_proxy.sandbox.stock.places import WAREHOUSES

KEY = (
    "dataAreaId",
    "ItemNumber",
    "ProductColorId",
    "ProductConfigurationId",
    "ProductSizeId",
    "ProductStyleId",
    "ProductVersionId",
    "InventorySiteId",
    "InventoryWarehouseId",
)
_ITEM, _WAREHOUSE = "ItemNumber", "InventoryWarehouseId"


@dataclass(frozen=True, slots=True)
class _Held:
    """An item or variant that can be held."""

    item: str
    name: str
    dimensions: Dimensions
    sku: str


class OnHand:
    """All that is on hand, as a set.

    Args:
        book: Which items there are.
        ledger: What is where.
        change: Makes of a row what is told of it.
    """

    def __init__(
        self, book: Book, ledger: StockLedger, change: Callable[[Row], Row] = lambda row: row
    ) -> None:
        self._change = change
        self._book = book
        self._ledger = ledger
        self._held: list[_Held] = []
        self._items: list[str] = []
        self._made_at = -1
        self._ends: dict[frozenset[str], Sequence[int]] = {}
        self._ends_at = -1

    def rows(self) -> Sequence[Row]:
        """Return every row."""
        return self.narrow({})[0]

    def sample(self) -> Row:
        """Return a row without its tag, for the kinds of its fields."""
        held = _Held("", "", NO_DIMENSIONS, "")
        row = self._row(held, next(iter(WAREHOUSES)))
        return {name: value for name, value in row.items() if name != ETAG}

    def narrow(self, bounds: Mapping[str, Bound]) -> tuple[Sequence[Row], Collection[str]]:
        """Return the rows within bounds of company, item and warehouse."""
        self._refresh()
        company = bounds.get(COMPANY_FIELD)
        if company is not None and not company.admits(fold(self._book.company)):
            return [], bounds.keys()
        warehouses = bounds.get(_WAREHOUSE)
        allowed = frozenset(
            one for one in WAREHOUSES if warehouses is None or warehouses.admits(fold(one))
        )
        item = bounds.get(_ITEM)
        places = [range(len(self._held))] if item is None else item.within(self._items)
        ends = self._ends_of(allowed)
        spans = [(ends[place.start], ends[place.stop]) for place in places]
        return _Rows(self, spans, ends, allowed), (COMPANY_FIELD, _ITEM, _WAREHOUSE)

    def row_at(self, position: int, ends: Sequence[int], allowed: Collection[str]) -> Row:
        """Return the row at a place among those of some warehouses."""
        index = bisect_right(ends, position) - 1
        held = self._held[index]
        warehouse = self._warehouses(held, allowed)[position - ends[index]]
        return self._change(self._row(held, warehouse))

    def _warehouses(self, held: _Held, allowed: Collection[str]) -> list[str]:
        whole = warehouses_of(held.sku, self._ledger.others.get(held.sku, {}))
        return [one for one in whole if one in allowed]

    def _ends_of(self, allowed: frozenset[str]) -> Sequence[int]:
        """Return where each item's rows begin, and where the last one's end."""
        if self._ends_at != self._ledger.structure:
            self._ends_at = self._ledger.structure
            self._ends.clear()
        ends = self._ends.get(allowed)
        if ends is None:
            counted = [0]
            for held in self._held:
                counted.append(counted[-1] + len(self._warehouses(held, allowed)))
            ends = self._ends[allowed] = counted
        return ends

    def _refresh(self) -> None:
        if self._made_at == self._book.assortment:
            return
        self._made_at = self._book.assortment
        self._ends.clear()
        book = self._book
        found = [
            _Held(item.number, item.name, NO_DIMENSIONS, fold(item.number))
            for item in book.items.values()
            if not item.is_master
        ]
        found += [
            _Held(each.item, each.name, each.dimensions, fold(each.number))
            for each in book.variants.values()
        ]
        found.sort(key=_order)
        self._held = found
        self._items = [fold(each.item) for each in found]

    def _row(self, held: _Held, warehouse: str) -> Row:
        place = (held.sku, warehouse)
        balance, dimensions = self._ledger.balance(place), held.dimensions
        return {
            ETAG: _tag(self._ledger.version_of(place)),
            "dataAreaId": self._book.company,
            "ItemNumber": held.item,
            "ProductColorId": dimensions.color,
            "ProductConfigurationId": dimensions.config,
            "ProductSizeId": dimensions.size,
            "ProductStyleId": dimensions.style,
            "ProductVersionId": dimensions.version,
            "InventorySiteId": WAREHOUSES[warehouse].site,
            "InventoryWarehouseId": warehouse,
            "ProductName": held.name,
            "OnHandQuantity": balance.on_hand,
            "ReservedOnHandQuantity": balance.reserved,
            "AvailableOnHandQuantity": balance.available,
            "OrderedQuantity": balance.ordered,
            "ReservedOrderedQuantity": balance.reserved_ordered,
            "AvailableOrderedQuantity": balance.available_ordered,
            "OnOrderQuantity": balance.on_order,
            "TotalAvailableQuantity": balance.available + balance.available_ordered,
            "AreWarehouseManagementProcessesUsed": "No",
        }


class _Rows(Sequence[Row]):
    """Some spans of the rows of some warehouses."""

    def __init__(
        self,
        on_hand: OnHand,
        spans: Sequence[tuple[int, int]],
        ends: Sequence[int],
        allowed: Collection[str],
    ) -> None:
        self._on_hand = on_hand
        self._ends = ends
        self._allowed = allowed
        self._spans = spans
        self._starts: list[int] = []
        length = 0
        for start, end in spans:
            self._starts.append(length)
            length += end - start
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self._length))]
        if not 0 <= index < self._length:
            raise IndexError(index)
        which = bisect_right(self._starts, index) - 1
        position = self._spans[which][0] + index - self._starts[which]
        return self._on_hand.row_at(position, self._ends, self._allowed)


def _order(held: _Held) -> tuple[str, ...]:
    dimensions = held.dimensions
    parts = (
        held.item,
        dimensions.color,
        dimensions.config,
        dimensions.size,
        dimensions.style,
        dimensions.version,
    )
    return tuple(part.casefold() for part in parts)


def _tag(version: int) -> str:
    record = f"'{version + 1},{FIRST_RECORD_ID}'"
    return f'W/"{base64.b64encode(record.encode()).decode()}"'
