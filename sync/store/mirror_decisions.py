"""What people decide on plans: let rows through, refuse them, keep or overwrite what a shop has.

An approval lets through the rows of its run, and their classes of danger: one of these rows may
be planned anew before it is written, and then waits no more while it goes the same way.
"""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.store.mirror_planning import plan_alone
from sync.store.mirror_records import MirrorRun, RunState, RunTrigger
from sync.store.mirror_run_record import RunDecisionError, mirror_run_of
from sync.store.mirror_runs import end_run
from sync.store.mirror_settling import counts_of, state_after, supersede_planned
from sync.store.mirror_tables import mirror_run
from sync.store.tables import audit

_RUN = mirror_run.c
_KEEP_APPROVALS = text("""
    INSERT INTO mirror_approval
        (flow, shop, scope, folded, risk, direction, approved_by, approved_at)
    SELECT DISTINCT ON (c.scope, c.folded, split_part(k.risk, '/', 1)) :flow, :shop, c.scope,
           c.folded, split_part(k.risk, '/', 1), split_part(k.risk, '/', 2), :by, clock_timestamp()
    FROM mirror_change c, unnest(c.risks) AS k(risk)
    WHERE c.run = :run AND c.state = 'waiting'
      AND (CAST(:risk AS text) IS NULL OR split_part(k.risk, '/', 1) = :risk)
    ORDER BY c.scope, c.folded, split_part(k.risk, '/', 1)
    ON CONFLICT (flow, shop, scope, folded, risk) DO UPDATE SET
        direction = excluded.direction, approved_by = excluded.approved_by,
        approved_at = excluded.approved_at
""")
_MARK = text("""
    UPDATE mirror_change c SET risks = ARRAY(
        SELECT CASE WHEN CAST(:risk AS text) IS NULL OR split_part(k.risk, '/', 1) = :risk
               THEN split_part(k.risk, '/', 1) || '/' || split_part(k.risk, '/', 2) || '/approved'
               ELSE k.risk END FROM unnest(c.risks) AS k(risk))
    WHERE c.run = :run AND c.state = 'waiting' AND c.risks <> '{}'
""")
# Rows that wait for nothing else.
_PLAN = text("""
    UPDATE mirror_change c SET state = 'planned'
    WHERE c.run = :run AND c.state = 'waiting' AND NOT EXISTS (
        SELECT FROM unnest(c.risks) AS k(risk)
        WHERE split_part(k.risk, '/', 3) IN ('alone', 'over'))
      AND (CAST(:risk AS text) IS NULL OR EXISTS (
        SELECT FROM unnest(c.risks) AS k(risk) WHERE split_part(k.risk, '/', 1) = :risk))
    RETURNING c.folded
""")
_HAS_FIELD = "c.run = :run AND c.state = 'waiting' AND c.rest IS NULL"
# One field of several: the others go on waiting, and come back with the row's end.
_OVERWRITE = text(f"""
    UPDATE mirror_change c SET state = 'planned',
        rest = CASE WHEN CAST(:field AS text) IS NULL OR c.wanted - :field = '{{}}' THEN NULL
                    ELSE c.wanted - :field END,
        wanted = CASE WHEN CAST(:field AS text) IS NULL THEN c.wanted
                      ELSE jsonb_build_object(:field, c.wanted -> :field) END
    WHERE {_HAS_FIELD} AND (CAST(:field AS text) IS NULL OR c.wanted ? :field) RETURNING c.folded
""")  # noqa: S608 -- as above
_NOTE_KEPT = text(f"""
    UPDATE mirror_row m SET values = m.values || CASE WHEN CAST(:field AS text) IS NULL
        THEN c.wanted ELSE jsonb_build_object(:field, c.wanted -> :field) END,
        stays = ARRAY(SELECT DISTINCT f.field FROM unnest(m.stays || CASE
            WHEN CAST(:field AS text) IS NULL THEN ARRAY(SELECT jsonb_object_keys(c.wanted))
            ELSE ARRAY[CAST(:field AS text)] END) AS f(field) ORDER BY f.field)
    FROM mirror_change c
    WHERE {_HAS_FIELD} AND (CAST(:field AS text) IS NULL OR c.wanted ? :field)
      AND m.flow = :flow AND m.shop = :shop AND m.scope = c.scope AND m.folded = c.folded
""")  # noqa: S608 -- as above
_KEEP = text(f"""
    UPDATE mirror_change c SET
        state = CASE WHEN CAST(:field AS text) IS NULL OR c.wanted - :field = '{{}}' THEN 'kept'
                     ELSE 'waiting' END,
        wanted = CASE WHEN CAST(:field AS text) IS NULL OR c.wanted - :field = '{{}}'
                      THEN c.wanted ELSE c.wanted - :field END
    WHERE {_HAS_FIELD} AND (CAST(:field AS text) IS NULL OR c.wanted ? :field) RETURNING c.folded
""")  # noqa: S608 -- as above
_REJECT = text("""
    UPDATE mirror_change c SET state = 'rejected'
    WHERE c.run = :run AND c.state = 'waiting' RETURNING c.folded
""")


