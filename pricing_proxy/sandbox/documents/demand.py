"""What an order line wants from stock: told to the ledger whenever a line is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pricing_proxy.sandbox.book import Book, Dimensions, Item, fold
from pricing_proxy.sandbox.documents.refusals import line_refused
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.price_search import conversion_factor
from pricing_proxy.sandbox.stock.ledger import StockLedger, StockRefusedError
from pricing_proxy.sandbox.stock.places import WAREHOUSES, Place

LINE_AOT = "SalesOrderLineV3Entity"
METHOD = "InventoryReservationMethod"
# Quantities of stock have as many digits as F&O keeps of them.
_DIGITS = Decimal("0.000001")


class Demand:
    """The lines of sales orders as demand, in the three ways that F&O reserves for them.

    | method | when something is kept for a line |
    |---|---|
    | None | when a person reserves |
    | Automatic | when the line is created, as far as there is something |
    | Explosion | when its order is released and exploded |

    Services are wanted from nowhere.
    """

    def __init__(self, book: Book, ledger: StockLedger) -> None:
        self._book = book
        self._ledger = ledger

    def entered(self, row: DocumentRow) -> None:
        """Take a new line; raises `Refusal`."""
        item = self._book.items.get(fold(row["ItemNumber"]))
        if item is None:
            return
        self._ledger.enter(row["InventoryLotId"], self._place(row), self._quantity(row, item))
        if row[METHOD] == "Automatic":
            self._ledger.reserve(row["InventoryLotId"])

    def changed(self, row: DocumentRow) -> None:
        """Take a line as it is now; raises `Refusal`."""
        item = self._book.items.get(fold(row["ItemNumber"]))
        lot = row["InventoryLotId"]
        if item is None or lot not in self._ledger.lines:
            return
        with _refusing():
            self._ledger.change(lot, self._place(row), self._quantity(row, item))
        if row[METHOD] == "Automatic":
            self._ledger.reserve(lot)

    def removed(self, row: DocumentRow) -> None:
        """Forget a line; raises `Refusal` once anything of it is picked or shipped."""
        if row["InventoryLotId"] in self._ledger.lines:
            with _refusing():
                self._ledger.remove(row["InventoryLotId"])

    def exploded(self, row: DocumentRow) -> None:
        """Keep what is there for a line whose order is released now."""
        if row[METHOD] == "Explosion" and row["InventoryLotId"] in self._ledger.lines:
            self._ledger.reserve(row["InventoryLotId"])

    def _place(self, row: Mapping[str, Any]) -> Place:
        dimensions = Dimensions(
            color=row["ProductColorId"],
            size=row["ProductSizeId"],
            style=row["ProductStyleId"],
            config=row["ProductConfigurationId"],
            version=row["ProductVersionId"],
        )
        warehouse = row["ShippingWarehouseId"]
        if warehouse not in WAREHOUSES:
            raise line_refused(
                LINE_AOT,
                f"The value '{warehouse}' in field 'Warehouse' is not found in the related table "
                "'Warehouses'.",
            )
        return fold(self._book.sku_of(row["ItemNumber"], dimensions)), warehouse

    def _quantity(self, row: Mapping[str, Any], item: Item) -> Decimal:
        factor = conversion_factor(self._book, item, row["SalesUnitSymbol"], item.inventory_unit)
        if factor is None:
            text = f"No conversion from {row['SalesUnitSymbol']} to {item.inventory_unit}."
            raise line_refused(LINE_AOT, text)
        return scaled(row["OrderedSalesQuantity"], factor)


def scaled(quantity: Decimal, factor: Fraction) -> Decimal:
    """Return a quantity times a factor, with the digits that F&O keeps and no empty ones."""
    product = Decimal(factor.numerator) * quantity / Decimal(factor.denominator)
    whole = product.quantize(_DIGITS)
    return whole.to_integral_value() if whole == whole.to_integral_value() else whole.normalize()


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what the ledger refuses into what F&O answers."""
    try:
        yield
    except StockRefusedError as error:
        raise line_refused(LINE_AOT, str(error)) from error
