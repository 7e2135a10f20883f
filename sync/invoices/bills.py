"""A bill of the ERP as its event says it: which paper, never what is on it.

It is a hint that is kept: what it means is read from the ERP whenever it is carried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sync.engine.flow import Event
from sync.engine.outcomes import HeldError
from sync.sales.bill_marks import BillKey

CREDIT_LANE = "credit"
"""Credit notes of an order wait for each other, and for no invoice that waits behind them."""
_INVOICE, _CREDIT_NOTE = "invoice", "credit note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one invoice or credit note bills of one order.

    Attributes:
        paper: Which.
        order_id: The shop's id of the order.
        is_credit: Whether it is a credit note.
        return_number: The return order that it credits; empty where it credits the order itself.
    """

    paper: BillKey
    order_id: int
    is_credit: bool = False
    return_number: str = ""

    @property
    def key(self) -> str:
        """What tells it from all else that happens to the order."""
        return self.paper.mark

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{_CREDIT_NOTE if self.is_credit else _INVOICE} {self.paper.number}"

    @property
    def filed_under(self) -> str:
        """The order or return whose lines the ERP's paper names."""
        return self.return_number or self.paper.order

    @property
    def payload(self) -> dict[str, Any]:
        """What the event keeps."""
        paper = self.paper
        return {
            "entity_id": self.order_id,
            "fact": _CREDIT_NOTE if self.is_credit else _INVOICE,
            "invoice": {
                "dataAreaId": paper.company,
                "InvoiceNumber": paper.number,
                "InvoiceDate": paper.day.isoformat(),
                "SalesOrderNumber": paper.order,
            },
            **({"ReturnOrderNumber": self.return_number} if self.return_number else {}),
        }


def bill_of(event: Event) -> Bill:
    """Return what an event tells; raises `HeldError` where somebody's edit says nothing."""
    payload = event.payload
    try:
        return Bill(
            paper=_paper(payload["invoice"]),
            order_id=int(event.document_id or payload["entity_id"]),
            is_credit=payload["fact"] == _CREDIT_NOTE,
            return_number=str(payload.get("ReturnOrderNumber", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HeldError(
            field="payload",
            text=f"the event does not say which invoice it is ({type(error).__name__})",
            advice="give the payload its invoice back with d365-sync edit, then replay",
        ) from error


def _paper(members: Mapping[str, str]) -> BillKey:
    return BillKey(
        company=members["dataAreaId"],
        number=members["InvoiceNumber"],
        day=date.fromisoformat(members["InvoiceDate"]),
        order=members["SalesOrderNumber"],
    )
