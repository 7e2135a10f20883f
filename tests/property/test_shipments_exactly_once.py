"""Slips, parcels and steps in the shop: nothing twice, nothing missing, whatever fails or dies.

Slips are posted in parts, from two warehouses, in any order with looks between them; the shop
and the ERP lose answers, do what they were asked two minutes later, or the process dies at any
call. At rest the shop has shipped what the ERP has delivered, and tells how far orders are.
"""

import asyncio
from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.store.states import EventState
from tests.fakes.fulfilment_world import VARIANT, Fault, FulfilmentWorld, Sold

# Of each there is more in every source than is ever ordered, but for the one that is emptied.
CARTS = (
    (("LAMP-01", 6), ("LAMP-02", 4)),
    (("LAMP-SET", 2), (VARIANT, 3)),
    (("LAMP-KIT", 2), ("LAMP-01", 2), ("SERVICE-01", 1)),
)


class Part(NamedTuple):
    """A slip of an order: of its lines so much each, and how many looks follow.

    Attributes:
        name: Slips of several orders may share one.
        parcel: Whether its parcel is told at once.
        status: How far its order is then; empty for as far as before.
    """

    order: int
    name: int
    quantities: tuple[int, ...]
    looks: int
    parcel: bool
    status: str = ""


PARTS = st.lists(
    st.builds(
        Part,
        order=st.integers(0, len(CARTS) - 1),
        name=st.integers(1, 3),
        quantities=st.tuples(*[st.integers(0, 3)] * 4),
        looks=st.integers(0, 3),
        parcel=st.booleans(),
        status=st.sampled_from(["", "Confirmed", "Picked", "PartiallyDelivered"]),
    ),
    max_size=6,
)
FAULTS = st.lists(st.sampled_from(Fault), max_size=40)


class Play:
    """One schedule, and what the ERP has delivered."""

    def __init__(self, faults: list[Fault], bundle: str) -> None:
        self.world = FulfilmentWorld(bundle=bundle)
        self.sold = [self.world.sell(*cart) for cart in CARTS]
        for place, line in enumerate(self.world.erp.lines):
            line["ShippingWarehouseId"] = "14" if place % 3 == 1 else "13"
        self.world.shop.inventory.write("LAMP-01", "berlin", Decimal(1))
        self.delivered: list[Counter[int]] = [Counter() for _ in CARTS]
        self.parcels: set[tuple[int, str]] = set()
        self.posted: set[tuple[int, str]] = set()
        self.statuses: dict[int, str] = {}
        self.faults = faults

    async def run(self, parts: list[Part]) -> None:
        await self.world.step()
        self.world.faults = iter(self.faults)
        for part in parts:
            self.post(part)
            for _ in range(part.looks):
                await self.world.step()
        await self.world.settle(60)

    def post(self, part: Part) -> None:
        sold, name = self.sold[part.order], f"PS-{part.name}"
        if (part.order, name) in self.posted:
            return
        rows = {row["item_id"]: row for row in self.world.shop.order(sold.order)["items"]}
        quantities: dict[str, Decimal] = {}
        for (lot, row), wanted in zip(sold.lots.items(), part.quantities, strict=False):
            left = int(rows[row]["qty_ordered"]) - self.delivered[part.order][row]
            if quantity := min(left, wanted):
                quantities[lot] = Decimal(quantity)
                self.delivered[part.order][row] += quantity
        if part.status:
            self.statuses[part.order] = part.status
            self.world.erp.move(sold.erp_number, SalesOrderProcessingStatus=part.status)
        if quantities:
            self.posted.add((part.order, name))
            self.world.erp.post(name, quantities)
        if part.parcel and any(not rows[sold.lots[lot]]["is_virtual"] for lot in quantities):
            number = f"JD-{part.order}-{name}"
            self.world.erp.parcel(sold.erp_number, name, number)
            self.parcels.add((part.order, number))

    def judge(self) -> None:
        for place, sold in enumerate(self.sold):
            self._judge_quantities(place, sold)
            self._judge_comments(place, sold)
            marks = Counter(self.world.marks_of(sold))
            assert set(marks.values()) <= {1}, marks
            found = Counter(
                track.track_number
                for shipment in self.world.shipments.all_of(sold.order)
                for track in shipment.tracks
            )
            wanted = {number for order, number in self.parcels if order == place}
            # What completes no bundle has no shipment, and its parcel waits for one.
            waiting = {
                event.event.payload["TrackingNumber"]
                for event in self.world.events(sold)
                if event.state is EventState.WAITING and event.event.payload["fact"] == "parcel"
            }
            assert found == Counter(wanted - waiting), (found, wanted, waiting)

    def _judge_comments(self, place: int, sold: Sold) -> None:
        entries = self.world.shop.order(sold.order)["status_histories"]
        told = Counter(each["comment"] for each in entries)
        assert set(told.values()) <= {1}, told
        words = {"Confirmed": "The order is confirmed.", "Picked": "Picking has started."}
        if (word := words.get(self.statuses.get(place, ""))) is not None:
            assert any(each.startswith(word) for each in told), (word, told)

    def _judge_quantities(self, place: int, sold: Sold) -> None:
        order = self.world.shop.order(sold.order)
        rows = {row["item_id"]: row for row in order["items"]}
        delivered = self.delivered[place]
        shipped = self.world.shipped(sold)
        for number, row in rows.items():
            parent = rows.get(row.get("parent_item_id") or 0)
            if parent is not None or row["is_virtual"]:
                continue
            parts = [each for each in rows.values() if each.get("parent_item_id") == number]
            wanted = Decimal(delivered[number])
            if row["product_type"] == "bundle" and number not in sold.lots.values():
                wanted = min(
                    Decimal(delivered[each["item_id"]] * row["qty_ordered"] // each["qty_ordered"])
                    for each in parts
                )
            assert shipped.get(number, Decimal(0)) == wanted, (row["sku"], wanted, shipped)


@settings(max_examples=60, deadline=None)
@given(parts=PARTS, faults=FAULTS, bundle=st.sampled_from(["parent", "parts"]))
@example(
    parts=[Part(0, 1, (3, 2, 0, 0), 3, parcel=True), Part(0, 2, (3, 2, 0, 0), 3, parcel=True)],
    faults=[Fault.NONE] * 12 + [Fault.LATE],
    bundle="parent",
)
@example(
    parts=[Part(1, 1, (2, 1, 3, 3), 3, parcel=True), Part(0, 1, (3, 2, 0, 0), 3, parcel=True)],
    faults=[Fault.NONE] * 14 + [Fault.DIES_LATE],
    bundle="parts",
)
def test_what_was_delivered_is_shipped_once(
    parts: list[Part], faults: list[Fault], bundle: str
) -> None:
    play = Play(faults, bundle)
    asyncio.run(play.run(parts))
    play.judge()


def test_a_fault_at_any_call_ships_once() -> None:
    """Each kind of fault at each call of a slip with a parcel, one after the other."""
    parts = [Part(2, 1, (2, 1, 1, 1), 6, parcel=True)]
    for fault in Fault:
        for place in range(24):
            play = Play([Fault.NONE] * place + [fault], "parent")
            asyncio.run(play.run(parts))
            play.judge()
