"""What others change in the shop is found by looking through it, and mended or told once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.looks import TICK, MirrorLooks
from sync.mirror.ports import Policy
from sync.store.mirror_look_records import LookRound
from sync.store.mirror_records import ChangeState, RunState
from tests.fakes.mirror_world import FLOW, MARKET, MirrorWorld
from tests.fakes.toy_shop import KilledError

KEYS = [f"SKU-{number:02}" for number in range(40)]


class LookWorld:
    """A shop that was written, with what looks through it."""

    def __init__(self, world: MirrorWorld) -> None:
        self.world = world
        self.told: list[str] = []

    def looks(self, every: timedelta = TICK) -> MirrorLooks:
        """Return what looks, as a new process has it."""
        plans = self.world.plans

        async def is_adopted() -> bool:
            return not self.world.mirror.adopts or await plans.runs.is_adopted(FLOW, MARKET)

        async def tell(told: str) -> None:
            self.told.append(told)

        return MirrorLooks(
            self.world.mirror,
            plans.looks,
            plans.wanted,
            every=every,
            is_adopted=is_adopted,
            tell=tell,
        )

    async def heal(self) -> list[tuple[str, Mapping[str, object]]]:
        """Look through the shop, have what is wanted read and written; return what was written."""
        self.world.shelf.writes.clear()
        await self.looks().whole_round()
        await self.world.reads.change()
        await self.world.write_all()
        return list(self.world.shelf.writes)

    async def round(self) -> LookRound:
        """Return how far the look is."""
        [found] = await self.world.plans.looks.rounds()
        return found

    async def listed(self) -> dict[str, tuple[str, object]]:
        """Return what the newest run of a look lists: each key's state and what the shop has."""
        runs = [run for run in await self.world.plans.views.newest() if run.trigger == "look"]
        rows = await self.world.plans.views.rows(runs[0].id) if runs else []
        return {row.key: (row.state, row.before) for row in rows}


async def look_world(
    store: AsyncEngine,
    *,
    adopts: bool = False,
    chunk_rows: int = 4,
    keys: Sequence[str] = KEYS,
    **policies: Policy,
) -> LookWorld:
    """Return a shop that has what the ERP says, all of it written by us."""
    looked = LookWorld(MirrorWorld(store, policies=policies, adopts=adopts, chunk_rows=chunk_rows))
    world = looked.world
    world.erp.rows = {key: {"price": "100", "name": "n", "status": "1"} for key in keys}
    if not adopts:
        await world.reads.full()
        await world.write_all()
    return looked


async def test_what_somebody_edits_is_written_again_though_the_erp_says_nothing_new(
    store: AsyncEngine,
) -> None:
    looked = await look_world(store)
    assert await looked.heal() == []
    looked.world.shelf.rows["sku-03"]["name"] = "edited"
    looked.world.shelf.rows["sku-07"]["status"] = "2"
    await looked.world.reads.full()
    await looked.world.write_all()
    assert looked.world.shelf.rows["sku-03"]["name"] == "edited", "no read of the ERP sees it"

    assert {key for key, _ in await looked.heal()} == {"SKU-03", "SKU-07"}
    assert looked.world.shelf.rows["sku-03"] == {"price": "100", "name": "n", "status": "1"}
    assert looked.world.shelf.rows["sku-07"]["status"] == "1"
    assert (await looked.round()).edited == 2
    assert await looked.heal() == []


async def test_a_whole_look_sees_what_was_edited_behind_a_round_that_goes_on(
    store: AsyncEngine,
) -> None:
    """Who edits something and has the whole shop looked through wants that found."""
    looked = await look_world(store, chunk_rows=1)
    await looked.looks(timedelta(hours=24)).look()
    assert 0 < (await looked.round()).looked < len(KEYS)
    looked.world.shelf.rows["sku-00"]["name"] = "edited"
    assert [key for key, _ in await looked.heal()] == ["SKU-00"]
    assert (await looked.round()).last_looked == len(KEYS)


async def test_what_is_kept_is_told_once_and_again_when_it_is_edited_again(
    store: AsyncEngine,
) -> None:
    looked = await look_world(store, name="keep")
    shelf = looked.world.shelf
    shelf.rows["sku-03"]["name"] = "edited"
    assert await looked.heal() == []
    assert await looked.listed() == {"SKU-03": ("kept", {"name": "edited"})}
    first = await looked.world.last()
    for _ in range(3):
        assert await looked.heal() == []
    assert await looked.world.last() == first, "told at each look"

    shelf.rows["sku-03"]["name"] = "edited again"
    await looked.heal()
    assert await looked.listed() == {"SKU-03": ("kept", {"name": "edited again"})}
    # Given back by hand, it is forgotten; edited once more, it is told once more.
    shelf.rows["sku-03"]["name"] = "n"
    await looked.heal()
    last = await looked.world.last()
    shelf.rows["sku-03"]["name"] = "edited again"
    await looked.heal()
    assert await looked.world.last() == last + 1


