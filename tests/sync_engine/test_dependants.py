"""Who waits for another event is never overlooked, and visibly blocked while that one is stuck."""

import asyncio

from sqlalchemy import text

from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError, WaitForError
from sync.store.dependants import ahead_of, park
from sync.store.events import NotNow
from sync.store.states import EventState
from tests.patience import PATIENCE_SECONDS
from tests.sync_engine.engine import Engine, succeed

LOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"


async def test_who_begins_to_wait_in_the_moment_of_the_others_end_is_woken(engine: Engine) -> None:
    """The end is one statement that began before anybody waited; it looks at the row again."""
    first, second = await engine.receive("1", task="a"), await engine.receive("1", task="b")
    claimed = await engine.events.claim(first)
    assert not isinstance(claimed, NotNow)
    record = await engine.event(second)

    async with engine.database.begin() as connection:
        ahead = await ahead_of(connection, record)
        assert ahead is not None
        end = engine.events.end(first, claimed.fence, EventState.DONE, note="")
        ending = asyncio.create_task(end)
        async with engine.database.connect() as other, asyncio.timeout(PATIENCE_SECONDS):
            while not (await other.execute(text(LOCKED))).scalar():  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.01)
        await park(connection, second, behind=ahead)
    await ending

    assert await engine.state(first) is EventState.DONE
    assert await engine.state(second) is EventState.RECEIVED


async def test_who_waits_goes_on_as_soon_as_what_it_needs_is_there(engine: Engine) -> None:
    """Also where the event is held afterwards for a reason of its own."""

    async def wait(_: Work) -> Done:
        raise WaitForError(flow="customers", document_id="7", business_key="7", payload={})

    async def let_go(work: Work) -> Done:
        await work.let_go()
        assert await engine.state(order) is EventState.RECEIVED
        raise HeldError(field="addresses", text="", advice="")

    engine.orders.carry_with, engine.customers.carry_with = wait, let_go
    order = await engine.receive("1")
    await engine.carry(order)
    customer = (await engine.event(order)).depends_on
    assert customer is not None

    await engine.carry(customer)

    assert await engine.state(customer) is EventState.HELD
    engine.orders.carry_with = succeed
    await engine.carry(order)
    assert await engine.state(order) is EventState.DONE


async def test_what_waits_behind_an_event_that_becomes_blocked_is_blocked_too(
    engine: Engine,
) -> None:
    """Also where it is the wait for a customer who is held already that blocks the first."""

    async def hold(_: Work) -> Done:
        raise HeldError(field="", text="", advice="")

    async def wait(_: Work) -> Done:
        raise WaitForError(flow="customers", document_id="7", business_key="7", payload={})

    engine.orders.carry_with, engine.customers.carry_with = wait, hold
    other = await engine.receive("0")
    await engine.carry(other)
    customer = (await engine.event(other)).depends_on
    assert customer is not None
    await engine.carry(customer)
    first, second = await engine.receive("1", task="a"), await engine.receive("1", task="b")
    await engine.carry(second)
    assert await engine.state(second) is EventState.WAITING

    await engine.carry(first)

    assert await engine.state(first) is EventState.BLOCKED
    assert await engine.state(second) is EventState.BLOCKED


async def test_an_event_is_to_begin_until_it_is_taken_or_held(engine: Engine) -> None:
    """One that is held may be skipped, and then nobody would read what it had not read."""
    lock = "orders/b2b_de/1"
    first = await engine.receive("1", task="a", lock=lock)
    assert await engine.events.is_to_begin(lock)
    assert not await engine.events.is_to_begin("orders/b2b_de/2")
    claimed = await engine.events.claim(first)
    assert not isinstance(claimed, NotNow)
    assert not await engine.events.is_to_begin(lock)

    second = await engine.receive("1", task="b", lock=lock)
    await engine.carry(second)
    assert await engine.state(second) is EventState.WAITING
    assert await engine.events.is_to_begin(lock)
    await engine.events.end(first, claimed.fence, EventState.DONE, note="")

    async def hold(_: Work) -> Done:
        raise HeldError(field="", text="", advice="")

    engine.orders.carry_with = hold
    await engine.carry(second)
    assert not await engine.events.is_to_begin(lock)
    third = await engine.receive("1", task="c", lock=lock)
    await engine.carry(third)
    assert await engine.state(third) is EventState.BLOCKED
    assert await engine.events.is_to_begin(lock)
