"""What happened to an order in the ERP, as its event says it: which paper, never what is on it.

A fact is a hint that is kept: what it means is read from the ERP whenever it is carried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sync.engine.flow import Event
from sync.engine.outcomes import HeldError
from sync.order_status.slips import SlipKey
from sync.order_status.steps import KINDS, Step, step_of

Kind = Literal["slip", "parcel"]
SLIP: Kind = "slip"
PARCEL: Kind = "parcel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened.

    Attributes:
        slip: The packing slip that was posted, or that goes with the parcel.
        parcel: The parcel's number; empty where the slip itself is meant.
        order_id: The shop's id of the order.
        is_gone: Whether the ERP was seen to have the slip no more.
        filed_under: The ERP's order that the parcel's slip is filed under; another one than its
            own where the slip is of several.
    """

    slip: SlipKey
    order_id: int
    parcel: str = ""
    is_gone: bool = False
    filed_under: str = ""

    @property
    def kind(self) -> Kind:
        """Which."""
        return PARCEL if self.parcel else SLIP

    @property
    def key(self) -> str:
        """What tells it from all else that happens to the order."""
        return f"{self.slip.text}/{self.parcel}" if self.parcel else self.slip.text

    @property
    def lane(self) -> str:
        """What of the order it waits for; empty for all its slips.

        Of two slips each must find what the other has shipped; a parcel concerns nobody else.
        """
        return self.key if self.parcel else ""

    @property
    def payload(self) -> dict[str, Any]:
        """What the event keeps."""
        slip = self.slip
        return {
            "entity_id": self.order_id,
            "fact": self.kind,
            "slip": {
                "dataAreaId": slip.company,
                "SalesId": slip.order,
                "PackingSlipId": slip.number,
                "DeliveryDate": slip.day.isoformat(),
            },
            **({"is_gone": True} if self.is_gone else {}),
            **(
                {"TrackingNumber": self.parcel, "SalesOrderNumber": self.filed_under}
                if self.parcel
                else {}
            ),
        }


def fact_of(event: Event) -> Fact | Step:
    """Return what an event tells; raises `HeldError` where somebody's edit says nothing."""
    payload = event.payload
    try:
        order_id = int(event.document_id or payload["entity_id"])
        if payload["fact"] in KINDS:
            return step_of(payload, order_id)
        return Fact(
            slip=slip_of(payload["slip"]),
            order_id=order_id,
            parcel=str(payload["TrackingNumber"]) if payload["fact"] == PARCEL else "",
            is_gone=bool(payload.get("is_gone")),
            filed_under=str(payload.get("SalesOrderNumber", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HeldError(
            field="payload",
            text=f"the event does not say what it is about ({type(error).__name__})",
            advice="give the payload its members back with d365-sync edit, then replay",
        ) from error


def slip_of(members: Mapping[str, str]) -> SlipKey:
    """Return the slip that members of a payload name; raises `KeyError` and `ValueError`."""
    return SlipKey(
        company=members["dataAreaId"],
        order=members["SalesId"],
        number=members["PackingSlipId"],
        day=date.fromisoformat(members["DeliveryDate"]),
    )
