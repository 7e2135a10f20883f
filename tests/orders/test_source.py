"""Which orders are entered: never history, each once, whoever sees it first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sync.magento.odd_rows import OddRow, unserved
from sync.magento.order_models import Order
from sync.orders.addresses import delivery_digest
from sync.orders.late_doubles import LateDoubles, SweptMarket
from sync.orders.source import OrderSource
from sync.store.lines import Urgency
from tests.cases import case
from tests.fakes.entering import FakeEvents, FakeOddRows, FakeWatermarks, polling
from tests.fakes.order_erp import FakeOrderErp
from tests.fakes.order_flow import starts
from tests.fakes.order_shop import FakeLinks, FakeShop
from tests.fakes.references import FakeForms
from tests.orders import recorded
from tests.virtual_time import ManualClock

START = ManualClock().utc()
SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]


class World:
    """A shop and what watches it."""

    def __init__(self, **rules: Any) -> None:
        self.shop = FakeShop()
        self.events = FakeEvents()
        self.watermarks = FakeWatermarks()
        self.odd_rows = FakeOddRows()
        self.links = FakeLinks()
        self.clock = ManualClock()
        chosen = {"start_at": START.isoformat(), **rules}
        self.source = OrderSource(
            self.shop,
            polling(self.events, self.clock, watermarks=self.watermarks, odd_rows=self.odd_rows),
            market_of_store={1: "b2b_de"},
            rules={"b2b_de": recorded.rules(**chosen)},
            starts=starts(self.shop, recorded.rules(**chosen)),
            links={"b2b_de": self.links},
        )

    def place(self, number: int, at: datetime, **members: Any) -> Order:
        placed = {
            "entity_id": number,
            "increment_id": f"{number:09d}",
            "created_at": at,
            "updated_at": at,
            "state": "new",
            **members,
        }
        return self.shop.put(SAMPLE.model_copy(update=placed))


async def test_a_fresh_start_sends_none_of_500_old_orders_and_export_sends_one() -> None:
    world = World()
    for number in range(1, 501):
        world.place(number, START - timedelta(days=1, minutes=number))

    assert await world.source.poll() == 0
    assert await world.source.sweep() == 0
    assert world.events.entered == {}

    assert await world.source.export(321) is True
    assert await world.source.export(321) is False
    assert world.events.keys == ["000000321"]
    (event,) = world.events.entered.values()
    assert event["payload"]["is_forced"] is True


async def test_history_is_counted_by_status_before_the_first_start() -> None:
    world = World()
    world.place(1, START - timedelta(days=2), status="complete")
    world.place(2, START - timedelta(days=1), status="pending")
    world.place(3, START + timedelta(days=1), status="pending")
    world.place(4, START + timedelta(days=1), store_id=9)

    census = await world.source.census()

    assert census.left_out == {"complete": 1, "pending": 1}
    assert census.entered == {"pending": 1}
    assert census.elsewhere == 1
    assert world.events.entered == {}


async def test_a_sweep_does_not_read_again_what_was_decided() -> None:
    """History, what was cancelled before it was sent, and what waits for money for ever."""
    world = World()
    old = timedelta(days=1)
    for number, state in enumerate(("new", "complete", "canceled", "pending_payment"), start=1):
        world.place(number, START - old, state=state)
    waiting = world.place(5, START, updated_at=START - old, state="pending_payment")
    world.place(6, START, updated_at=START - old)

    assert await world.source.sweep() == 1
    assert world.shop.swept == [1, 2, 3, 4, 5, 6]
    late = world.place(8, START, updated_at=START - old)
    assert await world.source.sweep() == 1
    assert world.shop.swept == [8]

    world.clock.advance(timedelta(hours=1))
    for order in (waiting, late):
        changes = {"state": "processing", "updated_at": world.clock.utc()}
        world.shop.put(order.model_copy(update=changes))
    assert await world.source.sweep() == 1
    assert world.shop.swept == []


async def test_a_sweep_decides_anew_when_the_rules_change() -> None:
    world = World()
    world.place(1, START - timedelta(days=3))
    world.place(2, START - timedelta(days=1))
    assert await world.source.sweep() == 0

    earlier = World(start_at=(START - timedelta(days=2)).isoformat())
    earlier.shop.orders = world.shop.orders
    earlier.watermarks.kept = world.watermarks.kept

    assert await earlier.source.sweep() == 1
    assert earlier.events.keys == ["000000002"]


async def test_each_order_is_entered_once_however_often_it_is_seen() -> None:
    world = World()
    order = world.place(7, START + timedelta(hours=1))

    entered = [
        await world.source.hint(7),
        await world.source.poll(),
        await world.source.poll(),
        await world.source.sweep(),
    ]
    world.shop.put(order.model_copy(update={"updated_at": START + timedelta(hours=2)}))
    entered.append(await world.source.poll())

    assert entered == [True, 0, 0, 0, 0]
    assert list(world.events.entered) == ["orders/b2b_de/#7/export"]


async def test_an_order_that_was_given_its_number_is_not_entered_until_it_is_cancelled() -> None:
    """Our own write of the number moves `updated_at`, and must not come back as work."""
    world = World()
    order = world.place(7, START + timedelta(hours=1))
    assert await world.source.poll() == 1
    numbered = {"ext_order_id": "SO-1", "updated_at": START + timedelta(hours=1)}
    order = world.shop.put(order.model_copy(update=numbered))

    assert await world.source.poll() == 0
    later = {"state": "canceled", "updated_at": START + timedelta(hours=2)}
    world.shop.put(order.model_copy(update=later))

    assert await world.source.poll() == 1
    assert list(world.events.entered)[1:] == ["orders/b2b_de/#7/cancel"]


async def test_an_unpaid_order_is_entered_when_it_is_paid() -> None:
    world = World()
    order = world.place(7, START + timedelta(hours=1), state="pending_payment")

    assert await world.source.poll() == 0
    paid = {"state": "processing", "updated_at": START + timedelta(hours=2)}
    world.shop.put(order.model_copy(update=paid))

    assert await world.source.poll() == 1


async def test_a_number_that_nobody_here_gave_an_order_is_seen_and_not_passed_over() -> None:
    world = World()
    foreign = case("orders/foreign_ext_order_id")["order"]["ext_order_id"]
    world.place(7, START + timedelta(hours=1), ext_order_id=foreign)
    world.place(8, START - timedelta(days=1), ext_order_id="AMZ-302-1234568")

    assert await world.source.poll() == 1
    assert world.events.keys == ["000000007"]


async def test_equal_numbers_of_two_store_views_are_two_orders() -> None:
    world = World()
    world.source = OrderSource(
        world.shop,
        polling(world.events),
        market_of_store={2: "b2b_de", 3: "b2b_de"},
        rules={"b2b_de": recorded.rules(start_at=START.isoformat())},
        starts=starts(world.shop, recorded.rules(start_at=START.isoformat()), {2, 3}),
        links={"b2b_de": world.links},
    )
    for each in case("orders/same_number_two_stores")["orders"]:
        told = {name: each[name] for name in ("increment_id", "store_id")}
        world.place(each["entity_id"], START, **told)

    assert await world.source.poll() == 2
    assert {event["document"] for event in world.events.entered.values()} == {"37", "38"}
    assert len({event["lock"] for event in world.events.entered.values()}) == 2


async def test_a_row_that_became_visible_late_is_still_seen() -> None:
    world = World()
    world.place(8, START + timedelta(seconds=20))
    await world.source.poll()

    world.place(7, START + timedelta(seconds=10))

    assert await world.source.poll() == 1


async def test_of_much_that_was_missed_the_newest_goes_first() -> None:
    """A night without polls: who orders in the morning does not wait for the night's orders."""
    world = World()
    await world.source.poll()
    for number in range(1, 61):
        world.clock.advance(timedelta(minutes=9))
        world.place(number, world.clock.utc())
    world.clock.advance(timedelta(minutes=5))
    world.place(100, world.clock.utc())

    assert await world.source.poll() == 41
    assert world.events.keys[0] == "000000100"
    # A few pages of the rest by each poll, the oldest first, so that what is new meanwhile is seen.
    assert world.events.keys[1:] == [f"{number:09d}" for number in range(1, 41)]
    world.clock.advance(timedelta(seconds=5))
    assert await world.source.poll() == 20
    urgent = [key for key, one in world.events.urgencies.items() if one is not Urgency.BACKLOG]
    assert urgent == ["orders/b2b_de/#100/export"]


