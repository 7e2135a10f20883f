"""A parcel's number of the ERP goes on the shipment of its packing slip, once, however late."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError, RetryLaterError
from sync.engine.writes import Doubts, written
from sync.magento.shipments import Parcel
from sync.order_status.facts import Fact
from sync.order_status.ports import ErpSlips, ShopShipments
from sync.order_status.rules import FLOW, Carrier
from sync.order_status.slips import shipments_of_slip
from sync.papers.refused import held_if_refused

ADD = "add a parcel"
_SHOP = "magento"
_REFUSED_ADVICE = "correct it in the shop and replay; or add the number there by hand and replay"
# The slip is on its way; after a while it is one that is held, or that a person skipped and may
# still ship by hand, which takes as long as it takes.
_SOON, _UNSHIPPED = 5, timedelta(minutes=15)


class ParcelCarrier:
    """Carries the parcels of one market.

    Args:
        erp: The market's.
        shipments: The shop's.
        carriers: By what the ERP calls them.
        market: Its code.
    """

    def __init__(
        self,
        erp: ErpSlips,
        *,
        shipments: ShopShipments,
        carriers: Mapping[str, Carrier],
        market: str,
    ) -> None:
        self._erp = erp
        self._shipments = shipments
        self._carriers = {same_name_key(name): each for name, each in carriers.items()}
        self._market = market

    async def carry(self, work: Work, fact: Fact) -> Done:
        """Add a parcel; raises the engine's outcomes and `UpstreamError`."""
        doubts = await Doubts.of(work)
        slip = fact.slip
        shipments = shipments_of_slip(await self._shipments.shipments_of(fact.order_id), slip)
        if not shipments:
            is_soon = work.event.attempts <= _SOON
            raise RetryLaterError(
                f"slip {slip.number} is not shipped yet",
                after=None if is_soon else _UNSHIPPED,
                is_charged=is_soon,
            )
        for shipment in shipments:
            if any(is_same_name(each.track_number, fact.parcel) for each in shipment.tracks):
                return Done(f"is on shipment {shipment.increment_id}")
        doubts.wait_out(ADD)
        carrier = await self._carrier(fact)
        # Of several sources nobody tells which one it left; it is shown once.
        first = shipments[0]
        parcel = Parcel(fact.parcel, carrier.code, carrier.title)
        add = partial(self._shipments.add_track, first.entity_id, fact.order_id, parcel)
        request = {"shipment": first.entity_id, "track_number": fact.parcel}
        what = f"take the number {fact.parcel}"
        with held_if_refused(work, "track_number", what, advice=_REFUSED_ADVICE):
            await written(work, _SHOP, ADD, request, add)
        return Done(f"is on shipment {first.increment_id} now")

    async def _carrier(self, fact: Fact) -> Carrier:
        slip = fact.slip
        heads = await self._erp.heads_of(slip.company, fact.filed_under or slip.order, slip.number)
        head = next((each for each in heads if each.DeliveryDate == slip.day), None)
        if head is None:
            raise RetryLaterError(f"the ERP shows no head of slip {slip.number} yet")
        name = head.ShipCarrierId or head.DlvMode
        carrier = self._carriers.get(same_name_key(name))
        if carrier is None:
            raise HeldError(
                field="ShipCarrierId" if head.ShipCarrierId else "DlvMode",
                text=f'no carrier is known for "{name}"',
                advice=f'add it to sync.markets.{self._market}.{FLOW}.carriers, such as "{name}" = '
                '{ code = "dhl", title = "DHL" }; then replay',
            )
        return carrier
