"""Whatever rows a shop has and whatever happens to them: each order is in the ERP once, or told.

Hypothesis draws orders of two store views that number alike, odd rows in every table, edits,
cancellations and refunds at any point, a shop's clock that steps two hours either way, and
gateways that answer for either system. At the end everything is well again, and every order
and credit memo is judged by its `entity_id`: what can be brought over is in the ERP exactly
once, and of everything else somebody is told why it is not.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pricing_proxy.sandbox.shop.judging import told_orders
from pricing_proxy.sandbox.shop.wire import RefusedError
from sync.store.states import EventState
from tests.chaos.comparison import judge
from tests.fakes.unkind_world import STORES, UnkindWorld

# What an order's row is made when it is placed; the first ones are as good as any other.
ROWS: Mapping[str, Mapping[str, Any] | None] = {
    "plain": None,
    "ahead": {"dated_seconds": 7200},
    "late": {"dated_seconds": -90},
    "closed": {"members": {"state": "closed", "status": "closed"}},
    "no_store": {"members": {"store_id": None}},
    "no_number": {"members": {"increment_id": None}},
    "no_currency": {"members": {"order_currency_code": None}},
    "zero_dates": {
        "members": {"created_at": "0000-00-00 00:00:00", "updated_at": "0000-00-00 00:00:00"}
    },
    "no_date": {"members": {"updated_at": None}},
    "no_state": {"members": {"state": None, "status": None}},
    "unreadable": {"unreadable": True},
}
GOOD = ("plain", "ahead", "late", "closed")
# Of a credit memo or a customer that exists.
WRITTEN: Mapping[str, Mapping[str, Any]] = {
    "ahead": {"dated_seconds": 7200},
    "no_date": {"members": {"updated_at": None}},
    "zero_date": {"members": {"updated_at": "0000-00-00 00:00:00"}},
    "no_store": {"members": {"store_id": None, "website_id": None}},
    "unreadable": {"unreadable": True},
}
WHO: Mapping[str, Mapping[str, Any]] = {
    "guest": {"guest": True},
    "one": {"customer": 1},
    "two": {"customer": 2},
    # Registers with another address in a country that nobody configured and no order uses.
    "abroad": {},
}
# How an order's taxes are told, and what it costs.
KINDS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "bare": {"bare_taxes": True},
    "discount": {"discount_percent": 10, "discounts_shipping": True},
    "bare_discount": {"discount_percent": 10, "bare_taxes": True},
    "free": {"discount_percent": 100, "discounts_shipping": True},
    "gross": {"includes_tax": True},
}
PAGES = (200, 302, 404, 405)
TAXED = ("VAT19", "VAT7")
STARTS = ("2026-01-01T00:00:00Z", "1")
_HOURS, _LATER = timedelta(hours=2), timedelta(seconds=40)


class Step(NamedTuple):
    """Something that happens, and who looks afterwards.

    Attributes:
        what: A key of `HAPPENINGS`.
        which: Chooses an order, a page, a customer, whatever it is about.
        row: A key of `ROWS`; of other tables what comes next to it.
        store: Where an order is placed.
        who: By whom.
        kind: A key of `KINDS`.
        then: "poll", "sweep", "carry", "later", several with blanks between them, or nothing.
    """

    what: str
    which: int = 0
    row: str = "plain"
    store: str = "b2b_de"
    who: str = "guest"
    kind: str = "plain"
    then: str = ""


class Play:
    """Plays steps in a world, and judges what came of it."""

    def __init__(self, world: UnkindWorld) -> None:
        self.world = world
        self.rows: dict[int, str] = {}
        self.odd_customers: set[int] = set()
        self.clock_stepped = False

    async def play(self, steps: Sequence[Step]) -> None:
        """Let all of it happen, then let everything be well again, look twice, and judge."""
        # As the program does when it starts.
        await self._then("poll sweep")
        for step in steps:
            try:
                HAPPENINGS[step.what](self, step)
            except RefusedError:
                continue  # the shop itself does not do that to an order of this state
            await self._then(step.then)
        self._heal()
        # A clock that stepped is believed again by the second poll, and what changed of orders
        # that have a number is read within half a minute.
        await self._then("poll later poll carry")
        if not self.clock_stepped:
            self._judge(lambda order: self.rows[order] in ("plain", "ahead", "closed"))
        await self._then("sweep carry sweep carry")
        self._judge(lambda _: True)
        self._judge_memos()
        assert self.world.engine.failed_looks == {}

    async def _then(self, words: str) -> None:
        for word in words.split():
            if word == "carry":
                await self.world.engine.settle()
            elif word == "later":
                self.world.clock.advance(_LATER)
            else:
                self.world.clock.advance(timedelta(seconds=10))
                await self.world.look(word)

    def _heal(self) -> None:
        self.world.dials["shop"].clock_ahead_seconds = 0
        for dials in self.world.dials.values():
            dials.gateway_page = None

    def place(self, step: Step) -> None:
        """Somebody orders."""
        row = ROWS[step.row]
        odd = {} if row is None else {"row": row}
        who = WHO[step.who] or {"customer": self.world.register_abroad()}
        members = {"store": STORES[step.store], **who, **KINDS[step.kind], **odd}
        self.rows[self.world.place(**members)] = step.row

    def edit(self, step: Step) -> None:
        """The back office edits an order that nothing is odd about."""
        order = self._order(step)
        if self.rows[order] in GOOD:
            edited = self.world.edit(order)
            self.rows[edited] = "undecided" if self._is_undatable(edited) else "plain"

    def act(self, step: Step) -> None:
        """The back office cancels an order, holds it, lets it go."""
        if self.rows[order := self._order(step)] in GOOD:
            self.world.act(order, step.what)

    def cancel_part(self, step: Step) -> None:
        """One piece of the first line is invoiced, and the rest is cancelled."""
        if self.rows[order := self._order(step)] in GOOD:
            first = self.world.shop.orders[order]["items"][0]["item_id"]
            self.world.act(order, "invoice", items=[{"order_item_id": first, "qty": 1}])
            self.world.act(order, "cancel")

    def refund(self, step: Step) -> None:
        """Everything is invoiced and given back; the credit memo may be odd."""
        order = self._order(step)
        if self.rows[order] not in GOOD or self.world.shop.orders[order]["state"] == "closed":
            return
        self.world.act(order, "invoice")
        memo = int(self.world.act(order, "refund"))
        if step.row in WRITTEN:
            self.world.make_odd("credit_memos", memo, **WRITTEN[step.row])

    def customer(self, step: Step) -> None:
        """A customer's row becomes odd."""
        number = step.which % 3 + 1
        self.world.make_odd("customers", number, **WRITTEN.get(step.row, WRITTEN["no_date"]))
        self.odd_customers.add(number)

    def repair(self, step: Step) -> None:
        """The shop does not stumble over an order any more."""
        if self.rows[order := self._order(step)] == "unreadable":
            self.world.make_odd("orders", order, unreadable=False)
            self.rows[order] = "late"

    def clock(self, step: Step) -> None:
        """The shop's clock steps."""
        seconds = int(_HOURS.total_seconds())
        self.world.dials["shop"].clock_ahead_seconds = (seconds, 0, -seconds)[step.which % 3]
        self.clock_stepped = True

    def gateway(self, step: Step) -> None:
        """Something answers for a system, or the system itself again."""
        page = (*PAGES, None)[step.which % 5]
        self.world.dials["erp" if step.which % 2 else "shop"].gateway_page = page

    def wait(self, step: Step) -> None:
        """Time passes."""
        self.world.clock.advance(timedelta(minutes=step.which))

    def _is_undatable(self, edited: int) -> bool:
        """Return whether an older order has a later date: nobody can say when it was made."""
        orders = self.world.shop.orders
        made = str(orders[edited].get("created_at"))
        return any(str(orders[one].get("created_at")) > made for one in self.rows if one < edited)

    def _order(self, step: Step) -> int:
        if not self.rows:
            raise RefusedError(404, "There is no order yet.")
        return sorted(self.rows)[step.which % len(self.rows)]

    def _judge(self, is_asked: Callable[[int], bool]) -> None:
        faults = {order: self._fault(order) for order in self.rows if is_asked(order)}
        found = {order: fault for order, fault in faults.items() if fault}
        engine = self.world.engine
        assert not found, (found, engine.unfinished(), engine.failed_looks, self.rows)

    def _fault(self, number: int) -> str:
        """Return what is wrong with an order, nothing where nothing is."""
        order, documents = self.world.shop.orders[number], self.world.documents_of(number)
        released = [each for each in documents if not each["is_stopped"]]
        if len(documents) > 1:
            return "doubled"
        is_told = self._is_told(number)
        if order.get("state") == "canceled":
            return "goes on though cancelled" if released else "" if is_told else "not told"
        is_good = self.rows[number] in GOOD and order.get("customer_id") not in self.odd_customers
        is_whole = all(not item["qty_canceled"] for item in order["items"])
        # Left alone, or stopped in the ERP, for as long as the shop holds it; or counted in
        # `status`, where the start of its market is a number.
        is_undecided = self.rows[number] == "undecided" and not released
        if order.get("state") == "holded" or is_undecided:
            return ""
        if released and (is_whole or is_told):
            return self._fault_of_document(number, released) if is_whole and is_good else ""
        if not is_good or order.get("total_refunded") or not is_whole:
            return "" if is_told else "neither in the ERP nor told"
        return "lost"

    def _fault_of_document(self, number: int, released: Sequence[Any]) -> str:
        told = next(one for one in told_orders(self.world.shop) if one["entity_id"] == number)
        if wrong := [text for texts in judge([told], released).found.values() for text in texts]:
            return f"wrong: {wrong}"
        taxed = {str(line["item_id"]) for line in told["lines"] if line["tax"]}
        untaxed = {
            line["OrderLineReference"].rpartition("-")[2]
            for line in released[0]["lines"]
            if line["SalesTaxItemGroupCode"] not in TAXED
        }
        return f"sent untaxed: {taxed & untaxed}" if taxed & untaxed else ""

    def _is_told(self, number: int, flow: str = "orders") -> bool:
        told = self.world.engine.of_document(flow, number)
        is_visible = any(one.state is not EventState.DONE and one.reason for one in told)
        return is_visible or self.world.is_told_odd(flow, number)

    def _judge_memos(self) -> None:
        for number, memo in self.world.shop.credit_memos.items():
            returns = self.world.returns_of(memo["order_id"])
            assert len(returns) <= 1, f"credit memo {number} is there twice"
            assert returns or self._is_told(number, "returns"), f"credit memo {number} is lost"


