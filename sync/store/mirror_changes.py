"""The rows of plans: handed out to be written, and noted with what came of them.

A row stays planned until its end is noted, so whoever takes over from a killed worker is given the
same ones. What the shop has acknowledged is known from then on, also of a row that a newer read has
superseded meanwhile: it was on its way, and the newer plan counts with it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain, plain_json
from sync.store.events import FenceLostError
from sync.store.mirror_records import (
    HeldRow,
    Looked,
    MirrorChange,
    RowKey,
    RowOutcome,
    RunState,
)
from sync.store.mirror_settling import settle

_TAKE = text("""
    SELECT run, scope, key, wanted, known, before, before IS NOT NULL AS is_noted, edited, shop_id,
           began_at, ended_at
    FROM mirror_change WHERE run = :run AND state = 'planned'
    ORDER BY scope, folded LIMIT :most
""")
_NOTE = text("""
    UPDATE mirror_change c SET before = coalesce(c.before, r.before),
        edited = ARRAY(SELECT DISTINCT e FROM unnest(c.edited || ARRAY(
            SELECT jsonb_array_elements_text(r.edited))) AS u(e) ORDER BY e)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(scope text, folded text, before jsonb, edited jsonb)
    WHERE c.run = :run AND c.scope = r.scope AND c.folded = r.folded
""")
_FENCE = text("""
    SELECT id FROM sync_event WHERE id = :event AND fence = :fence AND state = 'working'
    FOR UPDATE
""")
_ENDED = """
    ended AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text,
            "end" text, values jsonb, shop_id text, field text, text text, advice text))
"""
# Rows that a newer read has seen meanwhile, and that did not change the shop, stay superseded.
_END = text(f"""
    WITH {_ENDED}
    UPDATE mirror_change c SET
        state = CASE WHEN c.rest IS NOT NULL THEN 'waiting' ELSE r."end" END,
        wanted = coalesce(c.rest, c.wanted), rest = NULL,
        field = r.field, text = r.text, advice = r.advice,
        written_at = CASE WHEN r."end" = 'written' OR r."end" IN ('refused', 'missing')
            AND r.values <> '{{}}' THEN clock_timestamp() ELSE c.written_at END
    FROM ended r
    WHERE c.run = :run AND c.scope = r.scope AND c.folded = r.folded
      AND (c.state = 'planned' OR c.state = 'superseded' AND r."end" = 'written')
""")  # noqa: S608 -- pieces of our own
_OVERTAKEN = text(f"""
    WITH {_ENDED}
    SELECT c.scope, c.key FROM mirror_change c JOIN ended r USING (scope, folded)
    WHERE c.run = :run AND c.state <> 'planned' ORDER BY c.scope, c.folded
""")  # noqa: S608 -- as above
_KNOW = text(f"""
    WITH {_ENDED}
    INSERT INTO mirror_row AS m
        (flow, shop, scope, folded, key, market, shop_id, values, run, read_at, changed_at)
    SELECT u.flow, u.shop, c.scope, c.folded, c.key, u.market, r.shop_id, r.values, u.id,
           c.began_at, clock_timestamp()
    FROM ended r JOIN mirror_change c ON c.run = :run AND c.scope = r.scope
        AND c.folded = r.folded JOIN mirror_run u ON u.id = c.run
    WHERE r.values <> '{{}}'
    ORDER BY c.scope, c.folded
    ON CONFLICT (flow, shop, scope, folded) DO UPDATE SET
        key = excluded.key, market = excluded.market,
        shop_id = coalesce(excluded.shop_id, m.shop_id), values = m.values || excluded.values,
        run = excluded.run, read_at = greatest(m.read_at, excluded.read_at),
        changed_at = excluded.changed_at
""")  # noqa: S608 -- as above
# What was written is nobody's edit any more, and no longer let be.
_FORGET_EDITS = text(f"""
    WITH {_ENDED}
    UPDATE mirror_row m SET told = m.told - f.names,
        stays = ARRAY(SELECT s.name FROM unnest(m.stays) AS s(name) WHERE s.name <> ALL(f.names))
    FROM ended r JOIN mirror_run u ON u.id = :run
        CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_object_keys(r.values)) AS names) AS f
    WHERE r."end" = 'written' AND m.flow = u.flow AND m.shop = u.shop AND m.scope = r.scope
      AND m.folded = r.folded AND (m.told ?| f.names OR m.stays && f.names)
