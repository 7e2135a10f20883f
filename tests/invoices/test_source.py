"""Which bills are found, and when: lately, dated back, late to be seen, before the start."""

import asyncio
from datetime import timedelta
from decimal import Decimal

from sync.store.states import EventState
from tests.fakes.billing_world import BillingWorld

D = Decimal


async def test_what_was_billed_before_the_first_look_is_left_out() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    world.bill("CIV-1", billed, 1)
    world.clock.advance(timedelta(hours=1))
    await world.settle(30)
    assert not world.of(billed)
    world.bill("CIV-2", billed, 1)
    await world.settle(3)
    assert [each.event.payload["invoice"]["InvoiceNumber"] for each in world.of(billed)] == [
        "CIV-2"
    ]


async def test_what_is_dated_back_is_found_and_another_channels_enters_nothing() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    stranger = world.bills.sell("SO-X", "", item="LAMP-01", quantity=D(1), net=D(1), tax=D(0))
    await world.step()
    today = world.clock.utc().date()
    world.bills.invoice("CIV-1", {next(iter(billed.lots)): D(1)}, day=today - timedelta(days=2))
    world.bills.invoice("CIV-2", {stranger: D(1)})
    world.bills.enter_return("RET-X", {stranger: D(1)})
    world.bills.credit("CN-X", "RET-X")
    await world.settle(20)
    assert list(world.invoiced(billed).values()) == [1]
    assert len(world.engine.entered) == 1


async def test_an_invoice_that_becomes_visible_days_later_is_found_by_its_date() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    hidden, world.bills.billed = world.bills.billed, []
    other = world.order_of(("LAMP-02", 1))
    await world.step(timedelta(days=1))
    world.bill("CIV-2", other, 1)
    await world.settle(20)
    assert not world.of(billed)
    world.bills.billed += hidden
    await world.settle(20)
    assert list(world.invoiced(billed).values()) == [1]


async def test_where_nothing_tells_lots_heads_are_followed_by_their_dates() -> None:
    world = BillingWorld()
    world.bills.tells_lots = False
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    await world.settle(4)
    assert list(world.invoiced(billed).values()) == [1]


async def test_a_hint_has_it_looked_at_once() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    await world.source.hint(["SO-1"])
    await world.engine.carry_due()
    assert list(world.invoiced(billed).values()) == [1]


async def test_an_event_that_somebody_edited_to_nothing_is_held() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    await world.look()
    [event] = world.of(billed)
    event.replay(invoice={})
    await world.engine.carry_due()
    assert event.state is EventState.HELD
    assert "does not say which invoice" in event.reason


async def test_a_row_that_cannot_be_read_is_kept_visibly_and_stops_no_other() -> None:
    world = BillingWorld()
    billed, other = world.order_of(("LAMP-01", 2)), world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    right = dict(world.bills.billed[0])
    world.bills.billed[0]["Qty"] = None
    world.bill("CIV-2", other, 2)
    await world.settle(3)
    assert list(world.invoiced(other).values()) == [2]
    assert not world.of(billed)
    [(_, odd)] = world.odd_rows.told.items()
    assert odd == "CustInvoiceTransBiEntities: Qty not as agreed"
    world.bills.billed[0].update(right)
    await world.settle(20)
    assert list(world.invoiced(billed).values()) == [1]
    assert not world.odd_rows.told


async def test_a_burst_of_hints_costs_the_requests_of_a_look_or_two() -> None:
    world = BillingWorld()
    await world.step()
    asked: list[str] = []

    async def note(name: str) -> None:
        asked.append(name)
        await asyncio.sleep(0)

    world.bills.before = note
    await asyncio.gather(*(world.source.hint([f"SO-{number}"]) for number in range(50)))
    assert len(asked) <= 2


async def test_once_the_budget_is_spent_hints_wait_for_the_clock() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    await world.marks.put(world.its.mark("budget"), f"0 {world.clock.utc().isoformat()}")
    await world.source.hint(["SO-1"])
    assert not world.of(billed)
    await world.settle(1)
    assert world.of(billed)
