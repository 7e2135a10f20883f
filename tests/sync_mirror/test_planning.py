"""What a run plans: only what changed, never what is dangerous, and nothing of a broken read."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.resilience.errors import UpstreamError, UpstreamUnavailableError
from sync.mirror import read_life
from sync.store.mirror_records import RowKey, RunState
from sync.store.mirror_run_record import RunDecisionError, RunLostError
from tests.fakes.mirror_world import FLOW, MARKET, MirrorWorld
from tests.fakes.toy_shop import KilledError
from tests.patience import PATIENCE_SECONDS

NAMES = [f"SKU-{number}" for number in range(10)]


@pytest.fixture
async def world(store: AsyncEngine) -> MirrorWorld:
    """Return an ERP and a shop with ten products each, and all of them known."""
    world = MirrorWorld(store)
    world.erp.rows = {key: {"price": "100", "status": "1", "name": "n"} for key in NAMES}
    await world.reads.full()
    await world.write_all()
    world.shelf.writes.clear()
    return world


async def state_of(world: MirrorWorld) -> tuple[str, str]:
    """Return the newest run's state, and what is said of it."""
    run = await world.plans.run(await world.last())
    assert run is not None
    return run.state.value, run.text


async def held_as(world: MirrorWorld, key: str) -> tuple[object, ...]:
    """Return the state of a key's event, the field at fault, and what is wrong with it."""
    statement = "SELECT state, error_field, error_text FROM sync_event WHERE business_key = :key"
    [row] = await world.all(statement, key=key)
    return tuple(row)


async def test_only_changed_fields_are_written(world: MirrorWorld) -> None:
    await world.reads.full()
    assert await world.states(await world.last()) == {}

    world.erp.rows["SKU-3"]["price"] = "101"
    await world.reads.full()
    await world.write_all()

    assert world.shelf.writes == [("SKU-3", {"price": "101"})]
    run = await world.plans.run(await world.last())
    assert run is not None
    assert run.state is RunState.DONE
    assert run.rows_read == run.rows_expected == 10


async def test_an_erp_that_does_not_count_is_expected_to_bring_what_it_brought_last(
    world: MirrorWorld,
) -> None:
    """Runs of stock showed neither how far they had read nor how long it would take."""
    world.erp.counts = False
    world.erp.rows["SKU-10"] = {"price": "100", "status": "1", "name": "n"}
    expected = [(await world.reads.by_hand(by="anna")).rows_expected for _ in range(2)]

    assert expected == [10, 11]


async def test_the_last_read_of_everything_is_known_with_when_the_one_before_it_began(
    world: MirrorWorld,
) -> None:
    views = world.plans.views
    [first] = await views.whole_reads()
    assert (first.flow, first.market, first.before_at) == (FLOW, MARKET, None)

    await world.plans.want(FLOW, MARKET, ["SKU-3"], is_forced=True, reason="test")
    await world.reads.change()
    assert await views.whole_reads() == [first]

    await world.reads.full()
    [second] = await views.whole_reads()
    assert second.before_at == first.began_at
    assert first.ended_at < second.began_at < second.ended_at


@pytest.mark.parametrize("price", ["0", "200", "50"])
async def test_all_prices_of_a_poisoned_export_wait(world: MirrorWorld, price: str) -> None:
    for values in world.erp.rows.values():
        values["price"] = price
    await world.reads.full()
    await world.write_all()

    assert world.shelf.writes == []
    state, told = await state_of(world)
    assert state == "waiting"
    assert price != "0" or told == "zeroed: 10 within 24 hours, 2 allowed"
    risks = await world.plans.views.risks(await world.last())
    assert {(each.risk, each.rows) for each in risks} >= {("repriced", 10)}