class MirrorDecisions:
    """Changes runs on a person's behalf; each decision is audited."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def approve(self, run_id: int, *, by: str, risk: str | None = None) -> int:
        """Have the waiting rows of a run written; return how many.

        Args:
            run_id: The run.
            by: Who says so.
            risk: Only rows that wait for this class of danger alone; None for all.

        Raises:
            RunDecisionError: Nothing of it waits so.
        """
        async with self._database.begin() as connection:
            run = await self._waiting(connection, run_id)
            if run.trigger is RunTrigger.ADOPT:
                raise RunDecisionError(
                    f"run {run_id} has compared the shop: say whether to keep or to overwrite"
                )
            values = {**_place(run), "risk": risk, "by": by}
            await connection.execute(_KEEP_APPROVALS, values)
            await connection.execute(_MARK, values)
            rows = len((await connection.execute(_PLAN, values)).all())
            if run.trigger is RunTrigger.PLAN:
                # A look that is written after all is newer than what else waits.
                await supersede_planned(connection, run)
            await self._decide(connection, run, "approve", rows, by=by, after={"risk": risk})
        return rows

    async def adopt(
        self, run_id: int, *, by: str, how: Literal["keep", "overwrite"], field: str | None = None
    ) -> int:
        """Decide on what a first look at the shop has found; return of how many rows.

        Args:
            run_id: The run.
            by: Who says so.
            how: What is kept there is not written until the ERP says something else.
            field: Only this one; None for all.

        Raises:
            RunDecisionError: It is no such run, or has nothing that waits so.
        """
        async with self._database.begin() as connection:
            run = await self._waiting(connection, run_id)
            if run.trigger is not RunTrigger.ADOPT:
                raise RunDecisionError(f"run {run_id} is no first look at the shop: approve it")
            values = {**_place(run), "field": field}
            if how == "keep":
                await connection.execute(_NOTE_KEPT, values)
            statement = _KEEP if how == "keep" else _OVERWRITE
            rows = len((await connection.execute(statement, values)).all())
            await self._decide(connection, run, f"adopt {how}", rows, by=by, after={"field": field})
        return rows

    async def reject(self, run_id: int, *, by: str) -> int:
        """Give up the waiting rows of a run; return how many; raises `RunDecisionError`.

        The next whole read plans what then differs.
        """
        async with self._database.begin() as connection:
            run = await self._waiting(connection, run_id)
            rows = len((await connection.execute(_REJECT, {"run": run_id})).all())
            await self._decide(connection, run, "reject", rows, by=by, after={})
        return rows

    async def _waiting(self, connection: AsyncConnection, run_id: int) -> MirrorRun:
        statement = select(mirror_run).where(_RUN.id == run_id)
        row = (await connection.execute(statement)).mappings().first()
        if row is None:
            raise RunDecisionError(f"there is no run {run_id}")
        await plan_alone(connection, row["flow"], row["shop"])
        # Again: it may have waited for a newer run's planning.
        row = (await connection.execute(statement.with_for_update())).mappings().one()
        run = mirror_run_of(row)
        if run.state not in (RunState.WAITING, RunState.WRITING):
            told = f"run {run_id} is {run.state}" + (run.text and f": {run.text}")
            raise RunDecisionError(told + await self._current(connection, run))
        return run

    async def _current(self, connection: AsyncConnection, run: MirrorRun) -> str:
        """Return which run is to be decided of instead, in words; empty where there is none."""
        its = (_RUN.flow == run.flow, _RUN.market == run.market, _RUN.state == RunState.WAITING)
        newest = select(func.max(_RUN.id)).where(*its, _RUN.trigger != RunTrigger.PLAN)
        number = (await connection.execute(newest)).scalar()
        if number is None:
            return ""
        return f"; what waits now is run {number}: d365-sync runs show {number}"

    async def _decide(
        self,
        connection: AsyncConnection,
        run: MirrorRun,
        action: str,
        rows: int,
        *,
        by: str,
        after: Mapping[str, Any],
    ) -> None:
        if not rows:
            raise RunDecisionError(f"nothing of run {run.id} waits so")
        counts = await counts_of(connection, run.id)
        state = state_after(counts)
        if state is RunState.DONE and action == "reject" and not counts["written"]:
            state = RunState.REJECTED
        await end_run(connection, run.id, state, counts)
        said = {"approved_by": by, "approved_at": func.clock_timestamp()}
        if action != "reject":
            await connection.execute(update(mirror_run).where(_RUN.id == run.id).values(said))
        about = {"who": by, "action": f"{action} run", "subject": f"run {run.id}: {run.flow}"}
        await connection.execute(insert(audit).values(after={**after, "rows": rows}, **about))


def _place(run: MirrorRun) -> dict[str, Any]:
    return {"run": run.id, "flow": run.flow, "shop": run.shop}
