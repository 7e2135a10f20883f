"""How much of each SKU lies at each source: the table of source items.

A row is found by its SKU without case, and keeps the letters in which it was first written.
Rows of unknown SKUs and below zero are kept as gladly as any, and so are those of a product
that is gone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import count, islice
from typing import Any

from pricing_proxy.sandbox.shop.criteria import Criteria, only_values
from pricing_proxy.sandbox.shop.wire import internal_error
from pricing_proxy.shop_names import collated

IN_STOCK, OUT_OF_STOCK = 1, 0
# The column has four decimals.
_STEP = Decimal("0.0001")
_COLUMNS = frozenset({"source_item_id", "sku", "source_code", "quantity", "status"})


@dataclass(slots=True)
class SourceItem:
    """One row."""

    source_item_id: int
    sku: str
    source_code: str
    quantity: Decimal
    status: int

    @property
    def on_sale(self) -> Decimal:
        """What a stock counts of it: nothing when its status says that it is out of stock."""
        return self.quantity if self.status == IN_STOCK else Decimal(0)

    def body(self) -> dict[str, Any]:
        """Return it as the routes show it."""
        return {
            "sku": self.sku,
            "source_code": self.source_code,
            "quantity": self.quantity,
            "status": self.status,
        }

    def read(self, name: str) -> Any:
        """Return a column, which the table has."""
        return getattr(self, name)


class SourceItems:
    """The table; its rows come in the order in which they were first written."""

    def __init__(self) -> None:
        self._by_source: dict[str, dict[str, SourceItem]] = {}
        self._ids = count(1)

    def put(self, sku: str, source: str, quantity: Decimal, status: int) -> None:
        """Write a row."""
        rows = self._by_source.setdefault(source, {})
        key, rounded = collated(sku), quantity.quantize(_STEP, ROUND_HALF_UP)
        known = rows.get(key)
        if known is None:
            rows[key] = SourceItem(next(self._ids), sku, source, rounded, status)
        else:
            known.quantity, known.status = rounded, status

    def fill(self, source: str, skus: Iterable[str], quantity: Decimal) -> None:
        """Write the first rows of a source, which a large shop has very many of."""
        self.stock(source, dict.fromkeys(skus, quantity))

    def stock(self, source: str, quantities: Mapping[str, Decimal]) -> None:
        """Have a source hold these quantities by SKU, and nothing else."""
        self._by_source[source] = {
            collated(sku): SourceItem(next(self._ids), sku, source, quantity, IN_STOCK)
            for sku, quantity in quantities.items()
        }

    def page(self, source: str, *, after: int, most: int) -> list[SourceItem]:
        """Return some rows of a source, in the order in which they were first written."""
        return list(islice(self._by_source.get(source, {}).values(), after, after + most))

    def get(self, sku: str, source: str) -> SourceItem | None:
        """Return a row, if there is one."""
        return self._by_source.get(source, {}).get(collated(sku))

    def of(self, sku: str) -> list[SourceItem]:
        """Return the rows of a SKU."""
        key = collated(sku)
        found = [rows[key] for rows in self._by_source.values() if key in rows]
        return sorted(found, key=lambda row: row.source_item_id)

    def remove(self, sku: str, source: str) -> None:
        """Delete a row; one that is not there is deleted already."""
        self._by_source.get(source, {}).pop(collated(sku), None)

    def check_column(self, name: str) -> None:
        """Raise `RefusedError` where the table has no such column, rows or none."""
        if name not in _COLUMNS:
            raise internal_error()

    def narrowed(self, criteria: Criteria) -> tuple[list[SourceItem], Criteria]:
        """Return the rows that can fit by SKU and source, and what is left to ask of them.

        A page of some SKUs must not look at every row: a large shop has a million.
        """
        sources = list(self._by_source)
        skus: list[str] | None = None
        rest = []
        for group in criteria.groups:
            name, values = only_values(group)
            if name == "sku":
                keys = dict.fromkeys(collated(value) for value in values)
                skus = [key for key in keys if skus is None or key in skus]
            elif name == "source_code":
                sources = [source for source in sources if source in values]
            else:
                rest.append(group)
        found: list[SourceItem] = []
        for source in sources:
            rows = self._by_source[source]
            found += rows.values() if skus is None else [rows[key] for key in skus if key in rows]
        if len(sources) > 1 or skus is not None:
            found.sort(key=lambda row: row.source_item_id)
        return found, replace(criteria, groups=rest)
