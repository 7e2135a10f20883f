"""Turn what a run has read into what it writes: one transaction, one flow of a shop at a time.

Who plans sees every older plan, and no other plans meanwhile; so of two reads of a row the newer
one is written last.
"""

import json
from collections.abc import Sequence

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.mirror.keys import folded
from sync.store import mirror_difference as difference
from sync.store.mirror_held import HeldNews, news_of_held
from sync.store.mirror_judging import PlanRules, judge
from sync.store.mirror_records import MirrorRun, RunTrigger
from sync.store.mirror_runs import change_held, end_run
from sync.store.mirror_settling import counts_of, state_after, supersede_read
from sync.store.mirror_tables import mirror_run

_ODD = text("""
    SELECT count(DISTINCT folded) FROM mirror_staging WHERE run = :run AND scope = ''
""")
_DROP_GOOD = text("DELETE FROM mirror_staging WHERE run = :run AND scope <> ''")
_ALL_WAIT = text("""
    UPDATE mirror_change SET state = 'waiting' WHERE run = :run AND state = 'planned'
""")
# What was wished for while it was being read comes again.
_FULFIL = text("""
    DELETE FROM mirror_wanted WHERE flow = :flow AND market = :market
       AND wished_at <= :began_at AND due_at <= :began_at AND (:all OR folded = ANY(:keys))
""")
# Entered within minutes, before the database has looked by itself.
_MUCH = 10_000
_EMPTY = text("DELETE FROM mirror_change WHERE run = :run")


class MirrorPlanning:
    """Plans the runs of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._outside = database.execution_options(isolation_level="AUTOCOMMIT")

    async def plan(
        self,
        run: MirrorRun,
        rules: PlanRules,
        *,
        keys: Sequence[str] | None,
        is_alone: bool = False,
    ) -> HeldNews:
        """Plan a run that has read all it will; return what it says of keys that are held.

        Args:
            run: The run.
            rules: What its plan is judged by.
            keys: Those that were read; None for everything.
            is_alone: Whether it is the second look at what is held.

        Raises:
            RunLostError: Another process has it by now.
        """
        is_look = run.trigger is RunTrigger.PLAN
        await self._look_anew("mirror_staging", run.rows_read)
        async with self._database.begin() as connection:
            await plan_alone(connection, run.flow, run.shop)
            await change_held(connection, run, planned_at=func.clock_timestamp())
            await connection.execute(_EMPTY, {"run": run.id})
            await difference.hold_meeting_keys(connection, run)
            await difference.plan_difference(connection, run, is_alone=is_alone)
            if not is_look:
                await supersede_read(connection, run)
            over = await judge(connection, run, rules)
            news = HeldNews()
            if is_look:
                await connection.execute(_ALL_WAIT, {"run": run.id})
            else:
                news = await self._fulfil(connection, run, keys, is_alone=is_alone)
            is_whole = keys is None and not is_look
            rows = await self._end(connection, run, "; ".join(over), is_whole=is_whole)
        await self._look_anew("mirror_change", rows)
        return news

    async def _look_anew(self, table: str, rows: int) -> None:
        """Have the database know that there is much, before it chooses how to go about it."""
        if rows >= _MUCH:
            async with self._outside.connect() as connection:
                await connection.execute(text(f"ANALYZE {table}"))

    async def _fulfil(
        self,
        connection: AsyncConnection,
        run: MirrorRun,
        keys: Sequence[str] | None,
        *,
        is_alone: bool,
    ) -> HeldNews:
        """End the wishes for what was read; return what the read says of keys that are held."""
        if keys is not None:
            await difference.note_looks(connection, run)
        place = {"flow": run.flow, "market": run.market, "began_at": run.began_at}
        some = {"all": keys is None, "keys": [folded(key) for key in keys or ()]}
        await connection.execute(_FULFIL, {**place, **some})
        if is_alone:
            return HeldNews()
        return await news_of_held(connection, run, difference.lock_of_keys(run))

    async def _end(
        self, connection: AsyncConnection, run: MirrorRun, told: str, *, is_whole: bool
    ) -> int:
        """Note where a run stands now; return how many rows its plan has."""
        odd = (await connection.execute(_ODD, {"run": run.id})).scalar_one()
        await connection.execute(_DROP_GOOD, {"run": run.id})
        counts = await counts_of(connection, run.id)
        rows: int = sum(counts.values())
        counts |= {"odd": odd, "is_whole": int(is_whole)}
        its = update(mirror_run).where(mirror_run.c.id == run.id).values(text=told)
        await connection.execute(its)
        await end_run(connection, run.id, state_after(counts), counts)
        return rows


async def plan_alone(connection: AsyncConnection, flow: str, shop: str) -> None:
    """Wait until nobody else plans or decides for a flow of a shop, and keep others from it.

    A whole catalog takes longer than other statements may.
    """
    await connection.execute(text("SET LOCAL statement_timeout = '15min'"))
    locked = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await connection.execute(locked, {"key": json.dumps(["mirror", flow, shop])})