HAPPENINGS: Mapping[str, Callable[[Play, Step], None]] = {
    "place": Play.place,
    "edit": Play.edit,
    "cancel": Play.act,
    "hold": Play.act,
    "unhold": Play.act,
    "cancel_part": Play.cancel_part,
    "refund": Play.refund,
    "customer": Play.customer,
    "repair": Play.repair,
    "clock": Play.clock,
    "gateway": Play.gateway,
    "wait": Play.wait,
}
LOOKS = ("", "", "poll", "carry", "poll carry", "sweep", "sweep carry", "later poll")
PLACED = st.builds(
    Step,
    what=st.just("place"),
    which=st.just(0),
    row=st.sampled_from(sorted(ROWS)),
    store=st.sampled_from(sorted(STORES)),
    who=st.sampled_from(sorted(WHO)),
    kind=st.sampled_from(sorted(KINDS)),
    then=st.sampled_from(LOOKS),
)
HAPPENED = st.builds(
    Step,
    what=st.sampled_from(sorted(HAPPENINGS.keys() - {"place"})),
    which=st.integers(0, 9),
    row=st.sampled_from(sorted(WRITTEN)),
    store=st.just("b2b_de"),
    who=st.just("guest"),
    kind=st.just("plain"),
    then=st.sampled_from(LOOKS),
)


