"""Return orders in F&O: found by the shop's number, linked to the lots of the original order.

A return has no field for the shop's line: a line is found again by the lot it returns.
Writes are sent once per call: see `documents` for what an error leaves in doubt.
"""

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.orders import REFERENCE_FIELD
from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)
from pricing_proxy.d365.odata import equals
from pricing_proxy.http_exchange import Guard

_HEADERS = ReturnHeaderRow.entity_set
_NUMBER = "ReturnOrderNumber"


class Returns:
    """Reads and writes the return orders of one environment."""

    def __init__(self, calls: DocumentCalls) -> None:
        self._calls = calls

    async def find(self, company: str, reference: str) -> list[ReturnHeaderRow]:
        """Return all returns with a reference, the lowest number first."""
        rows = await self._calls.find(ReturnHeaderRow, REFERENCE_FIELD, reference, company=company)
        return sorted(rows, key=lambda row: (len(row.ReturnOrderNumber), row.ReturnOrderNumber))

    async def lines(self, company: str, number: str) -> list[ReturnLineRow]:
        """Return the lines of a return."""
        return await self._calls.rows(ReturnLineRow, equals(_NUMBER, number), company=company)

    async def create_header(
        self,
        company: str,
        body: ReturnHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> str:
        """Create a return and return its number."""
        members = {
            "dataAreaId": company,
            **body.members(),
            REFERENCE_FIELD: reference,
        }
        created = await self._calls.create(
            _HEADERS, members, name="return_header_create", guard=guard
        )
        return created.text(_NUMBER)

    async def add_line(
        self,
        company: str,
        number: str,
        body: ReturnLineBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        """Add a line to a return and return its own lot id."""
        members = {"dataAreaId": company, _NUMBER: number, **body.members()}
        created = await self._calls.create(
            ReturnLineRow.entity_set, members, name="return_line_create", guard=guard
        )
        return created.text("ReturnInventoryLotId")

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Delete a return with its lines; the ERP refuses once goods have arrived."""
        key = {"dataAreaId": company, _NUMBER: number}
        await self._calls.delete(_HEADERS, key, name="return_header_delete", guard=guard)
