"""How events move from state to state, and what nobody may do to them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pricing_proxy.resilience.errors import (
    UpstreamDeniedError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from sync.engine.flow import Work
from sync.engine.outcomes import (
    Caution,
    Done,
    HeldError,
    InDoubtError,
    RetryLaterError,
    SkippedError,
    WaitForError,
)
from sync.engine.sweep import Sweep
from sync.store.events import MOST_DEATHS, FenceLostError, NotNow
from sync.store.interventions import InterventionError
from sync.store.records import EventRecord
from sync.store.states import EventState
from tests.sync_engine.engine import MARKET, Carry, Engine


def raising(*errors: Exception) -> Carry:
    """Fail once with each, then succeed."""
    left = list(errors)

    async def carry(_: Work) -> Done:
        if left:
            raise left.pop(0)
        return Done("at last")

    return carry


HELD = HeldError(field="CountryRegionId", text="XX is not mapped", advice="add sync.markets...")


async def test_what_was_wrong_is_forgotten_at_the_end_and_a_caution_is_kept(
    engine: Engine,
) -> None:
    event = await engine.receive("1")
    engine.orders.carry_with = raising(HELD)
    await engine.carry(event)
    await engine.interventions.replay(event, by="ann")
    await engine.carry(event)
    done = await engine.event(event)
    assert (done.state, done.note, done.trouble) == (EventState.DONE, "at last", None)

    async def warn(_: Work) -> Done:
        return Done("sent", Caution(field="Tax", text="1 and 2", advice="look"))

    other = await engine.receive("2")
    engine.orders.carry_with = warn
    await engine.carry(other)
    kept = (await engine.event(other)).trouble
    assert kept is not None
    assert (kept.kind, kept.field, kept.text) == ("Caution", "Tax", "1 and 2")


async def test_an_event_is_entered_once_and_carried(engine: Engine) -> None:
    event = await engine.receive("1")
    assert await engine.receive("1") == event

    assert await engine.jobs() == [event]
    assert await engine.carry(event) is None
    assert await engine.state(event) is EventState.DONE
    assert (await engine.event(event)).note == "done"
    # A job that is brought twice does nothing.
    assert await engine.carry(event) is None
    assert engine.orders.carried == ["1"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (HELD, EventState.HELD),
        (SkippedError("cancelled before it was sent"), EventState.SKIPPED),
        (RetryLaterError("not yet"), EventState.WAITING),
        (InDoubtError("no answer"), EventState.IN_DOUBT),
        (UpstreamUnavailableError("away", system="fo"), EventState.WAITING),
        (UpstreamDeniedError("denied", system="fo", status=401), EventState.WAITING),
        (UpstreamRejectedError("no", system="fo", status=400, reasons=("no",)), EventState.HELD),
        (ValueError("customer@example.com is odd"), EventState.WAITING),
    ],
)
async def test_every_error_becomes_a_state_that_can_be_seen(
    engine: Engine, error: Exception, state: EventState
) -> None:
    event = await engine.receive("1")
    engine.orders.carry_with = raising(error)

    due_at = await engine.carry(event)

    record = await engine.event(event)
    assert record.state is state
    assert (due_at is not None) == (state in {EventState.WAITING, EventState.IN_DOUBT})
    if state is EventState.SKIPPED:
        assert record.note == "cancelled before it was sent"
    else:
        assert record.trouble is not None
        assert record.trouble.advice
        assert "customer@example.com" not in record.trouble.text


async def test_a_named_pause_is_kept(engine: Engine) -> None:
    event = await engine.receive("1")
    throttled = UpstreamThrottledError("slow", system="fo", retry_after=timedelta(seconds=70))
    engine.orders.carry_with = raising(throttled)
    before = datetime.now(UTC)

    due_at = await engine.carry(event)

    assert due_at is not None
    assert timedelta(seconds=69) < due_at - before < timedelta(seconds=75)
    # Brought too early, it is sent back until then; neither costs an attempt.
    assert await engine.carry(event) == due_at
    assert (await engine.event(event)).attempts == 0


async def test_a_pause_of_a_century_is_ten_minutes(engine: Engine) -> None:
    """An order waited for ever, which no alert of ours takes for long."""
    event = await engine.receive("1")
    century = timedelta(days=36_525)
    engine.orders.carry_with = raising(
        UpstreamThrottledError("slow", system="magento", retry_after=century)
    )
    before = datetime.now(UTC)

    due_at = await engine.carry(event)

    assert due_at is not None
    assert timedelta(seconds=599) < due_at - before < timedelta(seconds=605)


async def test_after_enough_attempts_a_person_must_look(engine: Engine) -> None:
    event = await engine.receive("1")
    broken = UpstreamRejectedError("fo answered 500", system="fo", status=500, reasons=("locked",))
    engine.orders.carry_with = raising(*[broken] * 25)

    for _ in range(20):
        await engine.carry(event)
        await engine.make_due(event)

    record = await engine.event(event)
    assert record.state is EventState.HELD
    assert record.trouble is not None
    assert "gave up after 20 attempts" in record.trouble.text
    await engine.interventions.replay(event, by="anna")
    assert (await engine.event(event)).attempts == 0


async def test_a_sent_call_without_an_end_leaves_the_event_in_doubt(engine: Engine) -> None:
    async def carry(work: Work) -> Done:
        if await work.unacknowledged():
            return Done("found it")
        await work.call("fo", "create_header", {"CustomerEmail": "a@b.example", "n": 1}).sent()
        raise UpstreamUnavailableError("reset", system="fo", is_connection_failure=True)

    event = await engine.receive("1")
    engine.orders.carry_with = carry

    await engine.carry(event)

    assert await engine.state(event) is EventState.IN_DOUBT
    [row] = await engine.journal.of_event(event)
    assert (row.request, row.acked_at) == ({"CustomerEmail": "[hidden]", "n": 1}, None)
    await engine.make_due(event)
    await engine.carry(event)
    assert (await engine.event(event)).note == "found it"


async def test_later_events_of_a_document_wait_behind_a_held_one(engine: Engine) -> None:
    first = await engine.receive("1")
    second = await engine.receive("1", task="cancel")
    third = await engine.receive("1", task="change")
    other = await engine.receive("2")
    engine.orders.carry_with = raising(HELD)

    for event in (first, second, third, other):
        await engine.carry(event)

    assert await engine.state(first) is EventState.HELD
    assert await engine.state(second) is EventState.BLOCKED
    assert await engine.state(third) is EventState.BLOCKED
    assert await engine.state(other) is EventState.DONE
    await engine.drop_jobs()
    await engine.interventions.replay(first, by="anna")
    for event in (first, second, third):
        assert await engine.jobs() == [event]
        await engine.carry(event)
        await engine.execute(
            "DELETE FROM procrastinate_jobs WHERE CAST(args->>'event_id' AS bigint) = :id",
            id=event,
        )
        assert await engine.state(event) is EventState.DONE


async def test_an_order_waits_for_its_customer(engine: Engine) -> None:
    order, other = await engine.receive("1"), await engine.receive("2")
    wait = WaitForError(flow="customers", document_id="42", business_key="42", payload={"id": 42})
    engine.orders.carry_with = raising(wait, wait)

    await engine.carry(order)
    await engine.carry(other)

    assert await engine.state(order) is EventState.WAITING
    customer = (await engine.event(order)).depends_on
    assert customer is not None
    # Both wait for one event of the customer.
    assert (await engine.event(other)).depends_on == customer
    assert await engine.carry(order) is None
    await engine.drop_jobs()
    await engine.carry(customer)
    assert await engine.jobs() == [order, other]
    await engine.carry(order)
    assert await engine.state(order) is EventState.DONE


async def test_a_held_customer_blocks_its_orders_and_frees_them(engine: Engine) -> None:
    order = await engine.receive("1")
    wait = WaitForError(flow="customers", document_id="42", business_key="42", payload={})
    engine.orders.carry_with = raising(wait)
    engine.customers.carry_with = raising(HELD)
    await engine.carry(order)
    customer = (await engine.event(order)).depends_on
    assert customer is not None

    await engine.carry(customer)

    assert await engine.state(order) is EventState.BLOCKED
    with pytest.raises(InterventionError, match=f"replay that one|{customer}"):
        await engine.interventions.replay(order, by="anna")
    # A second order of that customer is blocked at once.
    second = await engine.receive("2")
    engine.orders.carry_with = raising(wait)
    await engine.carry(second)
    assert await engine.state(second) is EventState.BLOCKED
    await engine.interventions.skip(customer, reason="made by hand", by="anna")
    assert await engine.state(order) is EventState.RECEIVED
    assert "made by hand" in (await engine.event(customer)).note


async def test_who_lost_the_fence_can_do_nothing_more(engine: Engine) -> None:
    """A worker that was stopped and wakes up: everything it says is refused."""
    event = await engine.receive("1")
    lost: list[str] = []
    engine.orders.carry_with = carry = _stopped_in_between(engine, lost)

    due_at = await engine.carry(event)

    assert carry is engine.orders.carry_with
    assert lost == ["the same call again", "another call"]
    assert due_at is not None
    assert await engine.state(event) is EventState.DONE
    assert (await engine.event(event)).note == "by the other"


def _stopped_in_between(engine: Engine, lost: list[str]) -> Carry:
    async def carry(work: Work) -> Done:
        call = work.call("fo", "create_header", {})
        await call.sent()
        other = await engine.events.claim(work.event.id)
        assert not isinstance(other, NotNow)
        assert other.fence > work.event.fence
        await engine.events.end(other.id, other.fence, EventState.DONE, note="by the other")
        with pytest.raises(FenceLostError):
            await call.sent()
        lost.append("the same call again")
        with pytest.raises(FenceLostError):
            await work.call("fo", "add_line", {}).sent()
        lost.append("another call")
        return Done("by the first")

    return carry


async def test_an_event_that_keeps_killing_workers_is_held(engine: Engine) -> None:
    event = await engine.receive("1")
    for _ in range(MOST_DEATHS):
        assert not isinstance(await engine.events.claim(event), NotNow)
        await engine.lose_lease(event)

    assert isinstance(await engine.events.claim(event), NotNow)

    record = await engine.event(event)
    assert record.state is EventState.HELD
    assert record.trouble is not None
    assert record.trouble.kind == "WorkerDied"


async def test_what_the_database_or_nobody_knows_who_broke_off_is_no_death(engine: Engine) -> None:
    """A table that is away for half a minute held what was under way as killing its workers."""
    event = await engine.receive("1")
    for _ in range(2 * MOST_DEATHS):
        assert not isinstance(await engine.events.claim(event), NotNow)

    record = await engine.event(event)
    assert (record.state, record.deaths, record.attempts) == (EventState.WORKING, 0, 0)


async def test_an_event_that_gets_further_each_time_is_not_blamed_for_its_workers(
    engine: Engine,
) -> None:
    """As when workers are killed under load, for whatever reason."""
    event = await engine.receive("1")
    for number in range(3 * MOST_DEATHS):
        claimed = await engine.events.claim(event)
        assert not isinstance(claimed, NotNow)
        if number % 4 == 0:
            await _answered(engine, claimed, status=200)
        await engine.lose_lease(event)

    # What was throttled got nowhere.
    for _ in range(MOST_DEATHS - 4):
        claimed = await engine.events.claim(event)
        assert not isinstance(claimed, NotNow)
        await _answered(engine, claimed, status=0)
        await engine.lose_lease(event)
    assert isinstance(await engine.events.claim(event), NotNow)


async def _answered(engine: Engine, claimed: EventRecord, *, status: int) -> None:
    row = await engine.journal.sent(
        claimed.id, claimed.fence, system="fo", operation="add_line", request={}
    )
    await engine.journal.acked(row, status=status, response={})


async def test_the_sweep_brings_back_what_no_job_would_bring(engine: Engine) -> None:
    moving = await engine.receive("1")
    held = await engine.receive("2")
    engine.orders.carry_with = raising(HELD)
    await engine.carry(held)
    await engine.drop_jobs()
    sweep = Sweep(engine.database, engine.queue)
    assert await sweep.sweep() == 0
    await engine.execute("UPDATE sync_event SET changed_at = now() - interval '1 minute'")

    assert await sweep.sweep() == 1

    assert await engine.jobs() == [moving]
    assert await sweep.sweep() == 0


async def test_the_sweep_takes_jobs_from_dead_workers_only(engine: Engine) -> None:
    event = await engine.receive("1")
    sweep = Sweep(engine.database, engine.queue)
    for seconds, brought in ((1, 0), (60, 1)):
        await engine.execute(
            "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => :seconds)) RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM w)",
            seconds=seconds,
        )
        assert await sweep.sweep() == brought
    assert await engine.jobs() == [event]


@pytest.mark.parametrize("action", ["replay", "skip", "edit"])
async def test_people_change_only_what_stands_still(engine: Engine, action: str) -> None:
    async def act(event_id: int) -> None:
        if action == "replay":
            await engine.interventions.replay(event_id, by="anna")
        elif action == "skip":
            await engine.interventions.skip(event_id, reason="wrong", by="anna")
        else:
            await engine.interventions.edit(event_id, {"task": "cancel"}, by="anna")

    moving, held = await engine.receive("1"), await engine.receive("2")
    engine.orders.carry_with = raising(HELD)
    await engine.carry(held)

    with pytest.raises(InterventionError, match="under way"):
        await act(moving)
    with pytest.raises(InterventionError, match="there is no event 999999"):
        await act(999_999)
    await act(held)
    await engine.carry(moving)
    with pytest.raises(InterventionError, match="done already"):
        await act(moving)
    async with engine.database.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT who, action, subject FROM audit")
        assert [tuple(row) for row in rows] == [
            ("anna", action, f"event {held}: orders 2"),
        ]


async def test_the_overview_tells_counts_and_lag(engine: Engine) -> None:
    done, held = await engine.receive("1"), await engine.receive("2")
    await engine.carry(done)
    engine.orders.carry_with = raising(HELD)
    await engine.carry(held)
    await engine.execute(
        "UPDATE sync_event SET created_at = now() - interval '10 minutes' WHERE id = :id", id=held
    )

    [orders] = await engine.overview.flows()

    assert (orders.flow, orders.market) == ("orders", MARKET)
    assert orders.counts == {"done": 1, "held": 1}
    assert timedelta(minutes=10) <= orders.lag < timedelta(minutes=11)
    assert [each.id for each in await engine.overview.stuck()] == [held]
    assert [each.first[0].id for each in await engine.overview.held(named=1)] == [held]
    assert await engine.overview.late(timedelta(minutes=5), flow="orders", named=1) == []


async def test_many_at_once_claim_an_event_in_turns(engine: Engine) -> None:
    event = await engine.receive("1")

    claims = await asyncio.gather(*(engine.events.claim(event) for _ in range(4)))

    assert len({claim.fence for claim in claims if not isinstance(claim, NotNow)}) == 4
