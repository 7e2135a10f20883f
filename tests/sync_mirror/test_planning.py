"""What a run plans: only what changed, never what is dangerous, and nothing of a broken read."""

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.mirror_records import RunState
from tests.fakes.mirror_world import MirrorWorld


async def test_only_changed_fields_are_written(store: AsyncEngine) -> None:
    world = MirrorWorld(store)
    world.erp.rows = {f"SKU-{n}": {"price": "10", "name": f"n{n}"} for n in range(7)}
    await world.reads.full()
    await world.write_all()
    assert len(world.shelf.writes) == 7
    world.shelf.writes.clear()

    await world.reads.full()
    assert await world.states(await world.last()) == {}

    world.erp.rows["SKU-3"]["price"] = "11"
    await world.reads.full()
    await world.write_all()
    assert world.shelf.writes == [("SKU-3", {"price": "11"})]
    run = await world.plans.run(await world.last())
    assert run is not None
    assert run.state is RunState.DONE
    assert run.rows_read == run.rows_expected == 7