async def test_a_row_over_its_own_limit_waits_alone(world: MirrorWorld) -> None:
    world.erp.rows["SKU-1"]["price"] = "131"
    world.erp.rows["SKU-2"]["price"] = "130"
    await world.reads.full()
    await world.write_all()

    assert world.shelf.writes == [("SKU-2", {"price": "130"})]
    assert await world.states(await world.last()) == {"sku-1": "waiting", "sku-2": "written"}


async def test_what_a_mirror_knows_beside_its_rows_is_judged_with_them(
    world: MirrorWorld,
) -> None:
    world.erp.rows["SKU-1"]["price"] = world.erp.rows["SKU-2"]["price"] = "131"
    world.agreed["SKU-1"] = "131"
    await world.reads.full()

    assert await world.states(await world.last()) == {"sku-1": "planned", "sku-2": "waiting"}
    # Only its judgement knows of it.
    told = await world.all("SELECT known FROM mirror_change WHERE run = :r", r=await world.last())
    assert all("agreed" not in known for [known] in told)


async def test_a_limit_counts_the_last_day_and_not_what_was_approved(world: MirrorWorld) -> None:
    """Four may be repriced within 24 hours, however many runs they come in."""
    for number in range(3):
        world.erp.rows[f"SKU-{number}"]["price"] = "110"
    await world.reads.full()
    await world.write_all()
    for number in range(3, 5):
        world.erp.rows[f"SKU-{number}"]["price"] = "110"
    await world.reads.full()
    assert await state_of(world) == ("waiting", "repriced: 5 within 24 hours, 4 allowed")

    assert await world.plans.decisions.approve(await world.last(), by="anna") == 2
    await world.write_all()
    world.erp.rows["SKU-5"]["price"] = "110"
    await world.reads.full()
    await world.write_all()
    assert [key for key, _ in world.shelf.writes] == [f"SKU-{number}" for number in range(6)]


async def test_an_approval_holds_while_the_direction_does(world: MirrorWorld) -> None:
    world.erp.rows["SKU-1"]["price"] = world.erp.rows["SKU-2"]["price"] = "200"
    await world.reads.full()
    await world.plans.decisions.approve(await world.last(), by="anna")
    # Before anything of it is written, both are read again.
    world.erp.rows["SKU-1"]["price"], world.erp.rows["SKU-2"]["price"] = "220", "20"
    await world.want("SKU-1", "SKU-2")
    await world.reads.change()
    await world.write_all()

    assert world.shelf.writes == [("SKU-1", {"price": "220"})]
    assert (await world.states(await world.last()))["sku-2"] == "waiting"


@pytest.mark.parametrize("left", [0, 8])
async def test_a_shrunken_catalog_plans_nothing_unless_forced(
    world: MirrorWorld, left: int
) -> None:
    world.erp.rows = dict(list(world.erp.rows.items())[:left])
    await world.reads.full()
    state, told = await state_of(world)
    assert state == "failed"
    assert "nothing is planned" in told
    assert [asked.keys for asked in world.erp.reads[-1:]] == [None]
    assert await world.plans.runs.has_failed(FLOW, MARKET), "it is read again soon"

    run = await world.reads.by_hand(by="anna", is_forced=True)
    assert run.state in (RunState.WAITING, RunState.WRITING)


async def test_a_missing_key_is_asked_for_before_it_is_withdrawn(world: MirrorWorld) -> None:
    world.erp.leaves_out = {"SKU-4"}
    await world.reads.full()
    assert world.erp.reads[-1].keys == ["SKU-4"]
    assert await world.states(await world.last()) == {}

    del world.erp.rows["SKU-4"]
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == [("SKU-4", {"status": "2"})]
    await world.reads.full()
    assert world.erp.reads[-1].keys is None, "once withdrawn, it is not asked for again"


async def test_a_key_that_is_asked_for_and_missing_is_withdrawn(world: MirrorWorld) -> None:
    del world.erp.rows["SKU-4"]
    await world.want("SKU-4", "SKU-99")
    await world.reads.change()
    await world.write_all()
    assert world.shelf.writes == [("SKU-4", {"status": "2"})]


