"""The simulated shop as order status writes to it, in process and without HTTP."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.sandbox.shop.shipments import add_track, ship
from sync.magento.shipment_models import Shipment
from sync.magento.shipments import Parcel
from tests.fakes.late_shop import LateShop


class ShippingShop(LateShop):
    """Plays `ShopShipments`."""

    async def shipments_of(self, order_id: int) -> list[Shipment]:
        await self._before("shipments")
        return self.all_of(order_id)

    def all_of(self, order_id: int) -> list[Shipment]:
        """Return what is there."""
        rows = [each for each in self._shop.shipments.values() if each["order_id"] == order_id]
        return [Shipment.model_validate(row) for row in rows]

    async def ship(
        self,
        order_id: int,
        quantities: Mapping[int, Decimal],
        *,
        mark: str,
        source: str,
        guard: Guard | None = None,
    ) -> str:
        body: dict[str, Any] = {
            "items": [{"order_item_id": item, "qty": each} for item, each in quantities.items()],
            "comment": {"comment": mark, "is_visible_on_front": 0},
        }
        if source:
            body["arguments"] = {"extension_attributes": {"source_code": source}}
        return str(await self._written("ship", lambda: ship(self._shop, order_id, body), guard))

    async def add_comment(self, shipment: int, text: str, *, guard: Guard | None = None) -> None:
        def add() -> None:
            self._shop.shipments[shipment]["comments"].append({"comment": text})

        await self._written("comment", add, guard)

    async def add_track(
        self, shipment: int, order_id: int, parcel: Parcel, *, guard: Guard | None = None
    ) -> None:
        entity = {
            "order_id": order_id,
            "parent_id": shipment,
            "track_number": parcel.number,
            "title": parcel.title,
            "carrier_code": parcel.carrier,
        }
        await self._written("track", lambda: add_track(self._shop, {"entity": entity}), guard)
