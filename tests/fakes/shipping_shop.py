"""The simulated shop as order status writes to it, in process and without HTTP.

A write may be late: it was sent, and is done some time later, whoever has stopped waiting.
"""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.sandbox.shop.shipments import add_track, ship
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import RefusedError
from sync.magento.answers import MagentoRejectedError
from sync.magento.fault_messages import ShopFault
from sync.magento.shipment_models import Shipment
from sync.magento.shipments import Parcel

Write = Callable[[], Any]


class ShippingShop:
    """Plays `ShopShipments`.

    Args:
        shop: The sandbox's.
        before: Happens before each read, and may raise.
        send: Does a write of a name, or loses it, or does it later.
    """

    def __init__(
        self,
        shop: Shop,
        *,
        before: Callable[[str], Awaitable[None]],
        send: Callable[[str, Write], Awaitable[Any]],
    ) -> None:
        self._shop = shop
        self._before = before
        self._send = send

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

    async def _written(self, name: str, write: Write, guard: Guard | None) -> Any:
        return await written(self._send, name, write, guard)


async def written(
    send: Callable[[str, Write], Awaitable[Any]], name: str, write: Write, guard: Guard | None
) -> Any:
    """Return what a write answers; raises what the client raises where the shop refuses it."""
    if guard is not None:
        await guard()
    try:
        return await send(name, write)
    except RefusedError as error:
        fault = ShopFault(template=str(error), parameters={})
        raise MagentoRejectedError(
            "refused", system="magento", status=error.status, faults=(fault,)
        ) from error