def play(steps: Sequence[Step], *, start_at: str = STARTS[0]) -> None:
    asyncio.run(Play(UnkindWorld(start_at=start_at)).play(steps))


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(st.one_of(PLACED, PLACED, HAPPENED), min_size=2, max_size=9),
    start_at=st.sampled_from(STARTS),
)
def test_each_order_is_in_the_erp_once_or_told(steps: list[Step], start_at: str) -> None:
    play(steps, start_at=start_at)


ALL = "poll carry"
KNOWN: Mapping[str, Sequence[Step]] = {
    "nothing": [],
    "an_order": [Step("place", then=ALL)],
    "equal_numbers": [Step("place"), Step("place", store="b2b_de_en", then=ALL)],
    **{f"row_{row}": [Step("place", row=row, then="poll"), Step("place")] for row in ROWS},
    **{f"kind_{kind}": [Step("place", kind=kind, who="one")] for kind in KINDS},
    "unused_address": [Step("place", who="abroad")],
    "edited": [Step("place", then=ALL), Step("edit", then=ALL)],
    "edited_before": [Step("place"), Step("edit")],
    "cancelled_after": [Step("place", then=ALL), Step("cancel")],
    "cancelled_part_after": [Step("place", who="one", then=ALL), Step("cancel_part")],
    "held_back_after": [Step("place", then=ALL), Step("hold")],
    "refunded": [Step("place", who="one", then=ALL), Step("refund")],
    **{
        f"memo_{row}": [
            *[Step("place", then=ALL), Step("place", then=ALL)],
            *[Step("refund", 0, row, then="poll"), Step("refund", 1)],
        ]
        for row in WRITTEN
    },
    **{f"customer_{row}": [Step("customer", 0, row), Step("place", who="one")] for row in WRITTEN},
    **{
        f"gateway_{which}": [
            Step("place", then="poll"),
            *[Step("gateway", which, then="carry poll"), Step("place", then=ALL)],
        ]
        for which in range(8)
    },
    "clock_ahead": [Step("place"), Step("clock", 0, then=ALL), Step("place", then=ALL)],
    "clock_behind": [Step("place"), Step("clock", 2, then=ALL), Step("place", then=ALL)],
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_schedules(name: str) -> None:
    play(KNOWN[name])
