"""Real workers over a real queue: order, pauses, a database that ends their connections."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg

from sync.engine.flow import Work
from sync.engine.outcomes import Done, RetryLaterError
from sync.engine.queue import USUAL_LEASE, Lease, queue_application
from sync.engine.workers import Workers
from sync.store.flow_control import FlowControl
from sync.store.states import EventState
from tests.patience import PATIENCE_SECONDS
from tests.sync_engine.engine import MARKET, Engine


@asynccontextmanager
async def working(
    engine: Engine, url: str, *, lease: Lease = USUAL_LEASE
) -> AsyncIterator[Workers]:
    app = queue_application(url, engine.runner.carry, connections=4)
    async with app.open_async():
        workers = Workers(
            app,
            FlowControl(engine.database),
            lines=[("orders", MARKET)],
            concurrency=4,
            lease=lease,
        )
        async with workers:
            yield workers


async def until(is_so: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 -- workers tell nobody
            await asyncio.sleep(0.02)


async def test_the_events_of_a_document_are_carried_in_order(
    engine: Engine, database_url: str
) -> None:
    """Also when an earlier one has to be tried again, and while others overtake it."""
    carried: list[str] = []
    failed: list[str] = []

    async def carry(work: Work) -> Done:
        name = f"{work.event.business_key}{work.event.payload['task']}"
        if name == "Ac" and not failed:
            failed.append(name)
            raise RetryLaterError("once", after=timedelta(milliseconds=500))
        carried.append(name)
        return Done()

    engine.orders.carry_with = carry
    for task in "abcdef":
        for key in "AB":
            await engine.receive(key, task=task)
    began = time.monotonic()

    async with working(engine, database_url):
        await until(lambda: len(carried) == 12)

    assert [name for name in carried if name[0] == "A"] == [f"A{task}" for task in "abcdef"]
    assert [name for name in carried if name[0] == "B"] == [f"B{task}" for task in "abcdef"]
    assert carried.index("Bf") < carried.index("Af")
    # Generous, since this machine may be busy; the bar of three seconds is measured apart.
    assert time.monotonic() - began < 15


async def test_a_paused_flow_carries_nothing_until_it_is_resumed(
    engine: Engine, database_url: str
) -> None:
    control = FlowControl(engine.database)
    await control.set_paused("orders", is_paused=True, reason="stocktaking", by="anna")
    async with working(engine, database_url) as workers:
        event = await engine.receive("1")
        await asyncio.sleep(1.5)
        assert workers.running == ()
        assert await engine.state(event) is EventState.RECEIVED

        await control.set_paused("orders", is_paused=False, reason="", by="anna")
        await until(lambda: engine.orders.carried == ["1"])
        await control.set_paused("orders", market=MARKET, is_paused=True, reason="again", by="anna")
        await until(lambda: workers.running == (), seconds=3)


async def test_a_limited_flow_carries_no_more_at_once(engine: Engine, database_url: str) -> None:
    control = FlowControl(engine.database)
    under_way, most, are_enough = 0, 0, asyncio.Event()
    are_enough.set()

    async def carry(_: Work) -> Done:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            are_enough.set()
        await asyncio.sleep(0.05)
        with contextlib.suppress(TimeoutError):  # the limit of before may still be obeyed
            await asyncio.wait_for(are_enough.wait(), timeout=5)
        under_way -= 1
        return Done()

    engine.orders.carry_with = carry
    await control.set_limit("orders", at_once=3, by="anna")
    await control.set_limit("orders", market=MARKET, at_once=1, by="anna")
    for number in range(5):
        await engine.receive(str(number))
    async with working(engine, database_url):
        await until(lambda: len(engine.orders.carried) == 5)
        assert most == 1

        await control.set_limit("orders", market=MARKET, at_once=None, by="anna")
        are_enough.clear()
        for number in range(20):
            await engine.receive(f"later {number}")
        await until(lambda: len(engine.orders.carried) == 25)
        assert most == 3


async def test_workers_outlive_the_end_of_all_their_connections(
    engine: Engine, database_url: str, postgres: str
) -> None:
    async with working(engine, database_url) as workers:
        await until(lambda: bool(workers.running))
        first = await engine.receive("1")
        await until(lambda: engine.orders.carried == ["1"])
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [database_url.rpartition("/")[2].partition("?")[0]],
            )

        second = await engine.receive("2")

        async with asyncio.timeout(PATIENCE_SECONDS):
            for event in (first, second):
                while await engine.state(event) is not EventState.DONE:  # noqa: ASYNC110 -- as above
                    await asyncio.sleep(0.05)
