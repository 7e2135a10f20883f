"""What a packing slip is called, and how a shipment of the shop says that it is one's. Pure.

Slips of several orders may share a number, and one order may have the same number on two days:
a slip is its company, order, number and day. What a slip delivered out of several warehouses
becomes one shipment for each source, so the mark names that too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pricing_proxy.names import same_name_key
from sync.magento.shipment_models import Shipment


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipKey:
    """One packing slip of one order.

    Attributes:
        company: The ERP's company.
        order: The ERP's number of the order.
        number: Its own.
        day: Its date of delivery.
    """

    company: str
    order: str
    number: str
    day: date

    @property
    def text(self) -> str:
        """The whole of it, as one text."""
        return f"{self.company}/{self.order}/{self.number}/{self.day.isoformat()}"

    def mark(self, source: str) -> str:
        """Return what stands on the shipment of what left one source."""
        return f"{self.text}/{source}"


def marked(shipments: Iterable[Shipment], mark: str) -> Shipment | None:
    """Return the shipment that has a mark, the oldest of several."""
    key = same_name_key(mark)
    for shipment in shipments:
        if any(same_name_key(each.comment) == key for each in shipment.comments):
            return shipment
    return None


def shipments_of_slip(shipments: Iterable[Shipment], slip: SlipKey) -> list[Shipment]:
    """Return the shipments that are a slip's, of whatever source."""
    begins = same_name_key(slip.mark(""))
    return [
        shipment
        for shipment in shipments
        if any(same_name_key(each.comment).startswith(begins) for each in shipment.comments)
    ]


def is_ours(shipment: Shipment, company: str) -> bool:
    """Return whether a shipment has a mark of any slip of the company."""
    begins = same_name_key(f"{company}/")
    return any(
        same_name_key(each.comment).startswith(begins) and each.comment.count("/") >= _SLASHES
        for each in shipment.comments
    )


# Between the five parts of a mark.
_SLASHES = 4
