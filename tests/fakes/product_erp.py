"""The ERP's sets as a mirror reads them: sorted, in small chunks, odd rows told apart."""

from bisect import bisect_left
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from pricing_proxy.d365.fo.mirror_reads import Chunk, UnreadableRow
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.json_numbers import read_json
from sync.magento.exact_json import exact_json

R = TypeVar("R", bound=Row)

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
COMPANY = "usmf"

_PRODUCT = {
    "ProductType": "Item",
    "ProductSubType": "Product",
    "SalesUnitSymbol": "PCS",
    "InventoryUnitSymbol": "PCS",
    "SalesPrice": 10,
    "SalesPriceQuantity": 1,
    "SalesPriceDate": "1900-01-01T12:00:00Z",
    "FixedSalesPriceCharges": 0,
    "SalesChargesQuantity": 0,
    "IsSalesPriceIncludingCharges": "No",
    "WillTotalSalesDiscountCalculationIncludeProduct": "No",
    "SellStartDate": "1900-01-01T12:00:00Z",
    "SellEndDate": "1900-01-01T12:00:00Z",
    "SalesSalesTaxItemGroupCode": "FULL",
    "NetProductWeight": 1,
    "TareProductWeight": 0,
}


class FakeErpSets:
    """Sets by name; every text that a model wants and a row does not have is empty.

    Attributes:
        read: Which sets were read, one after the other.
    """

    def __init__(self, chunk_rows: int = 3) -> None:
        self.sets: dict[str, list[dict[str, Any]]] = {}
        self.read: list[str] = []
        self._chunk_rows = chunk_rows

    def add(self, entity_set: str, **values: Any) -> dict[str, Any]:
        """Add a row."""
        row = {"dataAreaId": COMPANY, **values}
        self.sets.setdefault(entity_set, []).append(row)
        return row

    def product(self, sku: str, **values: Any) -> dict[str, Any]:
        """Release a product under its own number, with a name."""
        self.name(sku, "en-us", f"Name of {sku}")
        row = {"ItemNumber": sku, "ProductNumber": sku, **_PRODUCT, **values}
        return self.add("ReleasedProductsV2", **row)

    def variant(self, master: str, sku: str, **values: Any) -> dict[str, Any]:
        """Release a variant."""
        row = {"ItemNumber": master, "ProductMasterNumber": master, "ProductVariantNumber": sku}
        return self.add("ReleasedProductVariantsV2", **row, **values)

    def name(self, number: str, language: str, name: str) -> None:
        """Add a translation."""
        self.add("ProductTranslations", ProductNumber=number, LanguageId=language, ProductName=name)

    def settings(self, sku: str, **values: Any) -> None:
        """Add settings of orders."""
        none = dict.fromkeys(
            (
                "MinimumSalesOrderQuantity",
                "MaximumSalesOrderQuantity",
                "SalesQuantityMultiples",
                "StandardSalesOrderQuantity",
            ),
            0,
        )
        row = {"ItemNumber": sku, "IsSalesProcessingStopped": "No", **none, **values}
        self.add("ProductDefaultOrderSettings", **row)

    async def along(
        self, row: type[R], field: str, *, company: str, after: str = ""
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield all rows after a value, in chunks."""
        rows = self._sorted(row, field, company)
        values = [each[field] for each in rows]
        rows = [each for each in rows if each[field] > after]
        while rows:
            end = min(self._chunk_rows, len(rows))
            last = rows[end - 1][field]
            end = len([each for each in rows if each[field] <= last])
            yield self._chunk(row, rows[:end], last)
            rows = rows[end:]
        assert values == sorted(values)

    async def having(
        self, row: type[R], field: str, values: Iterable[str], *, company: str
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield the rows in which a field has one of the values."""
        asked = {value.casefold() for value in values}
        rows = [
            each for each in self._sorted(row, field, company) if each[field].casefold() in asked
        ]
        yield self._chunk(row, rows, "")

    async def between(
        self, row: type[R], field: str, first: str, last: str, *, company: str
    ) -> Chunk[R]:
        """Return a range of rows."""
        rows = self._sorted(row, field, company)
        start = bisect_left([each[field] for each in rows], first)
        return self._chunk(row, [each for each in rows[start:] if each[field] <= last], last)

    async def count(self, row: type[Row], *, company: str) -> int:
        """Return how many rows there are."""
        return len(self._sorted(row, row.key[-1], company))

    def _sorted(self, row: type[Row], field: str, company: str) -> list[dict[str, Any]]:
        assert company == COMPANY
        self.read.append(row.entity_set)
        return sorted(self.sets.get(row.entity_set, ()), key=lambda each: str(each.get(field, "")))

    def _chunk(self, row: type[R], rows: Iterable[Mapping[str, Any]], last: str) -> Chunk[R]:
        fitting: list[R] = []
        unreadable: list[UnreadableRow] = []
        for each in rows:
            whole = {**dict.fromkeys(row.fields()), **each}
            try:
                fitting.append(row.model_validate(read_json(exact_json(whole))))
            except ValidationError as error:
                key = tuple(str(each.get(name, "")) for name in row.key)
                fields = tuple(str(one["loc"][0]) for one in error.errors())
                unreadable.append(UnreadableRow(key=key, fields=fields))
        return Chunk(
            rows=fitting, unreadable=tuple(unreadable), began_at=AT, ended_at=AT, last=last
        )
