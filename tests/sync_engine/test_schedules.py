"""Scheduled tasks: once among all processes, whatever becomes of the one that is at it."""

import asyncio
from datetime import timedelta

import pytest

from sync.engine.schedules import LeaseLostError, Schedule, Schedules
from tests.sync_engine.engine import Engine

PERIOD = timedelta(minutes=5)
EXPIRE = "UPDATE claim SET held_until = now() - interval '1 second'"


class Task:
    """A task that takes until it is told to end."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.was_cancelled = False
        self.schedule = Schedule("poll", PERIOD, self.run)

    async def run(self) -> None:
        self.has_begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def nothing() -> None:
    """Do it at once."""


QUICK = Schedule("poll", PERIOD, nothing)


@pytest.mark.parametrize("minutes", [1, 600])
async def test_a_missed_tick_is_caught_up_once(engine: Engine, minutes: int) -> None:
    ran: list[str] = []

    async def run() -> None:
        ran.append("ran")

    schedule = Schedule("sweep orders", timedelta(seconds=30), run)
    one, other = Schedules(engine.database, [schedule]), Schedules(engine.database, [schedule])

    assert await one.run_if_due(schedule)
    assert not await other.run_if_due(schedule)
    await engine.execute(
        "UPDATE watermark SET changed_at = now() - make_interval(mins => :minutes)",
        minutes=minutes,
    )
    results = await asyncio.gather(one.run_if_due(schedule), other.run_if_due(schedule))
    assert sorted(results) == [False, True]
    assert ran == ["ran", "ran"]


async def test_tasks_that_keep_apart_do_not_run_within_the_same_minute(engine: Engine) -> None:
    """Each sweep asks the shop for as much as all polls of a minute."""
    ran: list[str] = []

    def task(name: str, apart: timedelta = timedelta(0)) -> Schedule:
        async def run() -> None:
            ran.append(name)

        return Schedule(name, PERIOD, run, apart=apart)

    minute = timedelta(minutes=1)
    tasks = [task("orders", minute), task("customers", minute), task("alerts")]
    schedules = Schedules(engine.database, tasks)

    due = [await schedules.run_if_due(each) for each in tasks]
    at_once = await asyncio.gather(*(schedules.run_if_due(each) for each in tasks))
    await engine.execute(
        "UPDATE watermark SET changed_at = now() - interval '2 minutes'"
        " WHERE name <> 'schedule.customers'"
    )

    assert (due, at_once) == ([True, False, True], [False] * 3)
    assert await schedules.run_if_due(tasks[1])
    assert ran == ["orders", "alerts", "customers"]


async def test_a_task_that_fails_stays_due(engine: Engine) -> None:
    async def fail() -> None:
        raise OSError("away")

    schedule = Schedule("poll", timedelta(minutes=5), fail)
    schedules = Schedules(engine.database, [schedule])

    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            await schedules.run_if_due(schedule)


async def test_a_task_is_left_to_who_is_at_it_however_long_it_takes(engine: Engine) -> None:
    """Its lease is renewed: the other one never sees it expired."""
    task = Task()
    schedules = Schedules(engine.database, [task.schedule], lease_seconds=0.3)
    other = Schedules(engine.database, [QUICK])

    running = asyncio.create_task(schedules.run_if_due(task.schedule))
    await task.has_begun.wait()
    for _ in range(6):
        await asyncio.sleep(0.1)
        assert not await other.run_if_due(QUICK)
    task.may_end.set()

    assert await running
    assert not await other.run_if_due(QUICK)


async def test_the_task_of_a_stopped_process_is_taken_over_and_its_late_mark_refused(
    engine: Engine,
) -> None:
    task = Task()
    stopped, other = (Schedules(engine.database, [task.schedule]) for _ in range(2))
    running = asyncio.create_task(stopped.run_if_due(task.schedule))
    await task.has_begun.wait()
    await engine.execute(EXPIRE)

    assert await other.run_if_due(QUICK)
    # Long ago, so that a mark of the late one would show.
    await engine.execute("UPDATE watermark SET changed_at = now() - interval '1 hour'")
    task.may_end.set()
    with pytest.raises(LeaseLostError, match="poll"):
        await running

    assert await other.run_if_due(QUICK)


async def test_a_process_that_wakes_up_ends_what_another_has_taken_over(engine: Engine) -> None:
    task = Task()
    stopped = Schedules(engine.database, [task.schedule], lease_seconds=0.3)
    running = asyncio.create_task(stopped.run_if_due(task.schedule))
    await task.has_begun.wait()
    await engine.execute("UPDATE claim SET holder = 'another'")

    with pytest.raises(LeaseLostError, match="poll"):
        await running
    assert task.was_cancelled


async def test_a_process_that_ends_gives_its_task_back_at_once(engine: Engine) -> None:
    task = Task()
    async with Schedules(engine.database, [task.schedule]):
        await task.has_begun.wait()

    assert task.was_cancelled
    assert await Schedules(engine.database, [QUICK]).run_if_due(QUICK)
