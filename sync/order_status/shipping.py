"""Ship in the shop what a slip delivered out of one source: once, and never without its mark.

    the mark stands on a shipment        it is done, whoever lost the answer
    a shipment by hand has equal lines   it is taken for this one, and marked
    one by hand shares lines with it     a person must say whether it is this one
    none of these                        the source is raised if it holds too little, then shipped

All of it under the locks of the SKUs, so that stock counts neither half. Magento repeats a
shipment gladly, and cuts what is not left without a word: so the mark is looked for before, and
what was shipped is read back after.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from pricing_proxy.http_exchange import Guard
from pricing_proxy.names import is_same_name
from sync.engine.flow import Work
from sync.engine.outcomes import Difference, HeldError, RetryLaterError
from sync.engine.writes import Doubts, written
from sync.magento.answers import MagentoRejectedError
from sync.magento.order_turns import turn_of
from sync.magento.reserving_models import ReservingOrder
from sync.magento.shipment_models import Shipment
from sync.magento.stock_ports import LocksOfSkus
from sync.mirror.keys import folded
from sync.order_status.bundle_kinds import BundleKinds
from sync.order_status.mapping import Quantities, SourceDelivery, left_to_ship
from sync.order_status.ports import ShopBundles, ShopShipments
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.slips import SlipKey, is_ours, marked, shipments_of_slip
from sync.order_status.sources import Sources
from sync.papers.refused import held_if_refused
from sync.papers.shop_states import check_goes_on
from sync.papers.stock_wanted import WantStock

LINK = "shipment"
"""The kind of link that a shipment has to its slip and source."""
SHIP, MARK = "ship", "mark a shipment by hand"
UNSHIPPED_ADVICE = (
    "a shipment of the shop cannot shrink: settle it with the customer by hand, then skip the event"
)
REFUSED_ADVICE = (
    "correct it in the shop and replay; or ship the slip's lines there by hand and replay, which "
    "adopts that shipment"
)
_ENDED_ADVICE = (
    "see what the customer gets; the shop ships nothing of it any more. Then skip the event"
)
OTHERS = "other_shipments"
"""Member of a payload: shipments by hand that are none of this slip, by the shop's ids."""
_SHOP = "magento"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What came of it.

    Attributes:
        note: For the event's story.
        missing: What the slip has and the shop has not shipped, by row.
    """

    note: str
    missing: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToShip:
    """What is to leave one source.

    Attributes:
        order_id: The shop's id of the order.
        slip: The slip.
        source: Empty where the shop has one alone.
        delivery: What the slip says of it.
    """

    order_id: int
    slip: SlipKey
    source: str
    delivery: SourceDelivery

    @property
    def mark(self) -> str:
        """What stands on its shipment."""
        return self.slip.mark(self.source)


class ShipmentWriter:
    """Ships for one market.

    Args:
        shipments: The shop's.
        orders: Its orders.
        sources: What its sources hold.
        bundles: Its bundles.
        locks: One at a time for each SKU.
        want: Has stock written again.
    """

    def __init__(
        self,
        shipments: ShopShipments,
        *,
        orders: ShopOrderReader,
        sources: Sources,
        bundles: ShopBundles,
        locks: LocksOfSkus,
        want: WantStock | None,
    ) -> None:
        self._shipments = shipments
        self._orders = orders
        self._sources = sources
        self._bundles = bundles
        self._locks = locks
        self._want = want

    async def ship(self, work: Work, wanted: ToShip, doubts: Doubts) -> Shipped:
        """Ship, or find that it is shipped; raises outcomes and `UpstreamError`."""
        order = await self._orders.of(work, wanted.order_id)
        kinds = await BundleKinds.of(work, wanted.delivery, self._bundles)
        skus = {
            sku: None
            for separately in ((), [row.item_id for row in kinds.bundles])
            for sku in await self._sources.skus_of(order, wanted.delivery.quantities(separately))
        }
        async with self._locks.hold([turn_of(wanted.order_id), *map(folded, skus)]):
            done = await self._found(work, wanted)
            if done is None:
                doubts.wait_out(SHIP, {"mark": wanted.mark})
                done = await self._adopted(work, wanted, kinds)
            if done is None:
                done = await self._written(work, wanted, kinds)
        if self._want is not None and skus:
            # Whatever it was counted as before, its source has less of it now.
            await self._want(sorted(skus), reason=f"shipment of order {order.increment_id}")
        return done

    async def of_slip(self, order_id: int, slip: SlipKey) -> list[Shipment]:
        """Return the shipments that were made of a slip."""
        return shipments_of_slip(await self._shipments.shipments_of(order_id), slip)

    async def _found(self, work: Work, wanted: ToShip) -> Shipped | None:
        found = marked(await self._shipments.shipments_of(wanted.order_id), wanted.mark)
        if found is None:
            return None
        await work.links.remember(LINK, str(found.entity_id), wanted.mark)
        return _compared(found, wanted.delivery.plain, f"is shipment {found.increment_id}")

    async def _adopted(self, work: Work, wanted: ToShip, kinds: BundleKinds) -> Shipped | None:
        """Take a shipment by hand for this one."""
        ids = work.event.payload.get(OTHERS)
        others = {str(each) for each in ids} if isinstance(ids, list) else set()
        by_hand = [
            each
            for each in await self._shipments.shipments_of(wanted.order_id)
            if not is_ours(each, wanted.slip.company) and str(each.entity_id) not in others
        ]
        expected = wanted.delivery.quantities(kinds.separately)
        equal = [each for each in by_hand if _is_equal(each, expected, kinds.companions)]
        # By hand it may have left another source than the goods; one that has left this is meant.
        equal.sort(key=lambda each: not is_same_name(each.source, wanted.source))
        for shipment in equal:
            return await self._mark(work, wanted, shipment)
        for shipment in by_hand:
            if shared := sorted(expected.keys() & _quantities(shipment).keys()):
                raise HeldError(
                    field="items",
                    text=f"shipment {shipment.increment_id} (#{shipment.entity_id}) was made by "
                    f"hand and has rows of slip {wanted.slip.number} too, with other quantities: "
                    f"{', '.join(map(str, shared))}",
                    advice="if it is this slip's, skip the event; if it is none of it, add "
                    f'"{OTHERS}": [{shipment.entity_id}] to the payload with d365-sync edit, and '
                    "replay",
                    diff=[
                        (f"row {row}", str(expected[row]), str(_quantities(shipment)[row]))
                        for row in shared
                    ],
                )
        return None

    async def _mark(self, work: Work, wanted: ToShip, shipment: Shipment) -> Shipped:
        add = partial(self._shipments.add_comment, shipment.entity_id, wanted.mark)
        request = {"shipment": shipment.entity_id, "mark": wanted.mark}
        await written(work, _SHOP, MARK, request, add)
        await work.links.remember(LINK, str(shipment.entity_id), wanted.mark)
        return Shipped(note=f"was shipped by hand as {shipment.increment_id}")

    async def _written(self, work: Work, wanted: ToShip, kinds: BundleKinds) -> Shipped:
        # Anew, as under the locks nobody else of ours moves it.
        order = await self._orders.of(work, wanted.order_id)
        while True:
            full = wanted.delivery.quantities(kinds.separately)
            left = _left(order, full)
            if not left:
                return _nothing_left(order, full)
            check_goes_on(order.state, done="delivered", advice=_ENDED_ADVICE)
            await self._sources.raise_to(work, order, left, source=wanted.source)
            what = f"ship slip {wanted.slip.number}"
            with held_if_refused(work, "items", what, advice=REFUSED_ADVICE):
                try:
                    number = await self._send(work, wanted, left)
                except MagentoRejectedError as error:
                    other = kinds.told_by(error) or await kinds.asked(self._bundles)
                    if other is None:
                        raise
                    # Refused as a whole, so nothing of it was shipped.
                    kinds = other
                    continue
            await work.links.remember(LINK, number, wanted.mark)
            await kinds.remember(work)
            return await self._read_back(wanted, full)

    async def _send(self, work: Work, wanted: ToShip, quantities: Quantities) -> str:
        request = {
            "order_id": wanted.order_id,
            "mark": wanted.mark,
            "items": {str(row): str(quantity) for row, quantity in sorted(quantities.items())},
        }

        async def send(*, guard: Guard) -> str:
            return await self._shipments.ship(
                wanted.order_id, quantities, mark=wanted.mark, source=wanted.source, guard=guard
            )

        return await written(work, _SHOP, SHIP, request, send)

    async def _read_back(self, wanted: ToShip, full: Quantities) -> Shipped:
        found = marked(await self._shipments.shipments_of(wanted.order_id), wanted.mark)
        if found is None:
            raise RetryLaterError("the shop does not show the shipment that it made")
        return _compared(found, full, f"is shipment {found.increment_id}")


def _left(order: ReservingOrder, wanted: Quantities) -> dict[int, Decimal]:
    rows = {row.item_id: row for row in order.items}
    left = {item: min(each, left_to_ship(rows[item])) for item, each in wanted.items()}
    return {item: each for item, each in left.items() if each > 0}


def _nothing_left(order: ReservingOrder, wanted: Quantities) -> Shipped:
    if not wanted:
        return Shipped(note="completes no bundle yet")
    check_goes_on(order.state, done="delivered", advice=_ENDED_ADVICE)
    missing = [(f"row {item}", str(each), "0") for item, each in sorted(wanted.items())]
    return Shipped(note="nothing of it is left to ship in the shop", missing=missing)


def _quantities(shipment: Shipment) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for line in shipment.items:
        found[line.order_item_id] = found.get(line.order_item_id, Decimal(0)) + line.qty
    return {item: each for item, each in found.items() if each}


def _is_equal(shipment: Shipment, wanted: Quantities, companions: Collection[int]) -> bool:
    found = {item: each for item, each in _quantities(shipment).items() if item not in companions}
    return bool(wanted) and found == dict(wanted)


def _compared(shipment: Shipment, wanted: Quantities, note: str) -> Shipped:
    """Return what of a slip is in its shipment; raises `HeldError` where more is."""
    found = _quantities(shipment)
    more = [
        (f"row {item}", str(each), str(found[item]))
        for item, each in sorted(wanted.items())
        if found.get(item, Decimal(0)) > each
    ]
    if more:
        raise HeldError(
            field="Qty",
            text=f"shipment {shipment.increment_id} has more than its slip says now: the slip was "
            "corrected or cancelled",
            advice=UNSHIPPED_ADVICE,
            diff=more,
        )
    missing = [
        (f"row {item}", str(each), str(found.get(item, Decimal(0))))
        for item, each in sorted(wanted.items())
        if found.get(item, Decimal(0)) < each
    ]
    return Shipped(note=note, missing=missing)
