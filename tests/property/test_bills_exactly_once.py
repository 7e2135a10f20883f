"""Invoices and credit notes in the shop: nothing twice, nothing missing, whatever fails or dies.

Invoices are posted in parts and credit notes for goods or amounts, in any order with looks between
them; the shop and the ERP lose answers, do what they were asked two minutes later, or the process
dies at any call. At rest the shop has invoiced what the ERP billed, and given back what it
credited, the memos left out whose own returns the credit notes are for.
"""

import asyncio
from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.sales.references import RETURN_LINK
from sync.store.states import EventState
from tests.fakes.billing_world import Billed, BillingWorld
from tests.fakes.fulfilment_world import MARKET, VARIANT, Fault

CARTS = (
    (("LAMP-01", 6), ("LAMP-02", 4)),
    (("LAMP-SET", 2), (VARIANT, 3), ("SERVICE-01", 2)),
)


class Deed(NamedTuple):
    """What somebody does to an order, and how many looks follow.

    Attributes:
        kind: An invoice, a return with its credit note, an amount, or a memo of the shop that
            became a return.
    """

    order: int
    kind: int
    quantities: tuple[int, ...]
    looks: int


DEEDS = st.lists(
    st.builds(
        Deed,
        order=st.integers(0, len(CARTS) - 1),
        kind=st.integers(0, 3),
        quantities=st.tuples(*[st.integers(0, 3)] * 6),
        looks=st.integers(0, 2),
    ),
    max_size=5,
)
FAULTS = st.lists(st.sampled_from(Fault), max_size=40)


class Play:
    """One schedule, and what the ERP has billed and credited."""

    def __init__(self, faults: list[Fault]) -> None:
        self.world = BillingWorld()
        self.orders = [self.world.order_of(*cart) for cart in CARTS]
        self.billed: list[Counter[int]] = [Counter() for _ in CARTS]
        self.credited: list[Counter[int]] = [Counter() for _ in CARTS]
        self.amounts: Counter[int] = Counter()
        self.papers = 0
        self.faults = faults

    async def run(self, deeds: list[Deed]) -> None:
        await self.world.step()
        self.world.faults = iter(self.faults)
        for deed in deeds:
            await self.do(deed)
            for _ in range(deed.looks):
                await self.world.step()
        await self.world.settle(75)

    async def do(self, deed: Deed) -> None:
        order, self.papers = self.orders[deed.order], self.papers + 1
        match deed.kind:
            case 0:
                self._invoice(deed, order)
            case 1:
                self._credit(deed, order)
            case 2 if self.billed[deed.order]:
                number = f"CN-{self.papers}"
                self.world.bills.credit_lines(number, order.erp_number, {"LOT-X": Decimal("0.50")})
                self.amounts[deed.order] += 1
            case _:
                await self._refund(deed, order)

    def _invoice(self, deed: Deed, order: Billed) -> None:
        rows = {row["item_id"]: row for row in self.world.shop.order(order.order)["items"]}
        billed, wanted = self.billed[deed.order], dict[str, Decimal]()
        for (lot, row), each in zip(order.lots.items(), deed.quantities, strict=False):
            if quantity := min(int(rows[row]["qty_ordered"]) - billed[row], each):
                wanted[lot] = Decimal(quantity)
                billed[row] += quantity
        if wanted:
            self.world.bills.invoice(f"CIV-{self.papers}", wanted)

    def _credit(self, deed: Deed, order: Billed) -> None:
        wanted = self._left_to_credit(deed, order)
        if wanted:
            self.world.give_back(f"CN-{self.papers}", order, wanted)

    def _left_to_credit(self, deed: Deed, order: Billed) -> dict[str, int]:
        billed, credited = self.billed[deed.order], self.credited[deed.order]
        wanted: dict[str, int] = {}
        for (lot, row), each in zip(order.lots.items(), deed.quantities, strict=False):
            if quantity := min(billed[row] - credited[row], each):
                wanted[lot] = quantity
                credited[row] += quantity
        return wanted

    async def _refund(self, deed: Deed, order: Billed) -> None:
        """Let somebody refund in the shop, and the return that was made of it be credited."""
        invoiced = self.world.invoiced(order)
        if any(invoiced.get(row, 0) < each for row, each in self.billed[deed.order].items()):
            return
        wanted = self._left_to_credit(deed, order)
        if not wanted:
            return
        items = [{"order_item_id": order.lots[lot], "qty": each} for lot, each in wanted.items()]
        body = {"items": items, "arguments": {"shipping_amount": 0}}
        number = self.world.act("refund", order.order, body)
        name = f"RET-S{self.papers}"
        links = self.world.engine.company.of_market(MARKET)
        await links.remember(RETURN_LINK, str(number), name)
        lots = {lot: Decimal(each) for lot, each in wanted.items()}
        self.world.bills.enter_return(name, lots, reference="CM-1")
        self.world.bills.credit(f"CN-{self.papers}", name)

    def judge(self) -> None:
        for place, order in enumerate(self.orders):
            rows = self.world.shop.order(order.order)["items"]
            its = [row for row in rows if row["item_id"] in order.lots.values()]
            invoiced = {row["item_id"]: row["qty_invoiced"] for row in its if row["qty_invoiced"]}
            refunded = {row["item_id"]: row["qty_refunded"] for row in its if row["qty_refunded"]}
            events = [(each.state, each.reason) for each in self.world.of(order)]
            assert invoiced == +self.billed[place], events
            assert refunded == +self.credited[place], events
            assert {state for state, _ in events} <= {EventState.DONE}, events
            memos = self.world.memos(order)
            given = sum(each.adjustment_positive for each in memos)
            assert given == self.amounts[place] * Decimal("0.60"), events
            comments = [each for memo in memos for each in memo.comments]
            for invoice in self.world.billing.all_invoices(order.order):
                comments += invoice.comments
            marks = Counter(each.comment for each in comments)
            assert set(marks.values()) <= {1}, marks


@settings(max_examples=40, deadline=None)
@given(deeds=DEEDS, faults=FAULTS)
@example(
    deeds=[Deed(0, 0, (3, 2, 0, 0, 0, 0), 2), Deed(0, 1, (2, 1, 0, 0, 0, 0), 2)],
    faults=[Fault.NONE] * 12 + [Fault.LATE],
)
def test_what_was_billed_and_credited_is_in_the_shop_once(
    deeds: list[Deed], faults: list[Fault]
) -> None:
    play = Play(faults)
    asyncio.run(play.run(deeds))
    play.judge()


def test_a_fault_at_any_call_bills_and_credits_once() -> None:
    """Each kind of fault at each call of an invoice and a credit note, one after the other."""
    deeds = [Deed(1, 0, (1, 1, 1, 1, 1, 1), 0), Deed(1, 1, (1, 1, 1, 1, 1, 1), 4)]
    for fault in Fault:
        for place in range(30):
            play = Play([Fault.NONE] * place + [fault])
            asyncio.run(play.run(deeds))
            play.judge()
