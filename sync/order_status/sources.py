"""What a source of the shop must hold before a shipment leaves it.

Magento refuses a shipment of more than its source holds, and a late slip finds a source that
stock has long lowered. So it is raised to what ships, which the shipment takes off again at once.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.reserving_models import ReservingOrder
from sync.magento.source_items import SourceQuantity
from sync.magento.stock_ports import ShopSources, SkusById
from sync.mirror.keys import folded
from sync.order_status.mapping import Quantities, stock_of
from sync.papers.refused import held_if_refused

RAISE = "raise a source"
_SHOP = "magento"
_REFUSED_ADVICE = "correct it in the shop and replay; or ship by hand there and replay"


class Sources:
    """The sources of one shop.

    Args:
        shop: What they hold.
        skus: Its SKUs.
    """

    def __init__(self, shop: ShopSources, skus: SkusById) -> None:
        self._shop = shop
        self._skus = skus

    async def skus_of(self, order: ReservingOrder, quantities: Quantities) -> Mapping[str, Decimal]:
        """Return what leaves a source when rows of an order are shipped, by SKU."""
        rows = {row.item_id: row for row in order.items}
        leaves = stock_of(order, quantities)
        ids = {each for item in leaves if (each := rows[item].product_id) is not None}
        names = await self._skus.skus_by_id(sorted(ids))
        found: dict[str, Decimal] = {}
        for item, quantity in leaves.items():
            sku = names.get(rows[item].product_id or 0)
            # A product that the shop deleted has no stock any more.
            if sku is not None:
                found[sku] = found.get(sku, Decimal(0)) + quantity
        return found

    async def raise_to(
        self, work: Work, order: ReservingOrder, quantities: Quantities, *, source: str
    ) -> None:
        """Have a source hold at least what is to leave it."""
        if not source:
            return
        needed = await self.skus_of(order, quantities)
        held = {
            folded(item.sku): item.quantity
            for item in await self._shop.source_items(sorted(needed), sources=[source])
        }
        missing = [
            SourceQuantity(sku, source, quantity)
            for sku, quantity in sorted(needed.items())
            if held.get(folded(sku), Decimal(0)) < quantity
        ]
        if missing:
            await self._send(work, missing)

    async def _send(self, work: Work, missing: Sequence[SourceQuantity]) -> None:
        request = {
            "source": missing[0].source,
            "items": {each.sku: str(each.quantity) for each in missing},
        }

        async def send(*, guard: Guard) -> None:
            await self._shop.write_source_items(missing, guard=guard)

        what = f"raise source {missing[0].source}"
        with held_if_refused(work, "source_code", what, advice=_REFUSED_ADVICE):
            await written(work, _SHOP, RAISE, request, send)