async def test_what_was_kept_at_the_adoption_stays_until_the_erp_says_something_new(
    store: AsyncEngine,
) -> None:
    looked = await look_world(store, adopts=True)
    world = looked.world
    world.shelf.rows = {key.casefold(): dict(world.erp.rows[key]) for key in KEYS}
    world.shelf.rows["sku-03"]["name"] = "ours"
    await world.reads.full()
    await looked.looks().whole_round()
    assert await world.plans.looks.rounds() == [], "nobody wrote what it has"
    await world.plans.decisions.adopt(await world.last(), by="anna", how="keep")
    assert await looked.heal() == []

    # Another field of it is edited, which has the key read again; the name stays.
    world.shelf.rows["sku-03"]["price"] = "90"
    await looked.heal()
    assert world.shelf.rows["sku-03"] == {"price": "100", "name": "ours", "status": "1"}

    world.erp.rows["SKU-03"]["name"] = "new"
    await world.reads.full()
    await world.write_all()
    world.shelf.rows["sku-03"]["name"] = "edited"
    await looked.heal()
    assert world.shelf.rows["sku-03"]["name"] == "new"


async def test_what_the_shop_deleted_or_made_anew_is_read_again_by_every_flow(
    store: AsyncEngine,
) -> None:
    looked = await look_world(store)
    shelf = looked.world.shelf
    del shelf.rows["sku-03"]
    shelf.made_anew = {"sku-07"}
    shelf.rows["sku-07"]["name"] = "another product"
    assert {key for key, _ in await looked.heal()} == {"SKU-03", "SKU-07"}
    assert shelf.rows["sku-07"]["name"] == "n"
    assert (await looked.round()).gone == 2


async def test_a_list_that_leaves_rows_out_once_is_asked_again(store: AsyncEngine) -> None:
    looked = await look_world(store)
    looked.world.shelf.lists_nothing = 1
    assert await looked.heal() == []
    assert (await looked.round()).gone == 0


async def test_a_shop_that_lists_nothing_is_not_believed(store: AsyncEngine) -> None:
    looked = await look_world(store, chunk_rows=40)
    looked.world.shelf.lists_nothing = 2
    known = await looked.world.known()
    assert await looked.heal() == []
    assert ("40 of 40" in looked.told[0], await looked.world.known()) == (True, known)
    # The next call looks at the same rows again.
    looked.world.shelf.rows["sku-03"]["name"] = "edited"
    assert {key for key, _ in await looked.heal()} == {"SKU-03"}


async def test_more_edits_than_are_mended_unasked_wait_for_a_person(store: AsyncEngine) -> None:
    """Somebody has imported other prices into the shop, or restored it."""
    looked = await look_world(store, keys=[f"SKU-{number:04}" for number in range(300)])
    shelf = looked.world.shelf
    for row in shelf.rows.values():
        row["price"] = "90"
    await looked.looks().whole_round()
    assert await looked.world.value("SELECT count(*) FROM mirror_wanted") == 200
    [run] = await looked.world.plans.views.open()
    assert (run.trigger, run.state, "approve" in run.text) == ("look", RunState.WAITING, True)
    assert run.counts[ChangeState.WAITING] == 100

    await looked.world.plans.decisions.approve(run.id, by="anna")
    await looked.world.write_all()
    assert sum(row["price"] == "100" for row in shelf.rows.values()) == 100


async def test_a_killed_look_goes_on_after_its_last_slice_and_holds_one_at_a_time(
    store: AsyncEngine,
) -> None:
    looked = await look_world(store)
    shelf = looked.world.shelf
    for key in ("sku-01", "sku-21"):
        shelf.rows[key]["name"] = "edited"
    shelf.reads.clear()
    # At this pace each call looks at a tenth of all, and a quarter of that more.
    pace = 10 * TICK
    await looked.looks(pace).look()
    assert (await looked.round()).looked == 8
    shelf.dies_after = 1
    with pytest.raises(KilledError):
        await looked.looks(pace).look()
    shelf.dies_after = None
    for _ in range(8):
        await looked.looks(pace).look()
    done = await looked.round()
    assert (done.ended_at is None, done.looked, done.edited) == (False, 40, 2)
    assert (done.last_looked, max(shelf.reads) <= 4) == (40, True)
    # The next round is due when its time has come.
    await looked.looks(pace).look()
    assert (await looked.round()).began_at == done.began_at


async def test_what_is_on_its_way_to_the_shop_is_no_edit(store: AsyncEngine) -> None:
    looked = await look_world(store, name="keep")
    world = looked.world
    world.erp.rows["SKU-03"]["name"] = "new"
    await world.reads.full()
    changes = await world.begin(await world.last(), 10)
    ends = [world.shelf.take(each) for each in changes]
    await looked.looks().whole_round()
    assert await looked.listed() == {}, "written, and not acknowledged yet"
    await world.end(await world.last(), changes, ends)
    await looked.heal()
    assert await looked.listed() == {}
