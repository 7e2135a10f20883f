"""Who goes first: what somebody waits for, then what is fresh, then the backlog as it came."""

import asyncio

from sqlalchemy import event as listening

from sync.engine.flow import Work
from sync.engine.outcomes import Done, RetryLaterError, WaitForError
from sync.store.lines import Urgency
from tests.patience import PATIENCE_SECONDS
from tests.sync_engine.engine import MARKET, Engine
from tests.sync_engine.test_workers import working


async def enter_page(engine: Engine, *keys: str, urgency: Urgency = Urgency.BACKLOG) -> int:
    async def enter_all() -> None:
        for key in keys:
            await receive(engine, key)

    return await engine.events.receive_together(enter_all, urgency)


async def receive(engine: Engine, key: str, task: str = "export") -> bool:
    return await engine.events.receive(
        flow="orders",
        market=MARKET,
        business_key=key,
        source_key=f"orders/{MARKET}/{key}/{task}",
        payload={"task": task},
        lock_key=f"orders/{MARKET}/{key}",
    )


async def in_line(engine: Engine) -> list[str]:
    """Return the numbers of the orders that wait, in the order in which they are brought."""
    return [(await engine.event(event)).business_key for event in await engine.jobs()]


async def test_hinted_and_fresh_orders_go_before_a_backlog(engine: Engine) -> None:
    assert await enter_page(engine, "b1", "b3", "b2") == 3
    assert await enter_page(engine, "f1", urgency=Urgency.FRESH) == 1
    assert await receive(engine, "h1")
    assert await receive(engine, "h2")

    assert await in_line(engine) == ["h1", "h2", "f1", "b1", "b3", "b2"]


async def test_an_order_of_the_backlog_that_is_told_of_goes_first(engine: Engine) -> None:
    await enter_page(engine, "b1", "b2", "b3")

    assert not await receive(engine, "b2")
    assert await enter_page(engine, "b1", urgency=Urgency.FRESH) == 0

    assert await in_line(engine) == ["b2", "b1", "b3"]


async def test_what_a_hinted_order_waits_for_goes_first_too(engine: Engine) -> None:
    async def wait(_: Work) -> Done:
        raise WaitForError(flow="customers", document_id="7", business_key="7", payload={})

    for customer in ("6", "7"):

        async def enter(customer: str = customer) -> None:
            await engine.events.receive(
                flow="customers",
                market=MARKET,
                business_key=customer,
                document_id=customer,
                source_key=f"customers/{MARKET}/#{customer}/1",
                payload={},
                lock_key=f"customers/{MARKET}/#{customer}",
            )

        await engine.events.receive_together(enter, Urgency.BACKLOG)
    order = await engine.receive("1")
    engine.orders.carry_with = wait
    await engine.drop_job(order)
    await engine.carry(order)

    assert await in_line(engine) == ["7", "6"]


async def test_what_was_tried_before_goes_behind_what_is_new(
    engine: Engine, database_url: str
) -> None:
    """A night without the ERP: in the morning today's orders are not behind the night's."""
    tried = asyncio.Event()

    async def fail(_: Work) -> Done:
        tried.set()
        raise RetryLaterError("not yet")

    engine.orders.carry_with = fail
    async with working(engine, database_url):
        await receive(engine, "night")
        await tried.wait()

        async def is_back() -> bool:
            return await in_line(engine) == ["night"]

        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await is_back():  # noqa: ASYNC110 -- a database tells nobody
                await asyncio.sleep(0.05)
    await receive(engine, "today")

    assert await in_line(engine) == ["today", "night"]


async def test_a_page_is_entered_in_one_transaction(engine: Engine) -> None:
    """Each order was one, and a page of a hundred cost a hundred waits for the disk."""
    commits: list[object] = []
    listening.listen(engine.database.sync_engine, "commit", commits.append)

    assert await enter_page(engine, *map(str, range(100))) == 100
    assert await enter_page(engine, *map(str, range(101))) == 1

    assert len(commits) == 2
    assert len(await engine.jobs()) == 101


async def test_pages_that_hold_the_same_orders_do_not_stop_each_other(engine: Engine) -> None:
    keys = [*map(str, range(60))]
    entered = await asyncio.gather(
        *(enter_page(engine, *page) for page in (keys, keys[::-1], keys[30:] + keys[:30]))
    )

    assert sum(entered) == len(keys)
    assert sorted(await in_line(engine)) == sorted(keys)


async def test_events_of_one_document_in_a_page_stay_in_their_order(engine: Engine) -> None:
    async def enter_all() -> None:
        await receive(engine, "1", "export")
        await receive(engine, "1", "cancel")

    await engine.events.receive_together(enter_all, Urgency.BACKLOG)

    tasks = [(await engine.event(event)).payload["task"] for event in await engine.jobs()]
    assert tasks == ["export", "cancel"]


async def test_what_is_received_elsewhere_meanwhile_is_not_part_of_the_page(
    engine: Engine,
) -> None:
    may_end = asyncio.Event()

    async def enter_all() -> None:
        await receive(engine, "page")
        await may_end.wait()

    page = asyncio.create_task(engine.events.receive_together(enter_all, Urgency.BACKLOG))
    await asyncio.sleep(0)
    assert await receive(engine, "hinted")
    assert await in_line(engine) == ["hinted"]
    may_end.set()

    assert await page == 1
    assert await in_line(engine) == ["hinted", "page"]
