"""Watching within a budget of requests: what is due first, and what is never asked one by one."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.order_status.turns import next_look
from sync.papers.read_budget import ReadBudget
from sync.store.watched_order_record import WatchedRecord
from tests.fakes.fulfilment_world import FulfilmentWorld
from tests.order_status.test_steps import sold_in, told
from tests.virtual_time import ManualClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANY, A_MINUTE = 25_000, 60


async def test_25000_orders_are_followed_within_the_budget() -> None:
    """The ERP tells no changes; every order is looked at within the half hour of an old one."""
    world = FulfilmentWorld()
    began = world.clock.utc()
    _sell_quiet(world, MANY)
    asked: list[int] = []
    for _ in range(60):
        before = sum(world.erp.reads.values())
        await world.look()
        asked.append(sum(world.erp.reads.values()) - before)
        world.clock.advance(timedelta(seconds=30))
    # What was saved up, and the windows that a process begins with.
    assert sum(asked) <= A_MINUTE * 31 + 10
    due = [at for at in world.watch.due_at.values() if at is not None]
    assert len(due) == MANY
    assert sum(at <= began + timedelta(minutes=1) for at in due) == 0


async def test_a_slip_is_seen_at_the_next_look_however_much_is_due() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    await world.step()
    _sell_quiet(world, 5_000)
    world.erp.post("PS-1", {next(iter(sold.lots)): Decimal(2)})
    await world.step(timedelta(seconds=30))
    assert list(world.shipped(sold).values()) == [2]


async def test_what_a_hint_names_is_looked_at_at_once_however_much_is_due() -> None:
    """Of 25,000 that are due, the clock takes a part of the budget; a hint's order goes first."""
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world)
    _sell_quiet(world, MANY)
    for _ in range(4):
        await world.step(timedelta(seconds=30))

    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    await world.watching.hint([sold.erp_number])
    await world.engine.carry_due()

    assert [text for text, _ in told(world, sold)] == ["The order is confirmed."]


async def test_a_batch_that_changes_all_orders_keeps_no_hint_waiting() -> None:
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world)
    _sell_quiet(world, MANY)
    await world.step(timedelta(seconds=30))
    for number in [*world.erp.headers]:
        world.erp.move(number)
    for _ in range(4):
        await world.step(timedelta(seconds=30))

    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    await world.watching.hint([sold.erp_number])
    await world.engine.carry_due()

    assert [text for text, _ in told(world, sold)] == ["The order is confirmed."]


async def test_what_changed_is_looked_at_before_what_is_due_longer() -> None:
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world)
    _sell_quiet(world, MANY)
    await world.step(timedelta(seconds=30))

    world.clock.advance(timedelta(seconds=30))
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    await world.step(timedelta(seconds=1))

    assert [text for text, _ in told(world, sold)] == ["The order is confirmed."]


async def test_where_the_erp_tells_changes_only_those_are_looked_at() -> None:
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    orders = [world.sell(("LAMP-01", 1)) for _ in range(3)]
    await world.step()
    world.clock.advance(timedelta(minutes=30))
    await world.look()
    before = world.erp.reads["statuses"]
    await world.step()
    assert world.erp.reads["statuses"] == before
    header = world.erp.headers[orders[1].erp_number]
    header["SysModifiedDateTime"] = world.clock.utc().isoformat()
    await world.step()
    assert world.erp.reads["statuses"] == before + 1
    await world.step()
    assert world.erp.reads["statuses"] == before + 1


async def test_a_hint_of_an_order_of_ours_looks_at_once_and_of_others_does_not() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    await world.step()
    world.erp.post("PS-1", {next(iter(sold.lots)): Decimal(2)})
    reads = Counter(world.erp.reads)
    await world.watching.hint(["SO-OTHERS"])
    assert Counter(world.erp.reads) == reads
    await world.watching.hint([sold.erp_number.lower()])
    await world.engine.carry_due()
    assert list(world.shipped(sold).values()) == [2]


async def test_a_hint_costs_two_requests_where_the_erp_tells_what_changed() -> None:
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world)
    lot = next(iter(sold.lots))
    reads = sum(world.erp.reads.values())
    world.erp.change_line(lot, OrderedSalesQuantity="3")
    await world.watching.hint([sold.erp_number])
    assert sum(world.erp.reads.values()) == reads + 2
    # Its lines are looked at by the clock.
    await world.step(timedelta(seconds=30))
    [event] = world.events(sold)
    assert event.event.payload["fact"] == "lines"