@pytest.mark.parametrize("ahead", [timedelta(minutes=-20), timedelta(hours=2)])
async def test_a_mark_of_an_older_program_is_gone_on_from(ahead: timedelta) -> None:
    """It was the newest row's date; where that lay ahead, nothing was seen since who knows when."""
    world = World(start_at=(START - timedelta(days=9)).isoformat())
    world.watermarks.kept["orders.updated_at"] = (START + ahead).isoformat()
    world.place(1, START - timedelta(minutes=20, seconds=20))
    world.place(2, START - timedelta(minutes=1))
    world.place(3, START - timedelta(days=2))

    assert await world.source.poll() == 2
    assert sorted(world.events.keys) == ["000000001", "000000002"]


def odd(entity_id: int, member: str = "store_id") -> OddRow:
    return OddRow(entity_id=entity_id, number="3000000051", member=member, text=f"{member} is null")


async def test_an_order_that_cannot_be_read_is_kept_once_and_stops_no_other() -> None:
    world = World()
    for number in (6, 7, 8):
        world.place(number, START + timedelta(hours=1))
    world.shop.heads.odd[7] = odd(7)

    assert await world.source.poll() == 2
    assert await world.source.poll() == 0
    assert await world.source.sweep() == 0
    assert await world.source.hint(7) is False

    [kept] = world.odd_rows.kept.values()
    assert (kept.source, kept.row_id, kept.member) == ("orders", 7, "store_id")
    assert kept.name == "3000000051 (#7)"
    assert world.odd_rows.written == 1


