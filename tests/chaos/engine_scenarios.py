"""What the engine costs by itself: events whose flow does nothing, carried by two workers."""

import asyncio

from sqlalchemy.ext.asyncio import create_async_engine

from sync.engine.queue import JobQueue
from sync.store.events import EventStore
from tests.chaos.configuration import MARKET, Tuning
from tests.chaos.figures import Figure, Options
from tests.chaos.noop_worker import FLOW
from tests.chaos.processes import NOOP, ChaosError
from tests.chaos.stage import Stage, stage

_WIDTH = 8
_CHAIN = 6


def noop(options: Options) -> list[Figure]:
    """Events with a key each, that wait in line when the workers begin."""
    with stage(workers=2, latency_ms=0, tuning=Tuning(), command=NOOP) as on:
        on.workers.start()
        on.pause(is_paused=True)
        _enter(on, [f"key {number}" for number in range(options.events)])
        on.pause(is_paused=False)
        seconds = _finished(on, options.events)
        rate = options.events / seconds
        return [
            Figure(name="events", value=f"{options.events} in {seconds:.1f} s"),
            Figure(
                name="no-op events a second",
                value=f"{rate:.0f}",
                bar=">= 200",
                is_met=rate >= 200,
            ),
        ]


def chain(_: Options) -> list[Figure]:
    """Six events on one key, each after the other."""
    with stage(workers=2, latency_ms=0, tuning=Tuning(), command=NOOP) as on:
        on.workers.start()
        _enter(on, ["one key"] * _CHAIN)
        _finished(on, _CHAIN)
        query = (
            "SELECT extract(epoch FROM max(ended_at) - min(created_at)),"
            " array_agg(id ORDER BY id) = array_agg(id ORDER BY ended_at) FROM sync_event"
        )
        [(seconds, is_in_order)] = on.rows(query)
        return [
            Figure(
                name=f"chain of {_CHAIN} events on one key",
                value=f"{seconds:.2f} s",
                bar="<= 3 s",
                is_met=seconds <= 3,
            ),
            Figure(
                name="in order",
                value="yes" if is_in_order else "no",
                bar="yes",
                is_met=bool(is_in_order),
            ),
        ]


def _enter(on: Stage, keys: list[str]) -> None:
    async def enter(events: EventStore, numbers: range) -> None:
        for number in numbers:
            await events.receive(
                flow=FLOW,
                market=MARKET,
                business_key=keys[number],
                source_key=f"no-op {number}",
                payload={},
                lock_key=f"{MARKET} {keys[number]}",
            )

    async def enter_all() -> None:
        engine = create_async_engine(
            on.postgres.url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=_WIDTH
        )
        events = EventStore(engine, JobQueue())
        if len(set(keys)) == 1:
            await enter(events, range(len(keys)))
        else:
            parts = (range(part, len(keys), _WIDTH) for part in range(_WIDTH))
            await asyncio.gather(*(enter(events, part) for part in parts))
        await engine.dispose()

    asyncio.run(enter_all())


def _finished(on: Stage, count: int) -> float:
    """Wait until all have ended; return the seconds from the first claim to the last end."""
    ended = "SELECT count(*) FROM sync_event WHERE ended_at IS NOT NULL"
    if not on.until(lambda: on.rows(ended)[0][0] == count, seconds=120, look=0.5):
        raise ChaosError("the events were not finished within two minutes")
    span = "SELECT extract(epoch FROM max(ended_at) - min(claimed_at)) FROM sync_event"
    return float(on.rows(span)[0][0])
