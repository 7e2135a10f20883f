"""Plan to take a run back: rows get what the shop had before it, where nothing was written since.

Whatever was written since, and what the run itself has made, is listed and stays.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.store.mirror_planning import plan_alone
from sync.store.mirror_records import MirrorRun, RunState, RunTrigger
from sync.store.mirror_run_record import RunDecisionError, mirror_run_of
from sync.store.mirror_runs import end_run
from sync.store.mirror_settling import counts_of, state_after, supersede_planned
from sync.store.mirror_tables import mirror_run
from sync.store.tables import audit

_RUN = mirror_run.c
# What the run wrote and the shop had something in before, with what is known of it now.
_WRITTEN = """
    FROM mirror_change c
    LEFT JOIN mirror_row m ON m.flow = :flow AND m.shop = :shop AND m.scope = c.scope
                          AND m.folded = c.folded
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}') AS wanted
        FROM jsonb_each(CASE WHEN jsonb_typeof(c.before) = 'object' THEN c.before ELSE '{}' END) f
        WHERE c.wanted ? f.key AND f.value <> c.wanted -> f.key) AS d
    WHERE c.run = :undone AND c.state = 'written'
"""
_LEFT = """
    CASE WHEN c.before IS NULL OR jsonb_typeof(c.before) <> 'object'
         THEN 'the shop had no such thing before'
         WHEN m.values IS NULL OR m.values || c.wanted <> m.values THEN 'was written again since'
    END
"""
_PLAN = text(f"""
    INSERT INTO mirror_change (run, scope, folded, key, wanted, known, shop_id, state, text,
                               began_at, ended_at)
    SELECT :run, c.scope, c.folded, c.key, d.wanted, m.values, m.shop_id,
           CASE WHEN {_LEFT} IS NULL THEN 'planned' ELSE 'kept' END, coalesce({_LEFT}, ''),
           CAST(:at AS timestamptz), :at
    {_WRITTEN} AND (d.wanted <> '{{}}' OR {_LEFT} IS NOT NULL)
""")


class MirrorUndo:
    """Plans it in this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def plan(self, run_id: int, *, by: str, at: datetime) -> MirrorRun:
        """Return the run that takes another one back; its kept rows are those that stay.

        Args:
            run_id: The other one.
            by: Who says so.
            at: Now: what was read before it says nothing any more.

        Raises:
            RunDecisionError: There is none of this number, or it has written nothing.
        """
        async with self._database.begin() as connection:
            undone = await self._undone(connection, run_id)
            run = await self._begun(connection, undone, by)
            place = {"run": run.id, "undone": run_id, "flow": undone.flow, "shop": undone.shop}
            await connection.execute(_PLAN, place | {"at": at})
            await supersede_planned(connection, run)
            counts = await counts_of(connection, run.id)
            if not counts["planned"] and not counts["kept"]:
                raise RunDecisionError(f"run {run_id} has written nothing that can be taken back")
            await end_run(connection, run.id, state_after(counts), counts)
            about = {"who": by, "action": "undo run", "subject": f"run {run_id}: {undone.flow}"}
            await connection.execute(insert(audit).values(after={"run": run.id}, **about))
            found = select(mirror_run).where(_RUN.id == run.id)
            return mirror_run_of((await connection.execute(found)).mappings().one())

    async def _undone(self, connection: AsyncConnection, run_id: int) -> MirrorRun:
        found = await connection.execute(select(mirror_run).where(_RUN.id == run_id))
        row = found.mappings().first()
        if row is None:
            raise RunDecisionError(f"there is no run {run_id}")
        await plan_alone(connection, row["flow"], row["shop"])
        return mirror_run_of(row)

    async def _begun(self, connection: AsyncConnection, undone: MirrorRun, by: str) -> MirrorRun:
        values: dict[str, Any] = {
            "flow": undone.flow,
            "market": undone.market,
            "shop": undone.shop,
            "trigger": RunTrigger.UNDO,
            "state": RunState.PLANNING,
            "asked_by": by,
            "planned_at": func.clock_timestamp(),
            "text": f"takes run {undone.id} back",
        }
        statement = insert(mirror_run).values(values).returning(mirror_run)
        return mirror_run_of((await connection.execute(statement)).mappings().one())
