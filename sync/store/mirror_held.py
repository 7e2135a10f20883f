"""Keys that are held: each is one event, at which it says what is wrong with it.

    a row that the shop refuses        its fields are left out of plans; `refused` is what was
                                       tried last, `wanted` what the ERP says of these fields now
    a key of which no row can be made  nothing of it can be planned; `refused` is empty

Whoever holds a key that is held already says what is wrong now. When what the ERP says of a refused
field moves, it is tried again: soon the first time, and then later with each refusal.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.plain_texts import plain_json
from sync.store.mirror_records import MirrorRun, Values
from sync.store.states import ENDED, MOVING, STUCK

KEY, MEETS = "key", "meets"
"""Members of its event: the key, and those that are one with it."""

_REFUSALS = "refusals"

# A value that moves every minute is no reason to ask the shop every minute.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_MOST_DOUBLINGS = 6
_TOGETHER = 500
_UNFINISHED = [state.value for state in MOVING | STUCK]

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))")
_ROWS = """
    r AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        lock_key text, key text, meets jsonb, wanted jsonb, field text, text text, advice text,
        source_key text))
"""
# What is under way says by itself how it ends.
_AGAIN = text(f"""
    WITH {_ROWS}
    UPDATE sync_event e SET
        payload = e.payload || jsonb_build_object(
            'wanted', coalesce(e.payload -> 'wanted', '{{}}') || r.wanted,
            'refused', coalesce(e.payload -> 'refused', e.payload -> 'wanted', '{{}}') || r.wanted,
            'refusals', coalesce(CAST(e.payload ->> 'refusals' AS int), 1)
                + CASE WHEN r.wanted = '{{}}' THEN 0 ELSE 1 END),
        error_kind = CASE WHEN e.state = 'held' THEN 'Held' ELSE e.error_kind END,
        error_field = CASE WHEN e.state = 'held' THEN r.field ELSE e.error_field END,
        error_text = CASE WHEN e.state = 'held' THEN r.text ELSE e.error_text END,
        error_advice = CASE WHEN e.state = 'held' THEN r.advice ELSE e.error_advice END,
        changed_at = CASE WHEN e.state = 'held' THEN clock_timestamp() ELSE e.changed_at END
    FROM r WHERE e.lock_key = r.lock_key AND e.flow = :flow AND e.state <> ALL(:ended)
    RETURNING e.lock_key
""")  # noqa: S608 -- pieces of our own
_NEW = text(f"""
    WITH {_ROWS}
    INSERT INTO sync_event (flow, market, business_key, document_id, source_key, lock_key, payload,
        state, error_kind, error_field, error_text, error_advice)
    SELECT :flow, :market, r.key, r.key, r.source_key, r.lock_key, jsonb_build_object(
        'key', r.key, 'meets', r.meets, 'wanted', r.wanted, 'refused', r.wanted, 'refusals', 1),
        'held', 'Held', r.field, r.text, r.advice
    FROM r WHERE r.lock_key <> ALL(:known) ORDER BY r.lock_key
""")  # noqa: S608 -- as above
_BEGIN = text("""
    UPDATE sync_event SET payload = payload || '{"wanted": {}, "refused": {}}'
    WHERE id = :event AND fence = :fence AND payload ? 'key'
""")
HELD_FIELDS = """
    held AS MATERIALIZED (
        SELECT substr(e.lock_key, length(:lock) + 1) AS folded, w.key AS scope,
               array_agg(DISTINCT f.name) FILTER (WHERE f.name IS NOT NULL) AS fields
        FROM sync_event e
        CROSS JOIN jsonb_each(coalesce(e.payload -> 'refused', e.payload -> 'wanted')) AS w
        LEFT JOIN LATERAL jsonb_object_keys(w.value) AS f(name) ON true
        WHERE e.flow = :flow AND e.state = ANY(:unfinished) AND starts_with(e.lock_key, :lock)
        GROUP BY 1, 2)
"""
"""Which fields of which rows the shop has refused: theirs is no plan."""

_READ = text("""
    WITH held AS MATERIALIZED (
        SELECT e.id, e.payload, e.changed_at, substr(e.lock_key, length(:lock) + 1) AS folded,
               coalesce(e.payload -> 'wanted', '{}') AS wanted,
               coalesce(e.payload -> 'refused', e.payload -> 'wanted', '{}') AS refused
        FROM sync_event e
        WHERE e.flow = :flow AND e.state = 'held' AND starts_with(e.lock_key, :lock))
    SELECT h.id, h.payload, h.changed_at, h.wanted, h.refused, clock_timestamp() AS now,
           jsonb_object_agg(s.scope, s.values) AS says
    FROM held h JOIN mirror_staging s ON s.run = :run AND s.folded = h.folded AND s.scope <> ''
    WHERE NOT EXISTS (SELECT FROM mirror_staging o
                      WHERE o.run = :run AND o.scope = '' AND o.folded = h.folded
                        AND (h.refused = '{}' OR o.odd ->> 'is_part' IS DISTINCT FROM 'true'))
    GROUP BY h.id, h.payload, h.changed_at, h.wanted, h.refused
    HAVING h.refused = '{}' OR bool_or(
        s.values || coalesce(h.refused -> s.scope, '{}') <> s.values
        OR s.values || coalesce(h.wanted -> s.scope, '{}') <> s.values)
    ORDER BY h.id
