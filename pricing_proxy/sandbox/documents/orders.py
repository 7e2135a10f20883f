"""The rules of sales orders: what a header and a line must have, and what they are given.

Defaults fill only what the body left out. A header needs a customer that may be sold to;
a line needs an order, an item that is sold, its product dimensions and a site.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import ONE, Book, Item, fold
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.amounts import Totals, line_amount, order_totals
from pricing_proxy.sandbox.documents.countries import check_country
from pricing_proxy.sandbox.documents.demand import LINE_AOT, METHOD, Demand
from pricing_proxy.sandbox.documents.line_defaults import FROM_HEADER, SERVICE_ITEMS
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.refusals import (
    duplicate,
    header_refused,
    line_refused,
    missing_dimension,
    not_found,
)
from pricing_proxy.sandbox.documents.rows import DocumentRow, DocumentTable, UndoLog
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.stock.places import DEFAULT_WAREHOUSE

HEADER_AOT = "SalesOrderHeaderV3Entity"
# Accounts on hold of these kinds may still be sold to.
_OPEN_HOLDS = ("No", "Never")
# Released, but not yet set up to the end: such an item has no default site.
_WITHOUT_SITE = "NEW"
_DEFAULT_SITE = "1"


def _is_stopped(header: DocumentRow) -> bool:
    return bool(header["IsSalesProcessingStopped"] == "Yes")


def _fields_of(*names: str) -> dict[str, Any]:
    return {field: value for name in names for field, value in DOCUMENT_SETS[name].empty.items()}


class SalesOrderBook:
    """The sales orders of the environment.

    Attributes:
        headers: By company and number.
        lines: By company and lot.
    """

    def __init__(
        self,
        book: Book,
        dials: Dials,
        *,
        clock: Clock,
        numbers: NumberSequence,
        demand: Demand,
        undo: UndoLog,
    ) -> None:
        self.headers = DocumentTable(
            key=("dataAreaId", "SalesOrderNumber"),
            indexed=("SalesOrderNumber", "CustomersOrderReference"),
            undo=undo,
        )
        self.lines = DocumentTable(
            key=("dataAreaId", "InventoryLotId"),
            indexed=("SalesOrderNumber", "InventoryLotId"),
            undo=undo,
        )
        self._book = book
        self._dials = dials
        self._clock = clock
        self._numbers = numbers
        self._demand = demand
        self._lots = NumberSequence(11001)
        self._empty_header = _fields_of("SalesOrderHeadersV4", "SalesOrderHeadersV3")
        self._empty_line = _fields_of("SalesOrderLines", "SalesOrderLinesV3")
        self._computed = {
            "OrderTotalAmount": lambda row: self._totals(row).amount,
            "OrderTotalTaxAmount": lambda row: self._totals(row).tax,
            "OrderTotalDiscountAmount": lambda row: self._totals(row).discount,
        }

    def create_header(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add a header; raises `Refusal`."""
        customer = self._customer(values["dataAreaId"], values["OrderingCustomerAccountNumber"])
        row = DocumentRow(
            {
                "SalesOrderNumber": "",
                "InvoiceCustomerAccountNumber": values["OrderingCustomerAccountNumber"],
                "CurrencyCode": customer["SalesCurrencyCode"],
                "LanguageId": customer["LanguageId"],
                "SalesOrderName": customer["OrganizationName"],
                **values,
                "SalesOrderStatus": "Backorder",
                "SalesOrderProcessingStatus": "Active",
                "AreTotalsCalculated": "Yes",
                "OrderCreationDateTime": f"{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}",
            },
            empty=self._empty_header,
            computed=self._computed,
        )
        row["SalesOrderNumber"] = row["SalesOrderNumber"] or self._numbers.next()
        self._check_header(row)
        if self.headers.get(row["dataAreaId"], row["SalesOrderNumber"]) is not None:
            raise duplicate("Sales orders (SalesTable)", f"Sales order: {row['SalesOrderNumber']}")
        self.headers.put(row)
        return row

    def change_header(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change a header; raises `Refusal`."""
        changed = row.changed(values)
        self._check_header(changed)
        self.headers.put(changed)
        if _is_stopped(row) and not _is_stopped(changed):
            for line in self.lines_of(changed):
                self._demand.exploded(line)
        return changed

    def remove_header(self, row: DocumentRow) -> None:
        """Delete an order with its lines; raises `Refusal` once anything is posted."""
        if row["SalesOrderProcessingStatus"] != "Active":
            raise header_refused(HEADER_AOT, "The sales order has posted documents.")
        for line in self.lines_of(row):
            self.remove_line(line)
        self.headers.remove(row)

    def create_line(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add a line; raises `Refusal`."""
        header = self._header(values)
        item = self._item(values)
        position = 1 + max(
            (line["LineCreationSequenceNumber"] for line in self.lines_of(header)), default=0
        )
        row = DocumentRow(
            {
                **{
                    name: header[theirs] for theirs, name in FROM_HEADER.items() if theirs in header
                },
                **self._item_defaults(item),
                METHOD: header.get(METHOD, self._dials.reservation),
                "LineNumber": Decimal(position),
                **values,
                "InventoryLotId": self._lots.next(),
                "LineCreationSequenceNumber": position,
                "SalesOrderLineStatus": "Backorder",
            },
            empty=self._empty_line,
            computed={},
        )
        if not row["ShippingSiteId"] and not fold(item.number).startswith(fold(_WITHOUT_SITE)):
            row["ShippingSiteId"] = _DEFAULT_SITE
        if row["ShippingSiteId"]:
            row["ShippingWarehouseId"] = row["ShippingWarehouseId"] or DEFAULT_WAREHOUSE
        self._check_line(row, item)
        row["LineAmount"] = line_amount(row)
        self.lines.put(row)
        self._demand.entered(row)
        return row

    def change_line(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change a line; raises `Refusal`."""
        changed = row.changed(values)
        self._check_line(changed, self._item(changed))
        changed["LineAmount"] = line_amount(changed)
        self.lines.put(changed)
        self._demand.changed(changed)
        return changed

    def remove_line(self, row: DocumentRow) -> None:
        """Delete a line; raises `Refusal` once anything of it is picked or shipped."""
        self._demand.removed(row)
        self.lines.remove(row)

    def lines_of(self, header: Mapping[str, Any]) -> list[DocumentRow]:
        """Return an order's lines by their numbers."""
        company = fold(header["dataAreaId"])
        lines = self.lines.having("SalesOrderNumber", header["SalesOrderNumber"])
        mine = (line for line in lines if fold(line["dataAreaId"]) == company)
        return sorted(mine, key=lambda line: (line["LineNumber"], line["InventoryLotId"]))

    def empty_header(self) -> DocumentRow:
        """Return a header of which nothing is set; it is in no table."""
        return DocumentRow({}, empty=self._empty_header, computed={})

    def empty_line(self) -> DocumentRow:
        """Return a line of which nothing is set; it is in no table."""
        return DocumentRow({}, empty=self._empty_line, computed={})

    def told(self) -> list[dict[str, Any]]:
        """Return every order with its lines, as judges read them: only what was set."""
        return [
            {
                "company": header["dataAreaId"],
                "number": header["SalesOrderNumber"],
                "reference": header["CustomersOrderReference"],
                "customer": header["OrderingCustomerAccountNumber"],
                "is_stopped": _is_stopped(header),
                "total": header["OrderTotalAmount"],
                "header": header,
                "lines": self.lines_of(header),
            }
            for header in self.headers
        ]

    def _totals(self, row: DocumentRow) -> Totals:
        included = row["ArePricesIncludingSalesTax"] == "Yes"
        rounding = self._dials.tax_rounding
        return order_totals(self.lines_of(row), tax_included=included, rounding=rounding)

    def _check_header(self, row: DocumentRow) -> None:
        for field in ("OrderingCustomerAccountNumber", "InvoiceCustomerAccountNumber"):
            self._customer(row["dataAreaId"], row[field])
        if row["CurrencyCode"] not in (self._book.currency, *self._book.rates):
            raise not_found(HEADER_AOT, row["CurrencyCode"], "Currency", "Currencies")
        check_country(row, prefix="DeliveryAddress", aot_entity=HEADER_AOT)

    def _check_line(self, row: DocumentRow, item: Item) -> None:
        if row["OrderedSalesQuantity"] == 0:
            raise line_refused(LINE_AOT, "Field 'Quantity' must be filled in.")
        if row["SalesUnitSymbol"] not in self._book.units:
            raise not_found(LINE_AOT, row["SalesUnitSymbol"], "Unit", "Units")
        if item.is_master:
            self._check_variant(row, item)
        if not row["ShippingSiteId"]:
            raise missing_dimension(LINE_AOT, "Site")

    def _check_variant(self, row: DocumentRow, item: Item) -> None:
        chosen = (row["ProductColorId"], row["ProductSizeId"])
        for dimension, value in zip(("Color", "Size"), chosen, strict=True):
            if not value:
                raise missing_dimension(LINE_AOT, dimension)
        if not any(
            (variant.dimensions.color, variant.dimensions.size) == chosen
            for variant in self._book.variants.values()
            if variant.item == item.number
        ):
            text = f"Product variant {item.number} : {' : '.join(chosen)} is not released."
            raise line_refused(LINE_AOT, text)

    def _customer(self, company: str, account: str) -> Mapping[str, Any]:
        customer = self._book.customers.get(fold(account))
        if customer is None or fold(company) != fold(self._book.company):
            raise not_found(HEADER_AOT, account, "Customer account", "Customers")
        if customer.hold not in _OPEN_HOLDS:
            raise header_refused(HEADER_AOT, f"Customer {customer.account} is blocked.")
        return {
            "SalesCurrencyCode": customer.currency,
            "LanguageId": "de",
            "OrganizationName": customer.name,
        }

    def _header(self, values: Mapping[str, Any]) -> DocumentRow:
        header = self.headers.get(values["dataAreaId"], values["SalesOrderNumber"])
        if header is None:
            raise not_found(LINE_AOT, values["SalesOrderNumber"], "Sales order", "Sales orders")
        return header

    def _item(self, values: Mapping[str, Any]) -> Item:
        number = fold(values["ItemNumber"])
        item = self._book.items.get(number) or SERVICE_ITEMS.get(number)
        if item is None:
            raise not_found(LINE_AOT, values["ItemNumber"], "Item number", "Released products")
        if item.is_stopped:
            raise line_refused(LINE_AOT, f"Item '{item.number}' is blocked for 'Sales order'.")
        return item

    def _item_defaults(self, item: Item) -> dict[str, Any]:
        return {
            "LineDescription": item.name,
            "SalesUnitSymbol": item.sales_unit,
            "SalesPrice": item.base_price,
            "SalesPriceQuantity": item.price_unit or ONE,
        }