async def test_two_rows_that_meet_in_one_key_are_both_held(world: MirrorWorld) -> None:
    world.erp.rows["sku-1 "] = {"price": "1", "status": "1", "name": "other"}
    world.erp.rows["SKU-2"]["name"] = "new"
    await world.reads.full()
    await world.write_all()

    assert world.shelf.writes == [("SKU-2", {"name": "new"})]
    [held] = world.entered.held
    assert (held.key, held.meets) == ("SKU-1", ["sku-1 "])
    planning = await world.reads.planned(["SKU-1", "sku-1 "], by="event 1")
    assert [each.text for each in planning.odd] == ["is one to the shop with sku-1 "]
    # Asked for alone, either meets the other one.
    planning = await world.reads.planned(["sku-1 "], by="event 1")
    assert [each.key for each in planning.odd] == ["SKU-1"]


async def test_what_cannot_be_mapped_is_held_and_the_rest_flows(world: MirrorWorld) -> None:
    world.erp.odd = {"SKU-1"}
    world.erp.rows["SKU-1"]["price"] = world.erp.rows["SKU-2"]["price"] = "101"
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == [("SKU-2", {"price": "101"})]
    assert [each.key for each in world.entered.held] == ["SKU-1"]
    assert await held_as(world, "SKU-1") == ("held", "unit", "'Karton' is not mapped")

    # While it is held, nobody enters it again; mapped, it is over.
    world.entered.held.clear()
    await world.reads.full()
    assert world.entered.held == []
    world.erp.odd = set()
    await world.reads.full()
    await world.write_all()
    assert (await held_as(world, "SKU-1"))[0] == "skipped"
    assert world.shelf.writes[1:] == [("SKU-1", {"price": "101"})]
    # Nobody asked the ERP for it alone.
    assert {None} == {asked.keys for asked in world.erp.reads}


async def test_one_odd_field_is_held_and_the_others_of_its_key_flow(world: MirrorWorld) -> None:
    """What the ERP had blocked stayed on sale while its name was odd."""
    world.erp.partly = {"SKU-1": {"name"}}
    world.erp.rows["SKU-1"] |= {"name": "<b>", "status": "2"}
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == [("SKU-1", {"status": "2"})]
    assert [each.key for each in world.entered.held] == ["SKU-1"]

    # Its event writes what else differs, and goes on being held by name.
    world.erp.rows["SKU-1"]["price"] = "101"
    planning = await world.reads.planned(["SKU-1"], by="event 1")
    assert (planning.run is None, [each.field for each in planning.odd]) == (False, ["unit"])
    await world.write_all()
    assert world.shelf.writes[1:] == [("SKU-1", {"price": "101"})]

    world.erp.partly, world.erp.rows["SKU-1"]["name"] = {}, "b"
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes[2:] == [("SKU-1", {"name": "b"})]
    assert (await held_as(world, "SKU-1"))[0] == "skipped"


async def test_a_refused_row_is_not_written_again_until_it_is_another(world: MirrorWorld) -> None:
    world.shelf.refused = {"sku-1"}
    world.erp.rows["SKU-1"]["name"] = "<b>"
    await world.reads.full()
    await world.write_all()
    assert await held_as(world, "SKU-1") == ("held", "", "no")
    await world.reads.full()
    assert await world.states(await world.last()) == {}
    assert await world.in_line() == []

    world.shelf.refused = set()
    world.erp.rows["SKU-1"]["name"] = "b"
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == []
    [event] = await world.in_line()
    await world.try_again(event)
    assert world.shelf.writes == [("SKU-1", {"name": "b"})]
    assert (await held_as(world, "SKU-1"))[0] == "done"


