"""Take an event over, in one statement where nothing stands in its way.

A fence is the time in microseconds where that is more than the last one plus one: it rises
like a count, but a database that came back from a crash without its last claims does not
give the same one out again.
"""

from typing import Any

from sqlalchemy import BigInteger, cast, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.records import EVENT_COLUMNS, EventRecord, event_record
from sync.store.states import ENDED, MOVING, EventState
from sync.store.tables import sync_event

# Not waited for on the disk: a crash of the database that forgets a claim or an end only has
# the event carried again, and whatever is journalled as sent is on the disk before the wire.
NEED_NOT_LAST = text("SET LOCAL synchronous_commit = off")

_EVENT = sync_event.c
_EARLIER = sync_event.alias("earlier")
_NOW_US = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
_CLAIM: dict[str, Any] = {
    "state": EventState.WORKING,
    "fence": func.greatest(_EVENT.fence + 1, _NOW_US),
    "attempts": _EVENT.attempts + 1,
    "deaths": _EVENT.deaths + 1,
    "due_at": None,
    "claimed_at": func.now(),
    "changed_at": func.now(),
}


async def claim_at_once(
    connection: AsyncConnection, event_id: int, *, most_deaths: int
) -> EventRecord | None:
    """Claim an event that moves, is due and waits for nobody, as is the rule; None otherwise."""
    ahead = select(_EARLIER.c.id).where(
        _EARLIER.c.lock_key == _EVENT.lock_key,
        _EARLIER.c.id < _EVENT.id,
        _EARLIER.c.state.not_in([state.value for state in ENDED]),
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
        .returning(*EVENT_COLUMNS)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else event_record(row)


async def claim_locked(connection: AsyncConnection, event_id: int) -> EventRecord:
    """Claim an event whose row the caller has locked and judged."""
    statement = (
        update(sync_event).where(_EVENT.id == event_id).values(_CLAIM).returning(*EVENT_COLUMNS)
    )
    return event_record((await connection.execute(statement)).one())
