"""What a worker and its database may disagree about: forgotten ends, a worker taken for dead."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.queue import ComeBackError
from sync.engine.sweep import Sweep
from sync.store.states import EventState
from tests.patience import PATIENCE_SECONDS
from tests.sync_engine.engine import Engine, succeed
from tests.sync_engine.test_workers import until, working
from tests.sync_engine.worker_program import LEASE

_NOBODY_WAITS = """
    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database())
"""


async def numbers(engine: Engine, statement: str) -> list[int]:
    async with engine.database.connect() as connection:
        return [int(row[0]) for row in await connection.execute(text(statement))]


async def until_gone(engine: Engine, statement: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await numbers(engine, statement):  # noqa: ASYNC110 -- a database tells nobody
            await asyncio.sleep(0.05)


async def test_a_job_whose_end_the_database_forgot_is_carried_again(
    engine: Engine, database_url: str
) -> None:
    """After a crash it believes that the worker, which lives and has ended it, still carries it."""
    async with working(engine, database_url, lease=LEASE):
        event = await engine.receive("1")
        await until(lambda: engine.orders.carried == ["1"])
        await until_gone(engine, "SELECT id FROM procrastinate_jobs")
        await engine.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
            " SELECT 'orders.b2b_de', 'carry', jsonb_build_object('event_id', :event), 'doing', id"
            " FROM procrastinate_workers",
            event=event,
        )
        await engine.execute("UPDATE sync_event SET state = 'working' WHERE id = :id", id=event)

        await until(lambda: engine.orders.carried == ["1", "1"])
        await until_gone(engine, "SELECT id FROM procrastinate_jobs")

    assert await engine.state(event) is EventState.DONE


async def test_a_job_in_hand_is_left_alone_however_many_heartbeats_it_takes(
    engine: Engine, database_url: str
) -> None:
    async def carry(_: Work) -> Done:
        await asyncio.sleep(3 * LEASE.heartbeat)
        return Done()

    engine.orders.carry_with = carry
    async with working(engine, database_url, lease=LEASE):
        event = await engine.receive("1")
        await until_gone(engine, "SELECT id FROM procrastinate_jobs")

    assert engine.orders.carried == ["1"]
    assert (await engine.event(event)).attempts == 1


async def test_a_worker_that_was_taken_for_dead_is_started_as_another_one(
    engine: Engine, database_url: str
) -> None:
    async with working(engine, database_url, lease=LEASE):
        await engine.receive("1")
        await until(lambda: engine.orders.carried == ["1"])
        old = await numbers(engine, "SELECT id FROM procrastinate_workers")
        await engine.execute("DELETE FROM procrastinate_workers")

        await until_gone(engine, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM procrastinate_workers)")
        await engine.receive("2")
        await until(lambda: engine.orders.carried == ["1", "2"])
        assert await numbers(engine, "SELECT id FROM procrastinate_workers") > old


async def test_nobody_counts_as_dead_right_after_the_database_started(engine: Engine) -> None:
    """While it was away it heard of nobody; those who live must have time to speak."""
    await engine.receive("1")
    await engine.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES ('2020-01-01')")
    await engine.execute(
        "UPDATE procrastinate_jobs SET status = 'doing',"
        " worker_id = (SELECT id FROM procrastinate_workers)"
    )
    for_ever = 1e9  # seconds; no server has run for so long

    assert (
        await Sweep(engine.database, engine.queue, lease=replace(LEASE, heartbeat=for_ever)).sweep()
        == 0
    )
    assert await engine.jobs() == []
    assert (
        await Sweep(engine.database, engine.queue, lease=replace(LEASE, heartbeat=0)).sweep() == 1
    )
    assert len(await engine.jobs()) == 1


async def test_an_event_whose_claim_the_database_forgot_is_claimed_again_at_once(
    engine: Engine,
) -> None:
    """Nobody has taken it over, so there is nobody to be given time."""
    event = await engine.receive("1")

    async def forget(_: Work) -> Done:
        await engine.execute("UPDATE sync_event SET state = 'received', fence = 0, attempts = 0")
        engine.orders.carry_with = succeed
        return Done()

    engine.orders.carry_with = forget
    with pytest.raises(ComeBackError) as caught:
        await engine.runner.carry(event)
    assert caught.value.due_at is None

    assert await engine.carry(event) is None
    assert await engine.state(event) is EventState.DONE


async def test_a_job_is_not_ended_while_its_event_goes_on(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two ends the database may crash, and forget the event's."""

    async def forget(*_: object, **__: object) -> None:
        monkeypatch.undo()

    monkeypatch.setattr(engine.events, "end", forget)
    async with working(engine, database_url, lease=LEASE):
        event = await engine.receive("1")
        await until(lambda: engine.orders.carried == ["1", "1"])
        await until_gone(engine, "SELECT id FROM procrastinate_jobs")

    assert await engine.state(event) is EventState.DONE


async def test_a_sweep_and_a_worker_that_begins_do_not_wait_for_each_other(
    engine: Engine,
) -> None:
    """Both remove workers without a heartbeat, whose jobs follow: locked in one order."""
    await engine.receive("1")
    await engine.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES ('2020-01-01')")
    await engine.execute(
        "UPDATE procrastinate_jobs SET status = 'doing',"
        " worker_id = (SELECT id FROM procrastinate_workers)"
    )
    sweep = Sweep(engine.database, engine.queue, lease=replace(LEASE, heartbeat=0.0))
    async with engine.database.begin() as beginning:
        await beginning.execute(text("SELECT id FROM procrastinate_workers FOR UPDATE"))
        sweeping = asyncio.create_task(sweep.sweep())
        await until_gone(engine, _NOBODY_WAITS)
        await beginning.execute(text("DELETE FROM procrastinate_workers"))

    assert await sweeping == 1