async def test_only_the_sweep_meets_an_order_without_an_instant_of_change() -> None:
    world = World()
    world.place(6, START + timedelta(hours=1))
    world.place(7, datetime(2000, 1, 1, tzinfo=UTC))
    world.shop.heads.odd[7] = odd(7, "updated_at")

    assert await world.source.poll() == 1
    assert world.odd_rows.told == {}
    assert await world.source.sweep() == 0
    assert world.odd_rows.told == {7: "updated_at is null"}


async def test_an_order_that_the_shop_fails_at_is_left_out_of_what_is_asked_for() -> None:
    world = World()
    world.place(7, START + timedelta(hours=1))
    world.shop.heads.break_at(7)
    await world.source.poll()
    assert list(world.odd_rows.told) == [7]

    del world.shop.heads.odd[7]
    world.shop.heads.odd[7] = odd(7)
    await world.source.poll()

    assert "500" in world.odd_rows.told[7]


async def test_an_order_that_reads_well_again_is_entered_and_its_record_ends() -> None:
    """Mended in the database, which moves no instant of change."""
    world = World()
    for number, breaks in ((7, False), (8, True), (9, False)):
        world.place(number, START + timedelta(hours=1))
        world.shop.heads.odd[number] = unserved(number) if breaks else odd(number)
    await world.source.poll()
    assert await world.source.look_again() == 0
    assert world.shop.heads.asked == []

    world.clock.advance(timedelta(minutes=1))
    assert await world.source.look_again() == 0
    assert await world.source.look_again() == 0
    assert sorted(world.shop.heads.asked) == [7, 8, 9]
    del world.shop.heads.odd[7], world.shop.heads.odd[8], world.shop.orders[9]
    world.clock.advance(timedelta(minutes=1))

    assert await world.source.look_again() == 2
    assert world.odd_rows.kept == {}
    assert await world.source.poll() == 0


async def test_an_odd_order_is_asked_for_ever_less_often() -> None:
    world = World()
    world.place(7, START + timedelta(hours=1))
    world.shop.heads.odd[7] = odd(7)
    await world.source.poll()
    for _ in range(24 * 60):
        world.clock.advance(timedelta(minutes=1))
        await world.source.look_again()

    assert 24 <= len(world.shop.heads.asked) <= 32


async def test_another_fault_of_the_same_order_is_told_anew() -> None:
    world = World()
    world.place(7, START + timedelta(hours=1))
    world.shop.heads.odd[7] = odd(7)
    await world.source.poll()
    world.shop.heads.odd[7] = odd(7, "increment_id")
    await world.source.poll()

    assert world.odd_rows.told == {7: "increment_id is null"}


async def test_a_first_start_counts_what_it_can_read_and_names_the_rest() -> None:
    world = World()
    world.place(1, START + timedelta(days=1), status="pending")
    world.place(2, START + timedelta(days=1), status="pending")
    world.shop.heads.odd[2] = odd(2)

    census = await world.source.census()

    assert census.entered == {"pending": 1}
    assert [row.entity_id for row in census.odd] == [2]
    assert world.odd_rows.kept == {}