async def test_a_refused_field_holds_up_no_other_of_its_row(world: MirrorWorld) -> None:
    world.shelf.refused = {"sku-1"}
    world.erp.rows["SKU-1"]["name"] = "<b>"
    await world.reads.full()
    await world.write_all()
    world.shelf.refused = set()
    world.erp.rows["SKU-1"]["price"] = "101"
    await world.want("SKU-1", is_forced=True)
    await world.reads.change()
    await world.write_all()
    assert world.shelf.writes == [("SKU-1", {"price": "101", "status": "1"})]


async def test_what_the_shop_does_not_have_is_not_made_of_what_it_did_not_refuse(
    world: MirrorWorld,
) -> None:
    world.shelf.refused = {"new"}
    world.erp.rows["NEW"] = {"name": "<b>", "price": "1"}
    await world.reads.full()
    await world.write_all()
    world.shelf.refused = set()
    world.erp.rows["NEW"]["status"] = "1"
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == []


async def test_a_refused_value_that_moves_at_each_read_is_sent_ever_more_seldom(
    world: MirrorWorld,
) -> None:
    """Sixty reads in fifteen minutes sent it sixty times."""
    world.shelf.refused = {"sku-1"}
    for number in range(60):
        world.erp.rows["SKU-1"]["name"] = f"<b>{number}"
        await world.want("SKU-1")
        await world.reads.change()
        await world.write_all()
        for event in await world.in_line():
            await world.try_again(event)
        await world.let_pass(0.25)
    assert 3 <= len(world.shelf.refusals) <= 7
    statement = "SELECT count(*), min(payload -> 'wanted' -> 'global' ->> 'name') FROM sync_event"
    [told] = await world.all(f"{statement} WHERE business_key = 'SKU-1'")
    assert told == (1, "<b>59"), "one event, and it says what the ERP says now"

    # What moved last is tried, also if it moves no more.
    world.shelf.refused = set()
    await world.let_pass(60)
    await world.reads.change()
    for event in await world.in_line():
        await world.try_again(event)
    assert world.shelf.writes == [("SKU-1", {"name": "<b>59"})]


async def test_a_killed_read_goes_on_where_it_was(world: MirrorWorld) -> None:
    world.erp.rows["SKU-0"]["name"] = world.erp.rows["SKU-9"]["name"] = "new"
    world.erp.breaks_after, world.erp.error = 2, KilledError
    with pytest.raises(KilledError):
        await world.reads.full()
    broken = await world.last()
    world.erp.breaks_after = None
    await world.reads.full()
    await world.write_all()

    assert await world.last() == broken
    pages = [len(page.rows) for asked in world.erp.reads[-2:] for page in asked.pages]
    assert pages == [3, 3, 3, 1]
    assert [key for key, _ in world.shelf.writes] == ["SKU-0", "SKU-9"]


async def test_a_read_that_lost_its_rows_with_the_database_begins_anew(world: MirrorWorld) -> None:
    world.erp.breaks_after, world.erp.error = 2, KilledError
    with pytest.raises(KilledError):
        await world.reads.full()
    await world.execute("TRUNCATE mirror_staging")
    world.erp.breaks_after = None
    await world.reads.full()
    assert (await state_of(world))[0] == "done"
    assert world.shelf.writes == []


async def test_whoever_lost_a_read_adds_nothing_to_it(world: MirrorWorld) -> None:
    """A process that was stopped in the middle wakes up when another has gone on."""

    async def be_overtaken() -> None:
        world.erp.between = None
        assert await world.plans.runs.take_up(FLOW, MARKET) is not None

    world.erp.between = be_overtaken
    with pytest.raises(RunLostError):
        await world.reads.full()


async def test_a_read_that_the_erp_breaks_off_plans_nothing(world: MirrorWorld) -> None:
    world.erp.breaks_after = 1
    world.erp.rows["SKU-0"]["price"] = "101"
    world.erp.error = lambda: UpstreamUnavailableError("gone", system="fo")
    with pytest.raises(UpstreamError):
        await world.reads.full()
    assert await state_of(world) == ("reading", "the reading broke off: gone")
    world.erp.error = lambda: UpstreamError("not as agreed", system="fo")
    with pytest.raises(UpstreamError):
        await world.reads.full()
    assert (await state_of(world))[0] == "failed"
    assert world.shelf.writes == []


