"""All documents of the environment, as sets that OData reads and writes.

Each write happens whole or not at all, and `transaction` makes one of several. The dials
rename fields, make others mandatory, and say how is rounded; what is stored keeps its own names.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.bodies import read_members
from pricing_proxy.sandbox.documents.credits import Credits
from pricing_proxy.sandbox.documents.customers import CustomerBook
from pricing_proxy.sandbox.documents.demand import Demand
from pricing_proxy.sandbox.documents.fulfilment import Fulfilment
from pricing_proxy.sandbox.documents.invoicing import Invoicing
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.open_lines import OpenLines
from pricing_proxy.sandbox.documents.orders import SalesOrderBook
from pricing_proxy.sandbox.documents.posted import Posted
from pricing_proxy.sandbox.documents.promises import Promises
from pricing_proxy.sandbox.documents.refusals import mandatory
from pricing_proxy.sandbox.documents.returns import ReturnBook
from pricing_proxy.sandbox.documents.rows import DocumentRow, DocumentTable, UndoLog
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS, DocumentSet
from pricing_proxy.sandbox.documents.shown import Ordered, ReadTable, Shown
from pricing_proxy.sandbox.documents.slip_changes import SlipChanges
from pricing_proxy.sandbox.master_rows import DEFAULT_COMPANY
from pricing_proxy.sandbox.odata_query import (
    COMPANY_FIELD,
    Page,
    Source,
    asked_fields,
    is_visible,
    key_values,
    output,
    query_page,
    refuse_unknown,
)
from pricing_proxy.sandbox.row_values import Row
from pricing_proxy.sandbox.stock.ledger import StockLedger

WRITE_NAMES: Mapping[str, str] = {
    "SalesOrderHeadersV3": "order_header",
    "SalesOrderHeadersV4": "order_header",
    "SalesOrderLines": "order_line",
    "SalesOrderLinesV3": "order_line",
    "CustomersV3": "customer",
    "CustomerPostalAddresses": "customer_address",
    "ContactPersons": "contact",
    "ReturnOrderHeadersV2": "return_header",
    "ReturnOrderLinesV2": "return_line",
}
"""Under which name calls to a set are counted, followed by what is done."""

_FIRST_ORDER = 697
_LABELS = {
    "OrderingCustomerAccountNumber": "Customer account",
    "ItemNumber": "Item number",
    "SalesOrderNumber": "Sales order",
    "OrderedSalesQuantity": "Quantity",
    "CustomerGroupId": "Customer group",
    "SalesCurrencyCode": "Currency",
    "CustomerAccountNumber": "Customer account",
    "AssociatedPartyNumber": "Party ID",
    "ReturnOrderNumber": "Return order",
    "ReturnSalesQuantity": "Quantity",
}


@dataclass(frozen=True, slots=True)
class _Family:
    """What is done to the rows of a set, whichever version of it is used."""

    table: DocumentTable
    create: Callable[[Mapping[str, Any]], DocumentRow]
    change: Callable[[DocumentRow, Mapping[str, Any]], DocumentRow]
    remove: Callable[[DocumentRow], None]


class Documents:
    """The document sets.

    Attributes:
        stock: What is on hand, and who wants it.
        orders: The sales orders.
        fulfilment: What a warehouse does with them.
        slip_changes: What becomes of packing slips.
        invoicing: Invoices of orders.
        promises: Confirmations of orders.
        credits: Credit notes.
        customers: The customers, with addresses and contacts.
        returns: The return orders.
        posted: What postings left behind.
    """

    def __init__(self, book: Book, dials: Dials, *, clock: Clock, page_size: int) -> None:
        self._dials = dials
        self._page_size = page_size
        self._undo = UndoLog(clock.utc)
        self._ordered = Ordered()
        numbers = NumberSequence(_FIRST_ORDER)
        self.stock = StockLedger()
        self.stock.remember = self._undo.add
        self.orders = SalesOrderBook(
            book,
            dials,
            clock=clock,
            numbers=numbers,
            demand=Demand(book, self.stock),
            undo=self._undo,
        )
        self.customers = CustomerBook(book, clock=clock, undo=self._undo)
        self.returns = ReturnBook(book, dials, self.orders, numbers=numbers, undo=self._undo)
        self.posted = Posted(self.orders, self.returns, company=book.company, undo=self._undo)
        lines = OpenLines(self.orders, self.stock, undo=self._undo)
        self.fulfilment = Fulfilment(lines, self.posted, clock=clock)
        self.slip_changes = SlipChanges(lines, self.posted)
        self.invoicing = Invoicing(lines, self.posted, dials, clock=clock)
        self.promises = Promises(lines, self.posted, today=self.invoicing.today)
        self.credits = Credits(lines, self.posted, self.returns, self.invoicing)
        self._families = self._all_families()

    def named(self, name: str) -> DocumentSet | None:
        """Return a set by its name, which compares with case; None for another's."""
        return DOCUMENT_SETS.get(name)

    def transaction(self) -> AbstractContextManager[None]:
        """Make one write of all that the block writes."""
        return self._undo.transaction()

    def page(self, named: DocumentSet, query: Mapping[str, str]) -> Page:
        """Return one page of rows; raises `BadQueryError`."""
        return query_page(self._source(named), query, page_size=self._page_size)

    def row(self, named: DocumentSet, key: str, query: Mapping[str, str]) -> Row | None:
        """Return one row's asked fields, or None; raises `BadQueryError`."""
        refuse_unknown(query)
        shown = self._shown(named)
        fields = asked_fields(query, shown.sample)
        row = self.find(named, key, query)
        return None if row is None else output(shown.view(row), fields)

    def find(self, named: DocumentSet, key: str, query: Mapping[str, str]) -> DocumentRow | None:
        """Return the row under a key such as `dataAreaId='demf',SalesOrderNumber='7'`, or None."""
        values = key_values(named.name, named.key, key)
        row = self._table(named).get(*values)
        return row if row is not None and is_visible(row, query) else None

    def create(self, named: DocumentSet, members: Mapping[str, Any]) -> Row:
        """Add a row and return it with all its fields; raises `Refusal`."""
        shown = self._shown(named)
        values = read_members(named, members, real_names=shown.real_names)
        values[COMPANY_FIELD] = values.get(COMPANY_FIELD, DEFAULT_COMPANY).lower()
        self._require(named, values)
        with self._undo.transaction():
            row = self._families[named.name].create(values)
        return output(shown.view(row), tuple(shown.sample))

    def change(self, named: DocumentSet, row: DocumentRow, members: Mapping[str, Any]) -> None:
        """Change the named fields of a row; raises `Refusal`."""
        shown = self._shown(named)
        values = read_members(named, members, real_names=shown.real_names)
        # A key that is named again says nothing; F&O ignores another one in the body.
        changes = {name: value for name, value in values.items() if name not in named.key}
        with self._undo.transaction():
            self._families[named.name].change(row, changes)

    def remove(self, named: DocumentSet, row: DocumentRow) -> None:
        """Delete a row; raises `Refusal`."""
        with self._undo.transaction():
            self._families[named.name].remove(row)

    def mandatory_fields(self, named: DocumentSet) -> tuple[str, ...]:
        """Return what a new row must have now."""
        told = (text.partition(".") for text in self._dials.mandatory_fields)
        return (*named.mandatory, *(field for name, _, field in told if name == named.name))

    def new_names(self, named: DocumentSet) -> dict[str, str]:
        """Return the new names of renamed fields by their own."""
        told = ((old.partition("."), new) for old, new in self._dials.rename_fields.items())
        return {
            field: new
            for (name, _, field), new in told
            if name == named.name and field in named.types
        }

    def _require(self, named: DocumentSet, values: Mapping[str, Any]) -> None:
        for field in self.mandatory_fields(named):
            if values.get(field) in (None, ""):
                label = _LABELS.get(field) or self.new_names(named).get(field, field)
                raise mandatory(named.aot_entity, label)

    def _source(self, named: DocumentSet) -> Source:
        return self._ordered.source(named, self._table(named), self._shown(named))

    def _shown(self, named: DocumentSet) -> Shown:
        return Shown(named, self.new_names(named))

    def _table(self, named: DocumentSet) -> ReadTable:
        posted = self.posted.tables.get(named.name)
        return self._families[named.name].table if posted is None else posted

    def _all_families(self) -> dict[str, _Family]:
        orders = self.orders
        customers, returns = self.customers, self.returns
        families = {
            "order_header": _Family(
                orders.headers, orders.create_header, orders.change_header, orders.remove_header
            ),
            "order_line": _Family(
                orders.lines, orders.create_line, orders.change_line, orders.remove_line
            ),
            "customer": _Family(
                customers.customers,
                customers.create_customer,
                customers.change_customer,
                customers.remove_customer,
            ),
            "customer_address": _Family(
                customers.addresses,
                customers.create_address,
                customers.change_address,
                customers.addresses.remove,
            ),
            "contact": _Family(
                customers.contacts,
                customers.create_contact,
                customers.change_contact,
                customers.contacts.remove,
            ),
            "return_header": _Family(
                returns.headers, returns.create_header, returns.change_header, returns.remove_header
            ),
            "return_line": _Family(
                returns.lines, returns.create_line, returns.change_line, returns.remove_line
            ),
        }
        return {name: families[family] for name, family in WRITE_NAMES.items()}