async def test_orders_of_other_websites_are_left_alone() -> None:
    world = World()
    world.place(7, START + timedelta(hours=1), store_id=9)

    assert await world.source.poll() == 0
    assert await world.source.export(7) is None
    assert await world.source.hint(7) is False
    assert await world.source.hint(8) is False


async def test_a_start_by_number_takes_it_and_what_follows() -> None:
    world = World(start_at="000000002")
    for number in (1, 2, 3):
        world.place(number, START + timedelta(days=number))

    await world.source.poll()

    assert world.events.keys == ["000000002", "000000003"]


async def test_numbers_with_marks_or_letters_are_in_by_when_their_orders_were_made() -> None:
    """Edited in the shop, an order of before the start is made anew with its number and a mark."""
    told = case("orders/reorder_suffix")
    world = World(start_at=told["config"]["start_at"])
    world.place(1, START, increment_id="3000000000")
    world.place(2, START, increment_id="3000000000-1")
    world.place(3, START, increment_id="DE000001")
    world.place(4, START + timedelta(days=1), increment_id="3000000001")
    world.place(5, START + timedelta(days=2), increment_id="3000000000-2")
    world.place(6, START + timedelta(days=2), increment_id="DE000002")
    world.place(7, START + timedelta(days=3), increment_id=told["order"]["increment_id"])

    await world.source.poll()

    assert world.events.keys == ["3000000001", "3000000000-2", "DE000002", "3000000432-1"]
    census = await world.source.census()
    assert (census.left_out.total(), census.undecided.total()) == (3, 0)


async def test_a_number_with_a_mark_whose_date_and_id_contradict_each_other_is_counted() -> None:
    """The first number was given while the shop's clock was ahead: dates tell nothing of it."""
    world = World(start_at="3000000001")
    world.place(1, START + timedelta(hours=2), increment_id="3000000001")
    world.place(2, START, increment_id="3000000001-1", status="pending")

    await world.source.poll()

    assert world.events.keys == ["3000000001"]
    assert (await world.source.census()).undecided == {"pending": 1}
    assert await world.source.export(2) is True


async def test_numbers_that_cannot_be_compared_yet_are_counted_and_not_sent() -> None:
    world = World(start_at="3000000001")
    world.place(1, START, increment_id="3000000000")
    world.place(2, START, increment_id="DE000001", status="pending")

    assert await world.source.sweep() + await world.source.poll() == 0
    census = await world.source.census()
    assert (census.left_out.total(), census.undecided) == (1, {"pending": 1})
    assert await world.source.export(2) is True

    world.place(3, START + timedelta(days=1), increment_id="3000000001")
    world.place(4, START + timedelta(days=2), increment_id="DE000002")
    assert await world.source.poll() == 2


async def test_a_cancellation_that_became_visible_late_is_found_by_the_sweep() -> None:
    """Its date lies behind what the polls have read, and it has an ERP number."""
    told = case("orders/late_visible_cancel")["order"]
    world = World()
    world.clock.advance(START - world.clock.utc() + timedelta(days=1))
    now = world.clock.utc()
    order = world.place(7, now - timedelta(hours=1), increment_id=told["increment_id"])
    world.place(8, now)
    await world.source.sweep()
    assert await world.source.poll() == 0

    cancelled = {"state": told["state"], "ext_order_id": told["ext_order_id"]}
    dated = {"updated_at": now - timedelta(seconds=90)}
    world.shop.put(order.model_copy(update={**cancelled, **dated}))

    assert await world.source.poll() == 0
    world.clock.advance(timedelta(hours=1))
    assert await world.source.sweep() == 1
    assert await world.source.sweep() == 0
    assert list(world.events.entered)[-1] == "orders/b2b_de/#7/cancel"


async def sent(world: World, **members: Any) -> Order:
    """Return an order that is in the ERP."""
    order = world.place(7, START + timedelta(hours=1), state="processing")
    await world.source.poll()
    order = world.shop.put(order.model_copy(update={"ext_order_id": "000711", **members}))
    await world.links.remember("order", "7", "000711", delivery_digest(order))
    return order