""")  # noqa: S608 -- as above
# With its write an approval is used up.
_USE_UP = text(f"""
    WITH {_ENDED}
    DELETE FROM mirror_approval a USING ended r, mirror_change c, mirror_run u
    WHERE r."end" = 'written' AND u.id = :run AND c.run = u.id AND c.scope = r.scope
      AND c.folded = r.folded AND a.flow = u.flow AND a.shop = u.shop AND a.scope = c.scope
      AND a.folded = c.folded AND a.risk || '/' || a.direction || '/approved' = ANY(c.risks)
""")  # noqa: S608 -- as above
_SUPERSEDE = text("""
    UPDATE mirror_change c SET state = 'superseded', text = :text
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text)
    WHERE c.run = :run AND c.scope = r.scope AND c.folded = r.folded AND c.state = 'planned'
""")


class MirrorChanges:
    """The rows of all plans in this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def take(self, run_id: int, most: int) -> list[MirrorChange]:
        """Return the next rows of a run that are to be written, by scope and key."""
        values = {"run": run_id, "most": most}
        async with self._database.connect() as connection:
            rows = (await connection.execute(_TAKE, values)).mappings()
            # JSON's false: the shop had no such thing.
            return [MirrorChange(**{**row, "before": row["before"] or None}) for row in rows]

    async def note(self, run_id: int, looked: Sequence[Looked]) -> None:
        """Keep what the shop had, of rows that nobody looked at before."""
        rows = [
            {**_of(each.row), "before": _before(each.held), "edited": list(each.edited)}
            for each in looked
        ]
        await self._change(_NOTE, run_id, rows)

    async def acknowledge(
        self, run_id: int, outcomes: Sequence[RowOutcome], *, event_id: int, fence: int
    ) -> list[RowKey]:
        """Keep what came of rows; return those that a newer read has seen meanwhile.

        Raises:
            FenceLostError: The event is another worker's.
        """
        values = {"run": run_id, "rows": json.dumps([_ended(each) for each in outcomes])}
        async with self._database.begin() as connection:
            held = await connection.execute(_FENCE, {"event": event_id, "fence": fence})
            if held.scalar() is None:
                raise FenceLostError(f"event {event_id} was taken over from fence {fence}")
            overtaken = [RowKey(*row) for row in await connection.execute(_OVERTAKEN, values)]
            for statement in (_KNOW, _FORGET_EDITS, _USE_UP, _END):
                await connection.execute(statement, values)
        return overtaken

    async def give_up(self, run_id: int, rows: Sequence[RowKey], text: str) -> None:
        """Take rows out of a plan: they are read again."""
        await self._change(_SUPERSEDE, run_id, [_of(row) for row in rows], text=plain(text))

    async def settle(self, run_id: int) -> RunState:
        """Note where a run stands by now, and return it."""
        async with self._database.begin() as connection:
            return await settle(connection, run_id)

    async def _change(
        self, statement: Any, run_id: int, rows: Sequence[Mapping[str, Any]], **values: Any
    ) -> None:
        if not rows:
            return
        async with self._database.begin() as connection:
            await _execute(connection, statement, {"run": run_id, **values}, rows)


async def _execute(
    connection: AsyncConnection,
    statement: Any,
    values: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    await connection.execute(statement, {**values, "rows": json.dumps(plain_json(rows))})


def _of(row: RowKey) -> dict[str, Any]:
    return {"scope": row.scope, "folded": folded(plain(row.key))}


def _before(held: HeldRow | None) -> Mapping[str, Any] | bool:
    """Return what is kept of it: JSON's false where the shop has no such thing."""
    return False if held is None else dict(held.values)


def _ended(outcome: RowOutcome) -> dict[str, Any]:
    ended = {
        **_of(outcome.row),
        "end": outcome.end.value,
        "values": dict(outcome.values),
        "shop_id": outcome.shop_id,
        "field": outcome.field,
        "text": outcome.text,
        "advice": outcome.advice,
    }
    plainly: dict[str, Any] = plain_json(ended)
    return plainly