async def test_a_read_by_hand_that_breaks_off_ends_with_its_reason(world: MirrorWorld) -> None:
    """It stayed "reading" for hours: nobody takes it up, and whoever began it is told."""
    world.erp.breaks_after = 1
    world.erp.error = lambda: UpstreamUnavailableError("gone", system="fo")
    with pytest.raises(UpstreamError):
        await world.reads.by_hand(by="anna")
    assert await state_of(world) == ("failed", "the reading broke off: gone")
    world.erp.error = asyncio.CancelledError
    with pytest.raises(asyncio.CancelledError):
        await world.reads.by_hand(by="anna")
    assert await state_of(world) == ("failed", "whoever read for it was stopped")


async def test_a_read_by_hand_whose_process_is_killed_ends_within_minutes(
    world: MirrorWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.erp.breaks_after, world.erp.error = 2, KilledError
    with pytest.raises(KilledError):
        await world.reads.by_hand(by="anna")
    killed = await world.last()
    world.erp.breaks_after = None
    await world.reads.full()
    assert await world.last() != killed, "a schedule does not take it up"
    await world.execute("UPDATE mirror_run SET changed_at = now() - interval '3 minutes'")
    await world.reads.change()
    ended = await world.plans.run(killed)
    assert ended is not None
    assert (ended.state.value, ended.text) == ("failed", "the program that read for it ended")

    # Whoever reads slowly, and lives, keeps it.
    monkeypatch.setattr(read_life, "_KEEP_SECONDS", 0.01)
    changed: list[object] = []

    async def wait() -> None:
        world.erp.between = None
        before = "UPDATE mirror_run SET changed_at = now() - interval '1 hour' WHERE id = :run"
        await world.execute(before, run=await world.last())
        late = "SELECT changed_at < now() - interval '1 minute' FROM mirror_run WHERE id = :run"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await world.value(late, run=await world.last()):  # noqa: ASYNC110 -- a database
                await asyncio.sleep(0.01)
        changed.append(await world.last())

    world.erp.between = wait
    run = await world.reads.by_hand(by="anna")
    assert (changed, run.state) == ([run.id], RunState.DONE)


async def test_an_older_read_does_not_undo_what_was_read_meanwhile(world: MirrorWorld) -> None:
    """A full read has seen a row early; what is planned of it last is what was read last."""

    async def meanwhile() -> None:
        world.erp.between = None
        world.erp.rows["SKU-0"]["price"] = "101"
        await world.want("SKU-0")
        await world.reads.change()
        await world.write_all()

    world.erp.between = meanwhile
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == [("SKU-0", {"price": "101"})]


async def test_what_is_on_its_way_is_corrected_though_it_is_not_known_yet(
    world: MirrorWorld,
) -> None:
    world.erp.rows["SKU-0"]["price"] = "101"
    await world.reads.full()
    older = await world.last()
    changes = await world.begin(older, 10)
    world.erp.rows["SKU-0"]["price"] = "100"
    await world.want("SKU-0")
    await world.reads.change()
    newer = await world.last()

    ends = [world.shelf.take(each) for each in changes]
    event = await world.event()
    overtaken = await world.plans.acknowledge(older, ends, event_id=event, fence=1)
    await world.write(newer)

    assert overtaken == [RowKey("global", "SKU-0")]
    assert world.shelf.rows["sku-0"]["price"] == "100"


async def test_a_look_writes_nothing_until_it_is_approved(world: MirrorWorld) -> None:
    world.erp.rows["SKU-0"]["price"] = "101"
    run = await world.reads.by_hand(by="anna", only_looks=True)
    await world.write_all()
    assert (run.state, world.shelf.writes) == (RunState.WAITING, [])
    assert await world.plans.decisions.approve(run.id, by="anna") == 1
    await world.write_all()
    assert world.shelf.writes == [("SKU-0", {"price": "101"})]


async def test_a_wish_of_during_a_read_is_read_again(world: MirrorWorld) -> None:
    async def wish() -> None:
        await world.want("SKU-0", is_forced=True)

    await world.want("SKU-1", is_forced=True)
    world.erp.between = wish
    await world.reads.full()
    world.erp.between = None
    assert await world.states(await world.last()) == {"sku-1": "planned"}
    await world.reads.change()
    assert await world.states(await world.last()) == {"sku-0": "planned"}


async def test_what_the_shop_made_anew_is_wanted_by_every_flow(world: MirrorWorld) -> None:
    world.erp.rows["SKU-0"]["price"] = "101"
    await world.reads.full()
    run = await world.last()
    await world.plans.renew(run, [RowKey("global", "SKU-0")])
    assert "sku-0" not in await world.known()
    await world.reads.change()
    await world.write_all()
    assert world.shelf.writes == [("SKU-0", world.erp.rows["SKU-0"])]


async def test_an_undo_restores_what_is_still_as_the_run_left_it(world: MirrorWorld) -> None:
    for key in ("SKU-0", "SKU-1"):
        world.erp.rows[key]["price"] = "110"
    await world.reads.full()
    undone = await world.last()
    await world.write_all()
    world.erp.rows["SKU-1"]["price"] = "111"
    await world.want("SKU-1")
    await world.reads.change()
    await world.write_all()
    world.shelf.writes.clear()

    run = await world.plans.undo.plan(undone, by="anna", at=world.clock.utc())
    await world.write_all()

    assert world.shelf.writes == [("SKU-0", {"price": "100"})]
    [kept] = [row for row in await world.plans.views.rows(run.id) if row.state == "kept"]
    assert (kept.key, kept.text) == ("SKU-1", "was written again since")
    with pytest.raises(RunDecisionError):
        await world.plans.undo.plan(9999, by="anna", at=world.clock.utc())


async def test_an_undo_settles_the_runs_whose_rows_it_takes(world: MirrorWorld) -> None:
    """They waited for a person for ever, with nothing left to decide."""
    world.erp.rows["SKU-0"]["name"] = "new"
    await world.reads.full()
    undone = await world.last()
    await world.write_all()
    world.erp.rows["SKU-0"]["price"] = "200"
    await world.reads.full()
    waiting = await world.last()
    assert (await state_of(world))[0] == "waiting"

    undo = await world.plans.undo.plan(undone, by="anna", at=world.clock.utc())
    found = await world.plans.run(waiting)
    assert found is not None
    assert (found.state, found.text) == (RunState.SUPERSEDED, f"run {undo.id} has its rows now")
    assert found.counts["superseded"] == 1
    with pytest.raises(RunDecisionError, match=f"run {waiting} is superseded"):
        await world.plans.decisions.approve(waiting, by="anna")


async def test_an_approved_look_settles_the_runs_whose_rows_it_takes(world: MirrorWorld) -> None:
    world.erp.rows["SKU-0"]["price"] = "200"
    await world.reads.full()
    waiting = await world.last()
    look = await world.reads.by_hand(by="anna", only_looks=True)
    await world.plans.decisions.approve(look.id, by="anna")
    found = await world.plans.run(waiting)
    assert found is not None
    assert found.state is RunState.SUPERSEDED


async def test_old_runs_are_forgotten_but_the_one_to_compare_with(world: MirrorWorld) -> None:
    await world.reads.full()
    await world.execute("UPDATE mirror_run SET ended_at = now() - interval '90 days'")
    assert await world.plans.runs.forget(timedelta(days=30)) == 1
    [run] = await world.plans.views.newest()
    assert run.rows_read == 10
    assert await world.states(run.id) == {}