async def test_each_part_that_is_cancelled_after_an_order_was_sent_is_an_event() -> None:
    world = World()
    told = case("orders/partial_cancel_after_export")["order"]
    order = await sent(world)
    (told_row,) = told["items"]

    for hour, cancelled in enumerate((1, told_row["qty_canceled"], told_row["qty_canceled"])):
        row = order.items[0].model_copy(update={"qty_canceled": Decimal(cancelled)})
        changed = {
            "items": (row, *order.items[1:]),
            "updated_at": START + timedelta(hours=2 + hour),
        }
        world.shop.put(order.model_copy(update=changed))
        await world.source.poll()

    item = order.items[0].item_id
    changes = [key for key in world.events.entered if "/change/" in key]
    assert changes == [f"orders/b2b_de/#7/change/{item}={count}" for count in (1, 2)]


async def test_a_hold_and_its_end_are_events_each_time() -> None:
    world = World()
    order = await sent(world)

    for hour, state in enumerate(("holded", "processing", "holded", "processing"), start=2):
        at = START + timedelta(hours=hour)
        world.shop.put(order.model_copy(update={"state": state, "updated_at": at}))
        assert await world.source.poll() == 1
        # As the flow does when it stops and releases the ERP's order.
        stopped = "000711" if state == "holded" else ""
        await world.links.remember("order_stopped", "7", stopped)
    assert await world.source.poll() == 0


async def test_a_hold_of_an_order_that_was_not_sent_from_here_is_no_event() -> None:
    world = World()
    world.place(7, START + timedelta(hours=1), state="holded", ext_order_id="AMZ-302-1234567")

    assert await world.source.poll() == 0


async def test_an_address_that_was_changed_after_an_order_was_sent_is_found_by_the_sweep() -> None:
    """The shop does not move the order's date."""
    world = World()
    order = await sent(world)
    assert await world.source.sweep() == 0
    (envelope,) = order.extension_attributes.shipping_assignments
    assert envelope.shipping.address is not None
    address = envelope.shipping.address.model_copy(update={"city": "Gent"})
    shipping = envelope.shipping.model_copy(update={"address": address})
    extension = order.extension_attributes.model_copy(
        update={"shipping_assignments": (envelope.model_copy(update={"shipping": shipping}),)}
    )
    world.shop.put(order.model_copy(update={"extension_attributes": extension}))

    assert await world.source.poll() == 0
    assert await world.source.sweep() == 1
    assert await world.source.sweep() == 0
    assert list(world.events.entered)[-1].startswith("orders/b2b_de/#7/change/address/")


async def test_an_address_that_nobody_remembered_is_where_the_comparison_begins() -> None:
    """An order that an earlier version sent."""
    world = World()
    order = await sent(world)
    await world.links.remember("order", "7", "000711")

    assert await world.source.sweep() == 0
    assert await world.links.content_hash("order", "7") == delivery_digest(order)


async def test_a_stopped_double_of_a_released_order_is_entered_for_removal() -> None:
    world, clock = World(), ManualClock()
    world.place(7, START)
    erp, links = FakeOrderErp(clock, iter(())), FakeLinks()
    released = erp.put_header("000000007", IsSalesProcessingStopped=False)
    erp.put_header("000000007")
    erp.put_header("000000008")
    await links.remember("order", "7", released)
    market = SweptMarket(erp=erp, company="demf", stores={1}, links=links, of_company=[links])
    doubles = LateDoubles(
        world.shop, markets={"b2b_de": market}, forms=FakeForms(), events=world.events
    )

    assert await doubles.sweep() == 1
    assert await doubles.sweep() == 0
    assert list(world.events.entered) == ["orders/b2b_de/#7/tidy/SO-000002"]


async def test_an_order_that_cannot_be_read_hides_no_double_of_another() -> None:
    world, links = World(), FakeLinks()
    erp, events = FakeOrderErp(ManualClock(), iter(())), FakeEvents()
    for number in (7, 8):
        world.place(number, START)
        reference = f"{number:09d}"
        released = erp.put_header(reference, IsSalesProcessingStopped=False)
        erp.put_header(reference)
        await links.remember("order", str(number), released)
    world.shop.heads.odd[7] = odd(7)
    market = SweptMarket(erp=erp, company="demf", stores={1}, links=links, of_company=[links])

    swept = LateDoubles(world.shop, markets={"b2b_de": market}, forms=FakeForms(), events=events)

    assert await swept.sweep() == 1
    assert events.keys == ["000000008"]


