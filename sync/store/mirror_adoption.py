"""A first look at a shop that is full already: what it has equal is known, the rest is listed.

Slice by slice: what has been compared leaves the staging table in the same transaction, so an
adoption that is killed goes on with what is left.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain, plain_json
from sync.store.mirror_difference import hold_meeting_keys
from sync.store.mirror_planning import plan_alone
from sync.store.mirror_records import HeldRow, MirrorChange, MirrorRun, RowKey, Values
from sync.store.mirror_runs import change_held, end_run
from sync.store.mirror_settling import counts_of, state_after, supersede_looks

# Fields as an earlier look has found or settled them need no other.
_NEXT = text("""
    SELECT s.run, s.scope, s.key, s.values AS wanted, m.values AS known, NULL AS before,
           false AS is_noted, '{}'::text[] AS edited, m.shop_id, s.began_at, s.ended_at
    FROM mirror_staging s
    LEFT JOIN mirror_row m ON m.flow = :flow AND m.shop = :shop AND m.scope = s.scope
                          AND m.folded = s.folded
    WHERE s.run = :run AND s.scope <> '' AND NOT EXISTS (
        SELECT FROM mirror_staging o WHERE o.run = :run AND o.scope = '' AND o.folded = s.folded
           AND o.odd ->> 'is_part' IS DISTINCT FROM 'true')
    ORDER BY s.scope, s.folded LIMIT :most
""")
_FOUND = """
    found AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text,
            shop_id text, "same" jsonb, other jsonb, before jsonb))
"""
_KNOW = text(f"""
    WITH {_FOUND}
    INSERT INTO mirror_row AS m
        (flow, shop, scope, folded, key, market, shop_id, values, run, read_at, changed_at)
    SELECT :flow, :shop, s.scope, s.folded, s.key, :market, r.shop_id, r."same", :run,
           s.began_at, clock_timestamp()
    FROM found r JOIN mirror_staging s
        ON s.run = :run AND s.scope = r.scope AND s.folded = r.folded
    WHERE r.before <> 'false' ORDER BY s.scope, s.folded
    ON CONFLICT (flow, shop, scope, folded) DO UPDATE SET
        key = excluded.key, shop_id = excluded.shop_id, values = m.values || excluded.values,
        run = excluded.run, read_at = excluded.read_at, changed_at = excluded.changed_at
""")  # noqa: S608 -- pieces of our own
_LIST = text(f"""
    WITH {_FOUND}
    INSERT INTO mirror_change
        (run, scope, folded, key, wanted, known, before, shop_id, state, began_at, ended_at)
    SELECT :run, s.scope, s.folded, s.key, r.other, m.values, r.before, r.shop_id,
           CASE WHEN r.before = 'false' THEN 'missing' ELSE 'waiting' END, s.began_at, s.ended_at
    FROM found r JOIN mirror_staging s
        ON s.run = :run AND s.scope = r.scope AND s.folded = r.folded
    LEFT JOIN mirror_row m ON m.flow = :flow AND m.shop = :shop AND m.scope = s.scope
                          AND m.folded = s.folded
    WHERE r.other <> '{{}}' ON CONFLICT DO NOTHING
""")  # noqa: S608 -- as above
_LEAVE = text("""
    DELETE FROM mirror_staging s
    USING jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text)
    WHERE s.run = :run AND s.scope = r.scope AND s.folded = r.folded
""")
_LEAVE_ODD = text("""
    DELETE FROM mirror_staging s WHERE s.run = :run AND s.scope <> ''
""")
_FULFIL = text("""
    DELETE FROM mirror_wanted WHERE flow = :flow AND market = :market
       AND wished_at <= :began_at AND due_at <= :began_at
""")
# Of which a crash of the database must not have lost any.
_LEFT_NOW = """
    counts || jsonb_build_object('left', (SELECT count(*) FROM mirror_staging WHERE run = :r))
"""
_LESS = "counts || jsonb_build_object('left', CAST(counts ->> 'left' AS int) - :n)"
_WAITS = "the shop differs in {count} rows: approve with --adopt keep or --adopt overwrite"


class MirrorAdoption:
    """The first looks of all flows of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def begin(self, run: MirrorRun) -> None:
        """Hold rows of the ERP that are one to the shop; raises `RunLostError`."""
        async with self._database.begin() as connection:
            await plan_alone(connection, run.flow, run.shop)
            await change_held(connection, run)
            await hold_meeting_keys(connection, run)
            await change_held(connection, run, counts=text(_LEFT_NOW).bindparams(r=run.id))

    async def next(self, run: MirrorRun, most: int) -> list[MirrorChange]:
        """Return rows that are still to be compared; their wanted fields are all they have."""
        values = {**_place(run), "most": most}
        async with self._database.connect() as connection:
            rows = (await connection.execute(_NEXT, values)).mappings()
            return [MirrorChange(**row) for row in rows]

    async def keep(
        self,
        run: MirrorRun,
        rows: Sequence[MirrorChange],
        held: Mapping[RowKey, HeldRow],
        *,
        absent: Values,
    ) -> None:
        """Keep what a comparison has found; raises `RunLostError`.

        Args:
            run: The run.
            rows: What was compared.
            held: What the shop has; a row that it does not have is missing.
            absent: What is wanted of rows that are withdrawn: an adoption withdraws nothing, so the
                fields that differ so are left to the next run, which judges them by its limits.
        """
        found = plain_json([_compared(row, held.get(row.row), absent) for row in rows])
        values = {**_place(run), "market": run.market, "rows": json.dumps(found)}
        async with self._database.begin() as connection:
            await change_held(connection, run, counts=text(_LESS).bindparams(n=len(rows)))
            for statement in (_LIST, _KNOW, _LEAVE):
                await connection.execute(statement, values)

    async def end(self, run: MirrorRun) -> None:
        """End the comparison: what differs waits for a person; raises `RunLostError`."""
        values = {**_place(run), "market": run.market, "began_at": run.began_at}
        async with self._database.begin() as connection:
            await plan_alone(connection, run.flow, run.shop)
            counts = await counts_of(connection, run.id)
            told = _WAITS.format(count=counts["waiting"]) if counts["waiting"] else ""
            await change_held(connection, run, planned_at=func.clock_timestamp(), text=told)
            await supersede_looks(connection, run)
            for statement in (_FULFIL, _LEAVE_ODD):
                await connection.execute(statement, values)
            await end_run(connection, run.id, state_after(counts), counts | {"is_whole": 1})


def _compared(row: MirrorChange, held: HeldRow | None, absent: Values) -> Mapping[str, Any]:
    """Return what is kept of a row: which fields the shop has so, and which not."""
    place = {"scope": row.scope, "folded": folded(plain(row.key))}
    known = row.known or {}
    open_ = {name: value for name, value in row.wanted.items() if not _has(known, name, value)}
    if held is None:
        return {**place, "shop_id": None, "same": {}, "other": dict(row.wanted), "before": False}
    same = {name: value for name, value in open_.items() if held.values.get(name) == value}
    left = {name: value for name, value in open_.items() if name not in same}
    other = {name: value for name, value in left.items() if not _has(absent, name, value)}
    before = {name: held.values.get(name) for name in other}
    return {**place, "shop_id": held.shop_id, "same": same, "other": other, "before": before}


def _has(values: Mapping[str, Any], name: str, value: Any) -> bool:
    return name in values and values[name] == value


def _place(run: MirrorRun) -> dict[str, Any]:
    return {"run": run.id, "flow": run.flow, "shop": run.shop}