async def test_hints_of_a_burst_are_looked_at_together_and_never_beyond_the_budget() -> None:
    world = FulfilmentWorld()
    orders = [world.sell(("LAMP-01", 2)) for _ in range(40)]
    await world.step()
    before, ask = world.erp.reads["slips made"], world.erp.before

    async def asked(name: str) -> None:
        await asyncio.sleep(0)
        await ask(name)

    world.erp.before = asked
    async with asyncio.TaskGroup() as hints:
        for sold in orders:
            hints.create_task(world.watching.hint([sold.erp_number]))
    assert world.erp.reads["slips made"] <= before + 2
    spent = sum(world.erp.reads.values())
    for _ in range(5 * A_MINUTE):
        await world.watching.hint([orders[0].erp_number])
    assert sum(world.erp.reads.values()) <= spent + A_MINUTE + 2


async def test_slips_of_days_that_are_read_no_more_are_forgotten() -> None:
    """A hint costs a request for parcels where slips of its order are known."""
    world = FulfilmentWorld()
    sold = await sold_in(world)
    world.erp.post("PS-1", {next(iter(sold.lots)): Decimal(2)})
    await world.step()
    asked = []
    for days in (1, 20):
        world.clock.advance(timedelta(days=days))
        other = world.sell(("LAMP-01", 1))
        world.erp.post(f"PS-{days}", {next(iter(other.lots)): Decimal(1)})
        await world.look()
        before = world.erp.reads.get("parcels of", 0)
        await world.watching.hint([sold.erp_number])
        asked.append(world.erp.reads.get("parcels of", 0) - before)
    assert asked == [1, 0]


async def test_processes_that_look_in_turn_have_one_budget() -> None:
    clock = ManualClock()
    one, other = (ReadBudget(A_MINUTE, clock=clock) for _ in range(2))
    one.spend(50)
    other.take_over(one.kept)
    assert other.left == 10
    clock.advance(timedelta(seconds=30))
    other.take_over(one.kept)
    assert other.left == 40
    # What nobody can read, and clocks that differ, give nothing away.
    kept = f"{one.kept.split()[0]} {clock.utc() + timedelta(hours=1)}"
    other.take_over(kept)
    assert other.left == 40
    for odd in (None, "", "many 2026", "60"):
        other.take_over(odd)
        assert other.left == 40


@pytest.mark.parametrize(
    ("age", "pause"),
    [(timedelta(minutes=59), 1), (timedelta(hours=23), 5), (timedelta(days=9), 30)],
)
def test_older_orders_are_looked_at_more_rarely(age: timedelta, pause: int) -> None:
    found = next_look(since=NOON - age, now=NOON, status="Backorder", tells_changes=False)
    assert found == NOON + timedelta(minutes=pause)


@pytest.mark.parametrize("status", ["Invoiced", "Canceled"])
def test_what_is_final_is_not_looked_at_again(status: str) -> None:
    assert next_look(since=NOON, now=NOON, status=status, tells_changes=False) is None


@given(steps=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 200)), max_size=30))
def test_a_budget_never_gives_more_than_it_has_saved(steps: list[tuple[int, int]]) -> None:
    clock, spent = ManualClock(), 0
    budget = ReadBudget(A_MINUTE, clock=clock)
    began_us = clock.monotonic_us()
    for seconds, wanted in steps:
        clock.advance(timedelta(seconds=seconds))
        taken = min(wanted, budget.left)
        budget.spend(taken)
        spent += taken
        assert 0 <= budget.left <= A_MINUTE
    minutes = (clock.monotonic_us() - began_us) / 60_000_000
    assert spent <= A_MINUTE * (1 + minutes)


def _sell_quiet(world: FulfilmentWorld, count: int) -> None:
    """Have orders of three days ago in the ERP, of which nothing happens."""
    since = world.clock.utc() - timedelta(days=3)
    for number in range(1001, 1001 + count):
        erp_number = f"SO-{number}"
        world.watch.linked.append(
            WatchedRecord(
                order_id=number, number=f"{number:09}", erp_number=erp_number, since=since
            )
        )
        world.erp.order(erp_number)
        world.erp.headers[erp_number]["SysModifiedDateTime"] = since.isoformat()
