"""What a chunk does with a shop that refuses, breaks off, is edited and makes products anew."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any

import pytest

from sync.engine.outcomes import HeldError
from sync.store.events import FenceLostError
from sync.store.lines import Urgency
from sync.store.mirror_records import (
    ChangeState,
    RowKey,
    RunState,
    RunTrigger,
    Values,
)
from sync.store.mirror_run_record import HeldKey
from tests.fakes.toy_shop import Fault
from tests.sync_mirror.toys import ToyWorld
from tests.virtual_time import run_virtual

SKUS = [f"LAMP-{number:02}" for number in range(20)]
LAMP = RowKey("global", "LAMP-00")


def priced(price: str) -> dict[RowKey, Values]:
    """Return every lamp at a price."""
    return {RowKey("global", sku): {"name": sku.lower(), "price": price} for sku in SKUS}


RAISED = priced("12")


def virtually(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on a loop whose clock moves only when nothing can run."""

    @wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        run_virtual(test(*arguments, **named))

    return run


def stocked(**settings: Any) -> ToyWorld:
    """Return a world whose shop has every lamp at 10, as we wrote it, and a text of its own."""
    world = ToyWorld(**settings)
    for sku in SKUS:
        world.stock(RowKey("global", sku), name=sku.lower(), price="10", text="by hand")
        del world.plans.known[RowKey("global", sku)].values["text"]  # type: ignore[attr-defined]
        world.shop.put(RowKey("global", sku), text="by hand")
    return world


@virtually
async def test_only_the_changed_fields_are_written_in_chunks_of_one_line() -> None:
    world = stocked()
    await world.run(RAISED)

    assert {row.key for row, _ in world.shop.log} == set(SKUS)
    assert {tuple(values) for _, values in world.shop.log} == {("price",)}
    assert all(held.values["text"] == "by hand" for held in world.shop.rows.values())
    assert max(world.shop.sizes) <= world.batch_rows
    chunks = list(world.events.entered.values())
    assert len(chunks) == 4  # 6, 6, 6 and 2 rows
    assert set(world.events.locks.values()) == {"mirror/toys/https://shop.example.com"}
    assert set(world.events.urgencies.values()) == {Urgency.BACKLOG}
    assert world.plans.runs[1].state is RunState.DONE
    assert await world.run(RAISED) == ["run 2: nothing left"]
    assert len(world.shop.log) == len(SKUS)


@pytest.mark.parametrize(("policy", "price"), [("overwrite", "12"), ("keep", "99")])
@virtually
async def test_what_was_edited_in_the_shop_is_recorded_and_its_policy_obeyed(
    policy: Any, price: str
) -> None:
    world = stocked(policies={"price": policy})
    world.shop.put(LAMP, price="99")
    await world.run(RAISED)

    change = world.plans.changes[1, LAMP]
    assert list(change.edited) == ["price"]
    assert change.before is not None
    assert change.before["price"] == "99"
    assert world.held(LAMP).values["price"] == price
    assert sum(bool(one.edited) for one in world.plans.changes.values()) == 1
    # What is kept stays, whatever the ERP says next, until the shop has that.
    await world.run(RAISED)
    assert world.held(LAMP).values["price"] == price
    await world.run(priced("13"))
    assert world.held(LAMP).values["price"] == ("99" if policy == "keep" else "13")
    world.shop.put(LAMP, price="13")
    await world.run(priced("14"))
    assert world.held(LAMP).values["price"] == "14"


@virtually
async def test_a_refusal_of_a_committed_write_is_no_refusal() -> None:
    world = stocked()
    world.shop.write_faults = [Fault.COMMITTED_400] * 7
    await world.run(RAISED)

    assert len(world.shop.log) == len(SKUS)  # nothing was sent twice
    assert set(world.plans.states.values()) == {ChangeState.WRITTEN}
    assert world.events.rows() == []


@virtually
async def test_a_deadlock_is_repeated_and_makes_room() -> None:
    world = stocked(ceiling=4)
    world.shop.write_faults = [Fault.DEADLOCK]
    await world.run(RAISED)

    assert set(world.plans.states.values()) == {ChangeState.WRITTEN}
    assert (await world.governor.view()).width == 2


@virtually
async def test_one_bad_row_stops_none_of_its_batch_and_becomes_an_event() -> None:
    world = stocked(batch_rows=6)
    world.shop.poison, world.shop.bad = {"LAMP-03"}, {"LAMP-08"}
    await world.run(RAISED)

    written = {row.key for row, _ in world.shop.log}
    assert written == set(SKUS) - {"LAMP-03", "LAMP-08"}
    assert world.events.rows() == ["LAMP-03", "LAMP-08"]
    poisoned = world.plans.outcomes[[one.key for one in world.plans.outcomes].index("LAMP-03")]
    assert "No such entity" in poisoned.text
    # While it is held, a second refusal enters nothing.
    await world.run(RAISED)
    assert world.events.rows() == ["LAMP-03", "LAMP-08"]


@virtually
async def test_a_row_that_breaks_the_shop_is_refused_and_a_broken_shop_refuses_none() -> None:
    world = stocked(batch_rows=6)
    world.shop.breaking = {"LAMP-03"}
    await world.run(RAISED)
    assert world.events.rows() == ["LAMP-03"]

    broken = stocked(batch_rows=6)
    broken.shop.write_faults = [Fault.BROKE] * 40
    await broken.run(RAISED)
    assert broken.events.rows() == []
    assert set(broken.plans.states.values()) == {ChangeState.WRITTEN}