async def test_a_double_is_removed_by_the_market_whose_order_it_is() -> None:
    """Both markets see all headers of their company."""
    world = World()
    world.place(7, START)
    erp, events = FakeOrderErp(ManualClock(), iter(())), FakeEvents()
    released = erp.put_header("000000007", IsSalesProcessingStopped=False)
    erp.put_header("000000007")
    links = {"b2b_de": FakeLinks(), "b2c": FakeLinks()}
    await links["b2c"].remember("order", "7", released)
    markets = {
        code: SweptMarket(
            erp=erp, company="demf", stores={1}, links=each, of_company=list(links.values())
        )
        for code, each in links.items()
    }

    swept = LateDoubles(world.shop, markets=markets, forms=FakeForms(), events=events)

    assert await swept.sweep() == 1
    assert list(events.entered) == ["orders/b2c/#7/tidy/SO-000002"]


async def test_a_double_under_an_earlier_form_of_the_reference_is_found() -> None:
    world, links = World(), FakeLinks()
    world.place(7, START)
    erp, events = FakeOrderErp(ManualClock(), iter(())), FakeEvents()
    await links.remember(
        "order", "7", erp.put_header("B-000000007", IsSalesProcessingStopped=False)
    )
    late = erp.put_header("000000007")
    market = SweptMarket(erp=erp, company="demf", stores={1}, links=links, of_company=[links])
    forms = FakeForms({"", "B-"})

    swept = LateDoubles(world.shop, markets={"b2b_de": market}, forms=forms, events=events)

    assert await swept.sweep() == 1
    assert list(events.entered) == [f"orders/b2b_de/#7/tidy/{late}"]


async def test_a_cancelled_order_is_no_double_of_the_like_numbered_one_of_another_store() -> None:
    """It is stopped in the ERP for good, and each sweep would ask the shop for the other again."""
    world = World()
    world.place(7, START)
    erp, links = FakeOrderErp(ManualClock(), iter(())), {"b2b_de": FakeLinks(), "b2c": FakeLinks()}
    released = erp.put_header("B-000000007", IsSalesProcessingStopped=False)
    await links["b2b_de"].remember("order", "7", released)
    await links["b2b_de"].remember("order", "8", erp.put_header("BE-000000007"))
    await links["b2c"].remember("order", "9", erp.put_header("000000007"))
    markets = {
        code: SweptMarket(
            erp=erp, company="demf", stores={1}, links=each, of_company=list(links.values())
        )
        for code, each in links.items()
    }
    forms = FakeForms({"", "B-", "BE-"})

    swept = LateDoubles(world.shop, markets=markets, forms=forms, events=world.events)

    assert await swept.sweep() == 0
    assert not world.events.entered


async def test_an_order_of_another_erp_hides_no_double_of_its_number() -> None:
    """Two environments have a company of one name, and count their orders alike."""
    world, links, other = World(), FakeLinks(), FakeLinks()
    world.place(7, START)
    erp = FakeOrderErp(ManualClock(), iter(()))
    await links.remember("order", "7", erp.put_header("000000007", IsSalesProcessingStopped=False))
    double = erp.put_header("000000007")
    await other.remember("order", "8", double)
    empty = FakeOrderErp(ManualClock(), iter(()))
    markets = {
        code: SweptMarket(erp=each, company="demf", stores={1}, links=own, of_company=[own])
        for code, each, own in (("b2b_de", erp, links), ("b2c", empty, other))
    }

    swept = LateDoubles(world.shop, markets=markets, forms=FakeForms(), events=world.events)

    assert await swept.sweep() == 1
    assert list(world.events.entered) == [f"orders/b2b_de/#7/tidy/{double}"]


async def test_a_double_of_an_order_that_nobody_knows_is_left_alone() -> None:
    world, links = World(), FakeLinks()
    erp = FakeOrderErp(ManualClock(), iter(()))
    released = erp.put_header("000000007", IsSalesProcessingStopped=False)
    erp.put_header("000000007")
    market = SweptMarket(erp=erp, company="demf", stores={1}, links=links, of_company=[links])
    swept = LateDoubles(
        world.shop, markets={"b2b_de": market}, forms=FakeForms(), events=world.events
    )

    assert await swept.sweep() == 0
    await links.remember("order", "7", released)

    assert await swept.sweep() == 0