""")
_FOLLOW = text("""
    UPDATE sync_event SET payload = payload || jsonb_build_object('wanted', CAST(:wanted AS jsonb))
    WHERE id = :event AND state = 'held'
""")


@dataclass(frozen=True, slots=True)
class HeldNews:
    """What a read says of keys that are held.

    Attributes:
        back: Events that are tried again now.
        over: Events with whose keys nothing is wrong any more.
        later: Keys of which the ERP says something new, and when that is tried.
    """

    back: Sequence[int] = ()
    over: Sequence[int] = ()
    later: Sequence[tuple[str, datetime]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEvent:
    """One key that is to be held; the names are those of `HeldAlone`."""

    lock_key: str
    key: str
    meets: Sequence[str]
    wanted: Mapping[str, Values]
    field: str
    text: str
    advice: str


class MirrorHeld:
    """The held keys of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def hold(self, flow: str, market: str, events: Sequence[HeldEvent]) -> None:
        """Hold keys; one that is held, or under way, already has what is wrong now added."""
        for begin in range(0, len(events), _TOGETHER):
            await self._hold(flow, market, events[begin : begin + _TOGETHER])

    async def begin_again(self, event_id: int, fence: int) -> None:
        """Note that all of a key is tried anew: nothing of it is refused until the shop says so."""
        async with self._database.begin() as connection:
            await connection.execute(_BEGIN, {"event": event_id, "fence": fence})

    async def _hold(self, flow: str, market: str, events: Sequence[HeldEvent]) -> None:
        rows = [_row(each) | {"source_key": f"{each.lock_key}/{uuid.uuid4()}"} for each in events]
        values = {"flow": flow, "rows": json.dumps(plain_json(rows))}
        async with self._database.begin() as connection:
            # Two chunks may hold one key: it is one event.
            await connection.execute(_TAKE_TURNS, {"key": f"held {flow}"})
            ended = {"ended": [state.value for state in ENDED]}
            known = list((await connection.execute(_AGAIN, values | ended)).scalars())
            await connection.execute(_NEW, values | {"market": market, "known": known})


async def news_of_held(connection: AsyncConnection, run: MirrorRun, lock: str) -> HeldNews:
    """Return what a read says of keys that are held, and keep what is wanted of them by now.

    Args:
        connection: In the transaction that plans the run.
        run: The run.
        lock: How the locks of the flow's held keys begin.
    """
    back: list[int] = []
    over: list[int] = []
    later: list[tuple[str, datetime]] = []
    values = {"run": run.id, "flow": run.flow, "lock": lock}
    for row in (await connection.execute(_READ, values)).all():
        if not row.refused:
            over.append(row.id)
            continue
        wanted = _said(row.refused, row.says)
        if wanted != row.wanted:
            said = {"event": row.id, "wanted": json.dumps(wanted)}
            await connection.execute(_FOLLOW, said)
        due_at = row.changed_at + pause_after(int(row.payload.get(_REFUSALS, 1)))
        if wanted == row.refused:
            continue
        if run.is_forced or due_at <= row.now:
            back.append(row.id)
        else:
            later.append((row.payload[KEY], due_at))
    return HeldNews(back, over, later)


def unfinished() -> list[str]:
    """Return the states in which an event keeps its key from being planned."""
    return list(_UNFINISHED)


def pause_after(refusals: int) -> timedelta:
    """Return how long after so many refusals a new value is not tried; none after the first."""
    if refusals <= 1:
        return timedelta(0)
    doubled: timedelta = _FIRST_PAUSE * 2 ** min(refusals - 2, _MOST_DOUBLINGS)
    return min(doubled, _LONGEST_PAUSE)


def _said(
    refused: Mapping[str, Mapping[str, Any]], says: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return what the ERP says now of the fields that were refused."""
    return {
        scope: {name: says.get(scope, fields).get(name, value) for name, value in fields.items()}
        for scope, fields in refused.items()
    }


def _row(event: HeldEvent) -> dict[str, Any]:
    return {
        "lock_key": event.lock_key,
        "key": event.key,
        "meets": list(event.meets),
        "wanted": {scope: dict(values) for scope, values in event.wanted.items()},
        "field": event.field,
        "text": event.text,
        "advice": event.advice,
    }
