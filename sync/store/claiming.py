"""Take an event over and end it, each in one statement where nothing stands in its way.

A fence is the time in microseconds where that is more than the last one plus one: it rises
like a count, but a database that came back from a crash without its last claims does not
give the same one out again.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, cast, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.records import EVENT_COLUMNS, EventRecord, event_record
from sync.store.states import ENDED, MOVING, EventState
from sync.store.tables import sync_event

# Not waited for on the disk: a crash of the database that forgets a claim or an end only has
# the event carried again, and whatever is journalled as sent is on the disk before the wire.
NEED_NOT_LAST = text("SET LOCAL synchronous_commit = off")
# The same, where a statement is a transaction of its own.
NEED_NOT_LAST_HERE = func.set_config("synchronous_commit", "off", True).label("durability")

_EVENT = sync_event.c
_OTHER = sync_event.alias("other")
_NOW_US = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
# Of an event whose document is known by its number only: it may be this one's.
_NUMBER_KEY = func.concat(_EVENT.flow, "/", _EVENT.market, "/", _EVENT.business_key)
_CLAIM: dict[str, Any] = {
    "state": EventState.WORKING,
    "fence": func.greatest(_EVENT.fence + 1, _NOW_US),
    "due_at": None,
    "claimed_at": func.now(),
    "changed_at": func.now(),
}


async def claim_at_once(
    connection: AsyncConnection, event_id: int, *, most_deaths: int
) -> EventRecord | None:
    """Claim an event that moves, is due and waits for nobody, as is the rule; None otherwise."""
    ahead = select(_OTHER.c.id).where(
        _OTHER.c.lock_key.in_((_EVENT.lock_key, _NUMBER_KEY)),
        _OTHER.c.id < _EVENT.id,
        _OTHER.c.state.not_in([state.value for state in ENDED]),
    )
    statement = (
        update(sync_event)
        .where(
            _EVENT.id == event_id,
            _EVENT.state.in_([state.value for state in MOVING]),
            or_(_EVENT.due_at.is_(None), _EVENT.due_at <= func.clock_timestamp()),
            or_(_EVENT.depends_on.is_(None), _EVENT.state != EventState.WAITING),
            _EVENT.deaths < most_deaths,
            ~ahead.exists(),
        )
        .values(_CLAIM)
        .returning(*EVENT_COLUMNS, NEED_NOT_LAST_HERE)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else event_record(row)


async def claim_locked(connection: AsyncConnection, event_id: int) -> EventRecord:
    """Claim an event whose row the caller has locked and judged."""
    statement = (
        update(sync_event).where(_EVENT.id == event_id).values(_CLAIM).returning(*EVENT_COLUMNS)
    )
    return event_record((await connection.execute(statement)).one())


async def now_of(connection: AsyncConnection) -> datetime:
    """Return the time by the database's clock: workers on several machines compare with one."""
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return now


async def end_unawaited(
    connection: AsyncConnection, event_id: int, fence: int, **values: Any
) -> bool:
    """End an event that is still its holder's and that nobody waits for; say whether it was.

    Args:
        connection: To the database.
        event_id: The event's.
        fence: The holder's.
        values: What to write beside the times.
    """
    statement = (
        update(sync_event)
        .where(
            _EVENT.id == event_id,
            _EVENT.fence == fence,
            _EVENT.state == EventState.WORKING,
            # On the row itself: whoever begins to wait meanwhile has locked and changed it.
            ~_EVENT.is_awaited,
        )
        .values(
            attempts=_EVENT.attempts + 1,
            deaths=0,
            changed_at=func.now(),
            ended_at=func.now(),
            **values,
        )
        .returning(_EVENT.id, NEED_NOT_LAST_HERE)
    )
    return (await connection.execute(statement)).one_or_none() is not None