@virtually
async def test_batches_that_are_too_long_become_shorter() -> None:
    world = stocked(chunk_rows=20, batch_rows=16, ceiling=1)
    world.shop.most = 4
    await world.run(RAISED)
    assert world.events.rows() == []
    tried = len(world.shop.sizes)
    await world.run({row: {**values, "price": "13"} for row, values in RAISED.items()})
    assert max(world.shop.sizes[tried:]) <= 8


@virtually
async def test_a_product_that_was_made_anew_is_read_again_and_not_written() -> None:
    world = stocked()
    world.shop.make_anew(LAMP)
    await world.run(RAISED)

    assert LAMP not in world.plans.known
    assert world.plans.wanted == [("LAMP-00", False, "made anew")]
    assert world.held(LAMP).values["price"] == "10"
    await world.run(RAISED)
    assert world.held(LAMP).values["price"] == "12"


@virtually
async def test_what_a_newer_read_has_seen_meanwhile_is_read_again() -> None:
    world = stocked(chunk_rows=20)
    event_of = (await world.begin(RAISED)).id
    changes = await world.plans.take(event_of, 20)
    world.plans.states[1, LAMP] = ChangeState.SUPERSEDED
    event = next(iter(world.events.entered.values()))

    async def stale(run: int, most: int) -> Any:
        del run, most
        return changes

    world.plans.take = stale  # type: ignore[method-assign]
    await world.carry(event)
    assert [(key, is_forced) for key, is_forced, _ in world.plans.wanted] == [("LAMP-00", True)]


@virtually
async def test_who_has_lost_the_chunk_acknowledges_nothing() -> None:
    world = stocked()
    await world.begin(RAISED)
    event = next(iter(world.events.entered.values()))
    carrying = asyncio.ensure_future(world.carry(event))
    await asyncio.sleep(0)
    world.plans.fence += 1
    with pytest.raises(FenceLostError):
        await carrying
    assert world.plans.outcomes == []


@virtually
async def test_undo_restores_what_is_still_as_its_run_left_it() -> None:
    world = stocked()
    await world.run(RAISED)
    world.shop.put(LAMP, price="50")
    run = world.plans.plan({}, RunTrigger.UNDO)
    for row in RAISED:
        world.plans.put(run.id, row, {"price": "10"}, world.plans.known[row])
    world.plans.runs[run.id] = replace(run, trigger=RunTrigger.UNDO)
    await world.flow_entries.enter_first(run.id, world.mirror, Urgency.FRESH)
    await world.carry_all()

    assert world.held(LAMP).values["price"] == "50"
    assert world.plans.states[run.id, LAMP] is ChangeState.KEPT
    assert world.plans.known[LAMP].values["price"] == "12"
    others = [one for row, one in world.shop.rows.items() if row != LAMP]
    assert {one.values["price"] for one in others} == {"10"}


@virtually
async def test_undo_makes_nothing() -> None:
    world = ToyWorld()
    run = world.plans.plan({}, RunTrigger.UNDO)
    world.plans.put(run.id, LAMP, {"price": "10"}, None)
    await world.flow_entries.enter_first(run.id, world.mirror, Urgency.FRESH)
    await world.carry_all()
    assert world.shop.rows == {}
    assert world.plans.states[run.id, LAMP] is ChangeState.MISSING


@virtually
async def test_a_row_of_its_own_is_read_anew_and_held_while_it_is_refused() -> None:
    world = stocked()
    world.shop.bad = {LAMP.key}
    await world.run(RAISED)
    event = next(one for one in world.events.entered.values() if "key" in one.payload)
    assert event.payload["wanted"] == {"global": {"price": "12"}}
    [held] = world.events.held.values()
    assert (held.field, held.text) == ("name", "a name is required"), "at once, and with no look"
    with pytest.raises(HeldError, match="a name is required"):
        await world.carry(event)

    world.planner.desired[LAMP] = {"price": "13"}
    world.shop.bad = set()
    await world.carry(event)
    assert world.held(LAMP).values["price"] == "13"

    world.planner.odd[LAMP.key] = HeldKey(
        key=LAMP.key, field="SalesUnitSymbol", text="no unit ea", advice="add it to products.units"
    )
    with pytest.raises(HeldError, match="no unit ea"):
        await world.carry(event)

    # Of some fields only, it is held with what is wrong of them, and the others are written.
    world.planner.desired[LAMP] = {"price": "14"}
    with pytest.raises(HeldError, match="no unit ea"):
        await world.carry(event)
    assert world.held(LAMP).values["price"] == "14"


@virtually
async def test_new_rows_are_made_before_what_needs_them() -> None:
    world = ToyWorld(ceiling=4)
    world.shop.makes = True
    desired: dict[RowKey, Values] = {}
    for sku in SKUS[:3]:
        desired |= {RowKey("view/1", sku): {"name": "x"}, RowKey("global", sku): {"name": "y"}}
    await world.run(desired)
    scopes = [row.scope for row, _ in world.shop.log]
    assert scopes == sorted(scopes)


@virtually
async def test_an_event_that_names_nothing_is_held() -> None:
    world = stocked()
    await world.begin(RAISED)
    event = replace(next(iter(world.events.entered.values())), payload={})
    with pytest.raises(HeldError, match="neither a run nor a row"):
        await world.carry(event)
