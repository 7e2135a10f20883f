"""Sales orders in F&O, written so that a look-up always finds what was sent.

A header carries the shop's order number in the reference field, and is created with
processing stopped; `release` clears the stop once all lines are in. So a header that
was created twice, or half, harms nobody while it is stopped.

Writes are sent once per call: see `documents` for what an error leaves in doubt.
"""

from collections.abc import Collection, Iterable, Mapping

from pricing_proxy.d365.fo.bodies import FieldValue, wire_members
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderBody,
    SalesOrderHeaderRow,
    SalesOrderLineBody,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
    header_row,
)
from pricing_proxy.d365.odata import EnumMember, Filter, equals, fitting, is_one_of
from pricing_proxy.http_exchange import Guard

REFERENCE_FIELD = "CustomersOrderReference"
STOP_FIELD = "IsSalesProcessingStopped"
_HEADERS = SalesOrderHeaderRow.entity_set
_LINES = SalesOrderLineRow.entity_set
_NUMBER = "SalesOrderNumber"
# IIS takes 2,048 characters of query; the names of the set take 500 of them.
_FILTER_LENGTH = 1_300


class SalesOrders:
    """Reads and writes the sales orders of one environment."""

    def __init__(
        self,
        calls: DocumentCalls,
        *,
        reference_field: str = REFERENCE_FIELD,
        more_fields: Iterable[str] = (),
    ) -> None:
        """Take the way to the environment.

        Args:
            calls: Carries reads and writes.
            reference_field: The header field that holds the shop's order number; a field of the
                customer's own is fine.
            more_fields: Further header fields that are read, of the customer's own too.
        """
        self._calls = calls
        self._row = header_row(more_fields)
        self._reference_field = reference_field

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference, the lowest number first."""
        rows = await self._calls.find(
            self._row,
            self._reference_field,
            reference,
            company=company,
        )
        return sorted(rows, key=lambda row: (len(row.SalesOrderNumber), row.SalesOrderNumber))

    async def find_any(
        self, company: str, references: Collection[str]
    ) -> list[SalesOrderHeaderRow]:
        """Return all headers with one of these references; theirs is the shop's, as in `stopped`.

        One with a `*` is a wildcard to the ERP and is looked for by itself, see `find`.
        """
        plain = sorted(each for each in references if each and "*" not in each)
        return [
            row
            for some in fitting(self._reference_field, plain, longest=_FILTER_LENGTH)
            for row in await self._headers(is_one_of(self._reference_field, some), company)
        ]

    async def numbered(self, company: str, numbers: Collection[str]) -> list[SalesOrderHeaderRow]:
        """Return the headers of these numbers; their reference is the shop's, as in `stopped`."""
        return [
            row
            for some in fitting(_NUMBER, sorted(numbers), longest=_FILTER_LENGTH)
            for row in await self._headers(is_one_of(_NUMBER, some), company)
        ]

    async def stopped(self, company: str) -> list[SalesOrderHeaderRow]:
        """Return the open headers whose processing is stopped, whoever stopped them.

        Their `CustomersOrderReference` is the shop's, whichever field holds that.
        """
        where = equals(STOP_FIELD, EnumMember("NoYes", "Yes")) & equals(
            "SalesOrderStatus", EnumMember("SalesStatus", "Backorder")
        )
        return await self._headers(where, company)

    async def totals(self, company: str, number: str) -> SalesOrderTotalsRow | None:
        """Return what the ERP computes of an order, None when there is none."""
        rows = await self._calls.find(SalesOrderTotalsRow, _NUMBER, number, company=company)
        return rows[0] if rows else None

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        """Return an order's lines by their line numbers."""
        rows = await self._calls.rows(
            SalesOrderLineRow,
            equals(_NUMBER, number),
            company=company,
        )
        return sorted(rows, key=lambda row: row.LineNumber.value)

    async def create_header(
        self,
        company: str,
        body: SalesOrderHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> str:
        """Create a stopped header and return its number.

        Args:
            company: The legal entity.
            body: What the order says.
            reference: The shop's order number.
            guard: Asked last before the wire.
        """
        members = {
            "dataAreaId": company,
            **body.members(),
            self._reference_field: reference,
            STOP_FIELD: "Yes",
        }
        created = await self._calls.create(
            _HEADERS, members, name="order_header_create", guard=guard
        )
        return created.text(_NUMBER)

    async def add_line(
        self,
        company: str,
        number: str,
        body: SalesOrderLineBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        """Add a line to an order and return its inventory lot id."""
        members = {**_key(company, number), **body.members()}
        created = await self._calls.create(_LINES, members, name="order_line_create", guard=guard)
        return created.text("InventoryLotId")

    async def change_line(
        self,
        company: str,
        lot: str,
        changes: Mapping[str, FieldValue],
        *,
        guard: Guard | None = None,
    ) -> None:
        """Change fields of a line; the ERP refuses what is delivered."""
        await self._calls.update(
            _LINES,
            _line_key(company, lot),
            wire_members(changes),
            name="order_line_update",
            guard=guard,
        )

    async def delete_line(self, company: str, lot: str, *, guard: Guard | None = None) -> None:
        """Delete a line; the ERP refuses once anything of it is posted."""
        await self._calls.delete(
            _LINES, _line_key(company, lot), name="order_line_delete", guard=guard
        )

    async def patch_header(
        self,
        company: str,
        number: str,
        changes: Mapping[str, FieldValue],
        *,
        guard: Guard | None = None,
    ) -> None:
        """Change fields of a header."""
        await self._calls.update(
            _HEADERS,
            _key(company, number),
            wire_members(changes),
            name="order_header_update",
            guard=guard,
        )

    async def release(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Let the ERP process an order."""
        await self.patch_header(company, number, {STOP_FIELD: False}, guard=guard)

    async def stop(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Keep the ERP from processing an order."""
        await self.patch_header(company, number, {STOP_FIELD: True}, guard=guard)

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Delete an order with its lines; the ERP refuses once anything is posted."""
        await self._calls.delete(
            _HEADERS, _key(company, number), name="order_header_delete", guard=guard
        )

    async def _headers(self, where: Filter, company: str) -> list[SalesOrderHeaderRow]:
        return await self._calls.rows(
            SalesOrderHeaderRow,
            where,
            company=company,
            read_from={REFERENCE_FIELD: self._reference_field},
        )


def _key(company: str, number: str) -> dict[str, str]:
    return {"dataAreaId": company, _NUMBER: number}


def _line_key(company: str, lot: str) -> dict[str, str]:
    return {"dataAreaId": company, "InventoryLotId": lot}
