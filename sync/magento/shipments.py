"""What the flows ask of Magento's shipments, and what they write of them.

Magento ships what it is asked twice, and of more than is left what is left: whoever writes
looks for what is there first, and reads back afterwards. A write whose end is unclear is
looked up by the caller.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from pricing_proxy.http_exchange import Guard
from sync.magento.calls import V1, Calls
from sync.magento.document_bodies import hidden_comment, item_bodies
from sync.magento.listing import ShopList
from sync.magento.places import ById
from sync.magento.search import Search, equals
from sync.magento.shipment_models import Shipment

_SHIPMENTS = f"{V1}/shipments"
_FIELDS = (
    "items[entity_id,increment_id,order_id,created_at,items[order_item_id,qty],"
    "tracks[track_number,carrier_code,created_at],comments[comment],extension_attributes[source_code]]"
)


class Parcel(NamedTuple):
    """A parcel's number, and who carries it by the shop's code and for people."""

    number: str
    carrier: str
    title: str


class ShipmentCalls:
    """Reads and writes the shipments of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def shipments_of(self, order_id: int) -> list[Shipment]:
        """Return an order's shipments, the oldest first."""
        search = Search(groups=[equals("order_id", order_id)], fields=_FIELDS)
        return await ShopList(self._calls, "shipment", Shipment, _SHIPMENTS, search).whole(ById())

    async def ship(
        self,
        order_id: int,
        quantities: Mapping[int, Decimal],
        *,
        mark: str,
        source: str,
        guard: Guard | None = None,
    ) -> str:
        """Ship lines of an order, and return the shipment's id; the customer is not notified.

        Args:
            order_id: The shop's id of it.
            quantities: By the id of the line that the shop ships.
            mark: A comment that no customer sees.
            source: The code of the source that they leave from; empty for the shop's only one.
            guard: Asked last before the wire.
        """
        body: dict[str, Any] = {
            "items": item_bodies(quantities),
            "notify": False,
            "comment": hidden_comment(mark),
        }
        if source:
            body["arguments"] = {"extension_attributes": {"source_code": source}}
        target = f"{V1}/order/{order_id}/ship"
        answer = await self._calls.write("ship", "POST", target, body, guard=guard)
        return str(answer)

    async def add_comment(self, shipment: int, text: str, *, guard: Guard | None = None) -> None:
        """Write on a shipment what no customer sees."""
        entity = {
            "parent_id": shipment,
            "comment": text,
            "is_visible_on_front": 0,
            "is_customer_notified": 0,
        }
        target = f"{V1}/shipment/{shipment}/comments"
        await self._calls.write(
            "add_shipment_comment", "POST", target, {"entity": entity}, guard=guard
        )

    async def add_track(
        self, shipment: int, order_id: int, parcel: Parcel, *, guard: Guard | None = None
    ) -> None:
        """Add a parcel's number to a shipment."""
        entity = {
            "order_id": order_id,
            "parent_id": shipment,
            "track_number": parcel.number,
            "title": parcel.title,
            "carrier_code": parcel.carrier,
            # Required by the route's schema, and not known of a parcel.
            "qty": 0,
            "weight": 0,
            "description": "",
        }
        target = f"{V1}/shipment/track"
        await self._calls.write("add_track", "POST", target, {"entity": entity}, guard=guard)
