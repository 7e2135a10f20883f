"""`SalesTableBiEntities` and `SalesLineBiEntities`: orders and returns as their tables hold them.

A return is a sales order of another type: it is here too. Each row has the time at which it was
last written, which no other set of orders tells.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pricing_proxy.sandbox.documents.orders import SalesOrderBook
from pricing_proxy.sandbox.documents.returns import ReturnBook
from pricing_proxy.sandbox.documents.rows import WRITTEN, DocumentRow, DocumentTable
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.documents.shown import ReadTable
from pricing_proxy.sandbox.odata_query import ETAG

_HEADER: Mapping[str, str] = {
    "SalesId": "SalesOrderNumber",
    "CustAccount": "OrderingCustomerAccountNumber",
    "InvoiceAccount": "InvoiceCustomerAccountNumber",
    "CustomerRef": "CustomersOrderReference",
    "PurchOrderFormNum": "CustomerRequisitionNumber",
    "CurrencyCode": "CurrencyCode",
    "LanguageId": "LanguageId",
    "SalesName": "SalesOrderName",
    "SalesOriginId": "SalesOrderOriginCode",
    "DlvMode": "DeliveryModeCode",
    "InventSiteId": "DefaultShippingSiteId",
    "InventLocationId": "DefaultShippingWarehouseId",
    "MCROrderStopped": "IsSalesProcessingStopped",
    "SalesStatus": "SalesOrderStatus",
    "ShippingDateRequested": "RequestedShippingDate",
    "ShippingDateConfirmed": "ConfirmedShippingDate",
    "ReceiptDateRequested": "RequestedReceiptDate",
    "ReceiptDateConfirmed": "ConfirmedReceiptDate",
    "CreatedOn": "OrderCreationDateTime",
}
_LINE: Mapping[str, str] = {
    "SalesId": "SalesOrderNumber",
    "LineCreationSequenceNumber": "LineCreationSequenceNumber",
    "InventTransId": "InventoryLotId",
    "ItemId": "ItemNumber",
    "Name": "LineDescription",
    "LineNum": "LineNumber",
    "SalesQty": "OrderedSalesQuantity",
    "SalesUnit": "SalesUnitSymbol",
    "SalesPrice": "SalesPrice",
    "PriceUnit": "SalesPriceQuantity",
    "LineAmount": "LineAmount",
    "CurrencyCode": "CurrencyCode",
    "SalesStatus": "SalesOrderLineStatus",
    "ShippingDateRequested": "RequestedShippingDate",
    "ShippingDateConfirmed": "ConfirmedShippingDate",
    "ReceiptDateRequested": "RequestedReceiptDate",
    "ReceiptDateConfirmed": "ConfirmedReceiptDate",
    "OverDeliveryPct": "AllowedOverdeliveryPercentage",
    "UnderDeliveryPct": "AllowedUnderdeliveryPercentage",
}
_RETURN: Mapping[str, str] = {
    "SalesId": "ReturnOrderNumber",
    "CustAccount": "CustomerAccountNumber",
    "InvoiceAccount": "InvoiceCustomerAccountNumber",
    "CustomerRef": "CustomersOrderReference",
    "CurrencyCode": "CurrencyCode",
    "LanguageId": "LanguageId",
    "ReturnItemNum": "RMANumber",
    "ReturnStatus": "ReturnStatus",
    "SalesStatus": "ReturnOrderStatus",
    "ReturnReasonCodeId": "CustomerReturnReasonCode",
}
_RETURN_LINE: Mapping[str, str] = {
    "SalesId": "ReturnOrderNumber",
    "InventTransId": "ReturnInventoryLotId",
    "InventTransIdReturn": "ReturningInventoryLotId",
    "ItemId": "ItemNumber",
    "Name": "LineDescription",
    "SalesQty": "ReturnSalesQuantity",
    "ExpectedRetQty": "ReturnSalesQuantity",
    "SalesUnit": "SalesUnitSymbol",
    "SalesPrice": "SalesPrice",
    "LineAmount": "LineAmount",
    "ReturnStatus": "ReturnStatus",
    "ReturnDispositionCodeId": "ReturnDispositionCode",
}
_WRITTEN_AT = "SysModifiedDateTime"
# What postings keep in a row under the names of the tables; sets of documents do not show it.
_OWN = ("DocumentStatus", "RemainSalesPhysical", "RemainSalesFinancial", "QtyOrdered")


def order_views(orders: SalesOrderBook, returns: ReturnBook) -> dict[str, ReadTable]:
    """Return both sets."""
    ordered, returned = {"SalesType": "Sales"}, {"SalesType": "ReturnItem"}
    return {
        "SalesTableBiEntities": _View(
            "SalesTableBiEntities",
            (
                _Part(orders.headers, _HEADER, ordered),
                _Part(returns.headers, _RETURN, returned),
            ),
        ),
        "SalesLineBiEntities": _View(
            "SalesLineBiEntities",
            (
                _Part(orders.lines, _LINE, ordered),
                _Part(returns.lines, _RETURN_LINE, returned, _place_in(returns)),
            ),
        ),
    }


def _place_in(returns: ReturnBook) -> Callable[[DocumentRow], Mapping[str, Any]]:
    def numbered(line: DocumentRow) -> Mapping[str, Any]:
        mine = returns.lines.having("ReturnOrderNumber", line["ReturnOrderNumber"])
        lots = sorted(one["ReturnInventoryLotId"] for one in mine)
        return {"LineCreationSequenceNumber": 1 + lots.index(line["ReturnInventoryLotId"])}

    return numbered


class _Part:
    """Rows of a table under the names of a view."""

    def __init__(
        self,
        table: DocumentTable,
        names: Mapping[str, str],
        told: Mapping[str, Any],
        more: Callable[[DocumentRow], Mapping[str, Any]] = lambda _: {},
    ) -> None:
        self.table = table
        self._names = names
        self._told = told
        self._more = more
        self._made: dict[str, DocumentRow] = {}

    def rows(self, empty: Mapping[str, Any]) -> Iterator[DocumentRow]:
        """Yield all of them."""
        return (self._view(row, empty) for row in self.table)

    def among(
        self, values: Mapping[str, Collection[str]], empty: Mapping[str, Any]
    ) -> list[DocumentRow] | None:
        """Return those that may have one of these values."""
        theirs = {self._names[name]: ones for name, ones in values.items() if name in self._names}
        found = self.table.among(theirs)
        return None if found is None else [self._view(row, empty) for row in found]

    def written_since(self, low: str, empty: Mapping[str, Any]) -> list[DocumentRow] | None:
        """Return those that were written at an instant or later."""
        found = self.table.since(WRITTEN, low)
        return None if found is None else [self._view(row, empty) for row in found]

    def _view(self, row: DocumentRow, empty: Mapping[str, Any]) -> DocumentRow:
        """Return a row of the view, made once of each row of the table."""
        place = "/".join(str(row[field]) for field in self.table.key)
        made = self._made.get(place)
        if made is None or made[ETAG] != row[ETAG]:
            made = self._made[place] = self._make(row, empty)
        return made

    def _make(self, row: DocumentRow, empty: Mapping[str, Any]) -> DocumentRow:
        values = {name: row[theirs] for name, theirs in self._names.items() if theirs in row.empty}
        own = {name: row.get(name) for name in _OWN if name in row}
        return DocumentRow(
            {
                ETAG: row[ETAG],
                "dataAreaId": row["dataAreaId"],
                "SysDataAreaId": row["dataAreaId"],
                _WRITTEN_AT: row.written_at,
                **values,
                **self._told,
                **own,
                **self._more(row),
            },
            empty=empty,
            computed={},
        )


class _View:
    """A set made of several tables."""

    def __init__(self, name: str, parts: Sequence[_Part]) -> None:
        self._key = DOCUMENT_SETS[name].key
        self._empty = DOCUMENT_SETS[name].empty
        self._parts = parts

    @property
    def revision(self) -> int:
        """A number that rises with each change of any row."""
        return sum(part.table.revision for part in self._parts)

    def __iter__(self) -> Iterator[DocumentRow]:
        for part in self._parts:
            yield from part.rows(self._empty)

    def get(self, *key: str) -> DocumentRow | None:
        """Return the row under a key."""
        order = {"SalesId": (key[1].casefold(),)}
        rows = self.among(order) or ()
        return next((row for row in rows if self._folded(row) == key), None)

    def among(self, values: Mapping[str, Collection[str]]) -> list[DocumentRow] | None:
        """Return all rows that may have one of these values."""
        found: list[DocumentRow] = []
        for part in self._parts:
            some = part.among(values, self._empty)
            if some is None:
                return None
            found += some
        return found

    def since(self, field: str, low: str) -> list[DocumentRow] | None:
        """Return the rows that were written at an instant or later."""
        if field != _WRITTEN_AT:
            return None
        found: list[DocumentRow] = []
        for part in self._parts:
            some = part.written_since(low, self._empty)
            if some is None:
                return None
            found += some
        return found

    def _folded(self, row: DocumentRow) -> tuple[str, ...]:
        return tuple(str(row[field]).casefold() for field in self._key)
