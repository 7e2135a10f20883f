"""The first run of a flow on a full shop compares, and writes what a person says."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.mirror_records import ChangeState, RunState, RunTrigger
from sync.store.mirror_run_record import RunDecisionError
from tests.fakes.mirror_world import FLOW, MARKET, MirrorWorld
from tests.fakes.toy_shop import KilledError

NAMES = [f"SKU-{number}" for number in range(6)]


@pytest.fixture
def world(store: AsyncEngine) -> MirrorWorld:
    """Return a shop that differs from its ERP in two names and a price, and lacks a product."""
    world = MirrorWorld(store, adopts=True)
    world.erp.rows = {key: {"price": "100", "name": "n", "status": "1"} for key in NAMES}
    world.shelf.rows = {key.casefold(): dict(world.erp.rows[key]) for key in NAMES[:5]}
    world.shelf.rows["sku-1"]["name"] = "edited"
    world.shelf.rows["sku-2"] |= {"name": "edited", "price": "90"}
    return world


async def test_nothing_is_written_before_somebody_decides(world: MirrorWorld) -> None:
    await world.reads.full()
    await world.write_all()
    run = await world.plans.run(await world.last())
    assert run is not None
    assert (run.trigger, run.state) == (RunTrigger.ADOPT, RunState.WAITING)
    assert run.text.startswith("the shop differs in 2 rows")
    assert await world.states(run.id) == {
        "sku-1": "waiting",
        "sku-2": "waiting",
        "sku-5": "missing",
    }
    fields = {(each.field, each.rows) for each in await world.plans.views.fields(run.id)}
    assert {("name", 2), ("price", 1)} <= fields
    assert (await world.known())["sku-2"] == {"status": "1"}

    # What changes meanwhile waits as well.
    world.erp.rows["SKU-0"]["price"] = "101"
    await world.want("SKU-0")
    await world.reads.change()
    await world.write_all()
    assert world.shelf.writes == []
    with pytest.raises(RunDecisionError):
        await world.plans.decisions.approve(run.id, by="anna")


async def test_what_is_kept_is_written_when_the_erp_says_something_else(
    world: MirrorWorld,
) -> None:
    await world.reads.full()
    run = await world.last()
    await world.plans.decisions.adopt(run, by="anna", how="keep")
    await world.reads.full()
    await world.write_all()
    # The missing one is made by the run after it.
    assert [key for key, _ in world.shelf.writes] == ["SKU-5"]
    world.shelf.writes.clear()
    world.erp.rows["SKU-1"]["name"] = "new"
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == [("SKU-1", {"name": "new"})]


async def test_fields_are_decided_one_by_one(world: MirrorWorld) -> None:
    await world.reads.full()
    run = await world.last()
    decisions = world.plans.decisions
    assert await decisions.adopt(run, by="anna", how="overwrite", field="name") == 2
    await world.write_all()
    assert world.shelf.writes == [("SKU-1", {"name": "n"}), ("SKU-2", {"name": "n"})]
    assert (await world.states(run))["sku-2"] == "waiting"
    waiting = await world.plans.run(run)
    assert waiting is not None
    assert "approve with --adopt" in waiting.text

    assert await decisions.adopt(run, by="anna", how="keep", field="price") == 1
    found = await world.plans.run(run)
    assert found is not None
    assert (found.state, found.text) == (RunState.DONE, "")
    assert world.shelf.rows["sku-2"]["price"] == "90"
    with pytest.raises(RunDecisionError):
        await decisions.adopt(run, by="anna", how="keep")


async def test_an_adoption_withdraws_nothing(world: MirrorWorld) -> None:
    """What the ERP has blocked is left to the next run, which judges it by its limits."""
    for key in NAMES[:4]:
        world.erp.rows[key]["status"] = "2"
    await world.reads.full()
    await world.plans.decisions.adopt(await world.last(), by="anna", how="overwrite")
    await world.write_all()
    assert {name for _, values in world.shelf.writes for name in values} == {"name", "price"}

    await world.reads.full()
    await world.write_all()
    run = await world.last()
    assert set((await world.states(run)).values()) == {"waiting", "written"}
    assert {row.key for row in await world.plans.views.rows(run, state=ChangeState.WAITING)} == {
        *NAMES[:4]
    }


async def test_a_later_look_takes_the_place_of_an_undecided_one(world: MirrorWorld) -> None:
    await world.reads.full()
    first = await world.last()
    world.shelf.rows["sku-1"]["name"] = "n"
    await world.reads.full()

    before = await world.plans.run(first)
    assert before is not None
    assert before.state is RunState.SUPERSEDED
    told = f"has compared the shop again; what waits now is run {await world.last()}"
    with pytest.raises(RunDecisionError, match=told):
        await world.plans.decisions.adopt(first, by="anna", how="keep")
    assert await world.states(await world.last()) == {"sku-2": "waiting", "sku-5": "missing"}
    assert (await world.plans.decisions.reject(await world.last(), by="anna")) == 1


async def test_what_was_decided_is_written_before_everything_is_read_again(
    world: MirrorWorld,
) -> None:
    """A second first look ended the one that was being written, and asked all of it anew."""
    await world.reads.full()
    run = await world.last()
    await world.plans.decisions.adopt(run, by="anna", how="overwrite")
    for only_looks in (False, True):
        with pytest.raises(RunDecisionError, match=f"run {run} of {FLOW} of {MARKET}, is being"):
            await world.reads.by_hand(by="anna", only_looks=only_looks)
    await world.reads.full()
    assert await world.last() == run

    await world.write_all()
    assert (await world.reads.by_hand(by="anna")).trigger is RunTrigger.BY_HAND
    assert [key for key, _ in world.shelf.writes] == ["SKU-1", "SKU-2"]


async def test_a_decision_stands_that_was_made_while_the_shop_was_compared_again(
    world: MirrorWorld,
) -> None:
    await world.reads.full()
    run, read = await world.last(), world.shelf.read

    async def decide(rows: list[object]) -> object:
        world.shelf.read = read  # type: ignore[method-assign]
        await world.plans.decisions.adopt(run, by="anna", how="overwrite")
        return await read(rows)  # type: ignore[arg-type]

    world.shelf.read = decide  # type: ignore[method-assign,assignment]
    again = await world.reads.by_hand(by="ben")

    assert again.state is RunState.FAILED
    assert f"run {run} of" in again.text
    await world.write_all()
    assert await world.plans.runs.is_adopted(FLOW, MARKET)


async def test_a_killed_comparison_goes_on_with_what_is_left(world: MirrorWorld) -> None:
    compared: list[int] = []
    read = world.shelf.read

    async def read_and_die(rows: list[object]) -> object:
        compared.append(len(rows))
        if len(compared) == 2:
            raise KilledError
        return await read(rows)  # type: ignore[arg-type]

    world.shelf.read = read_and_die  # type: ignore[method-assign,assignment]
    with pytest.raises(KilledError):
        await world.reads.full()
    await world.reads.full()

    assert compared == [4, 2, 2]
    assert (await world.states(await world.last()))["sku-5"] == "missing"
    assert len(await world.known()) == 5


async def test_rows_that_a_crash_of_the_database_lost_are_compared_again(
    world: MirrorWorld,
) -> None:
    """Not compared and not waiting, they would be overwritten by the next run."""
    read = world.shelf.read

    async def die(_: object) -> object:
        raise KilledError

    world.shelf.read = die  # type: ignore[method-assign,assignment]
    with pytest.raises(KilledError):
        await world.reads.full()
    await world.execute("TRUNCATE mirror_staging")
    world.shelf.read = read  # type: ignore[method-assign]
    await world.reads.full()
    assert (await world.states(await world.last()))["sku-1"] == "waiting"


async def test_rows_refused_while_an_adoption_is_written_are_held_at_once(
    world: MirrorWorld,
) -> None:
    """Nothing else is planned before it is done, and so they waited unseen."""
    world.shelf.refused = {"sku-1"}
    await world.reads.full()
    run = await world.last()
    await world.plans.decisions.adopt(run, by="anna", how="overwrite")
    await world.write(run, most=1)
    assert await world.plans.runs.is_adopted(FLOW, MARKET) is False
    held = await world.all("SELECT business_key, state, error_text FROM sync_event")
    assert ("SKU-1", "held", "no") in {tuple(row) for row in held}
