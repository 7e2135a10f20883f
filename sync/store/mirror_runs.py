"""The runs of mirrors: begun, taken up again after a crash, and ended.

Who reads for a run has raised its fence; a process that was stopped meanwhile and wakes up hears
`RunLostError` before it changes anything.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.store import statements
from sync.store.mirror_records import MirrorRun, RunState, RunTrigger
from sync.store.mirror_run_record import RunLostError, mirror_run_of
from sync.store.mirror_tables import mirror_change, mirror_run, mirror_staging

_RUN = mirror_run.c
_WHOLE = (RunTrigger.FULL, RunTrigger.ADOPT)
_ENDED = "the program that read for it ended"
_BEGUN = (RunState.READING, RunState.PLANNING)


class MirrorRuns:
    """All runs of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def begin(
        self,
        *,
        flow: str,
        market: str,
        shop: str,
        trigger: RunTrigger,
        is_forced: bool = False,
        expected: int | None = None,
        by: str = "",
    ) -> MirrorRun:
        """Enter a run that is about to be read for.

        Args:
            flow: Whose.
            market: Its market.
            shop: The shop's root address.
            trigger: Why.
            is_forced: Whether what is as it should be is written too, and few rows are believed.
            expected: How many rows it will read, where that is known.
            by: Who asked for it.
        """
        values = {
            "flow": flow,
            "market": market,
            "shop": shop,
            "trigger": trigger,
            "state": RunState.READING,
            "is_forced": is_forced,
            "rows_expected": expected,
            "asked_by": by,
            "fence": 1,
            "began_at": func.clock_timestamp(),
        }
        statement = insert(mirror_run).values(values).returning(mirror_run)
        async with self._database.begin() as connection:
            return mirror_run_of((await connection.execute(statement)).mappings().one())

    async def get(self, run_id: int) -> MirrorRun | None:
        """Return a run, None where there is none of this number."""
        found = await self._read(_RUN.id == run_id)
        return found[0] if found else None

    async def take_up(self, flow: str, market: str) -> MirrorRun | None:
        """Return the whole read that a schedule was broken off at, now ours; None without one."""
        its = and_(
            _RUN.flow == flow,
            _RUN.market == market,
            _RUN.trigger.in_(_WHOLE),
            # Whoever reads by hand is told, and begins again.
            _RUN.asked_by == "",
        )
        newest = select(func.max(_RUN.id)).where(its, _RUN.state.in_(_BEGUN)).scalar_subquery()
        statement = (
            update(mirror_run)
            .where(_RUN.id == newest)
            .values(fence=_RUN.fence + 1, changed_at=func.clock_timestamp())
            .returning(mirror_run)
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else mirror_run_of(row)

    async def keep(self, run: MirrorRun) -> None:
        """Say that a run is still read for; raises `RunLostError`.

        A database that is away for a moment is for whoever reads to notice.
        """
        with suppress(SQLAlchemyError, OSError):
            async with self._database.begin() as connection:
                await change_held(connection, run)

    async def abandon(self, flow: str, market: str, *, idle: timedelta, whole: timedelta) -> None:
        """Fail the reads that nobody goes on with.

        Args:
            flow: Whose.
            market: Its market.
            idle: After how long without a word that is so of reads that nobody takes up.
            whole: After how long it is of those of everything that schedules take up.
        """
        silent = func.clock_timestamp() - _RUN.changed_at
        is_alone = or_(_RUN.trigger.not_in(_WHOLE), _RUN.asked_by != "")
        its = (
            select(_RUN.id)
            .where(
                _RUN.flow == flow,
                _RUN.market == market,
                _RUN.state.in_(_BEGUN),
                or_(silent > whole, and_(silent > idle, is_alone)),
            )
            # Whoever plans one has it locked, for as long as a whole catalog takes.
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(mirror_run)
            .where(_RUN.id.in_(its.scalar_subquery()))
            .values(
                state=RunState.FAILED,
                fence=_RUN.fence + 1,
                ended_at=func.clock_timestamp(),
                text=func.coalesce(func.nullif(_RUN.text, ""), _ENDED),
            )
            .returning(_RUN.id)
        )
        async with self._database.begin() as connection:
            ended = list((await connection.execute(statement)).scalars())
            await _drop_staged(connection, ended)

    async def note(self, run: MirrorRun, text: str) -> None:
        """Note why a read is broken off just now; raises `RunLostError`."""
        async with self._database.begin() as connection:
            await change_held(connection, run, text=text)

    async def has_read(self, run: MirrorRun) -> None:
        """Note that a run has read all it will; raises `RunLostError`."""
        async with self._database.begin() as connection:
            await change_held(connection, run, state=RunState.PLANNING, text="")

    async def read_anew(self, run: MirrorRun) -> None:
        """Have a run read from the beginning: what it has read is lost; raises `RunLostError`."""
        async with self._database.begin() as connection:
            fresh = {"state": RunState.READING, "read_after": "", "rows_read": 0, "counts": {}}
            await change_held(connection, run, **fresh)
            await _drop_staged(connection, [run.id])

    async def fail(self, run: MirrorRun, text: str) -> None:
        """End a run that plans nothing; raises `RunLostError`."""
        async with self._database.begin() as connection:
            ended = {"state": RunState.FAILED, "ended_at": func.clock_timestamp()}
            await change_held(connection, run, text=text, **ended)
            await _drop_staged(connection, [run.id])

    async def rows_of_last_whole_read(
        self, flow: str, market: str, *, before: int | None = None
    ) -> int | None:
        """Return how many rows the last whole read brought, or that before a run; None without."""
        its = select(_RUN.rows_read).where(
            _RUN.flow == flow,
            _RUN.market == market,
            *(() if before is None else (_RUN.id < before,)),
            _RUN.counts["is_whole"].as_integer() == 1,
            _RUN.planned_at.is_not(None),
        )
        found = await statements.value(self._database, its.order_by(_RUN.id.desc()).limit(1))
        return None if found is None else int(found)

    async def is_adopted(self, flow: str, market: str) -> bool:
        """Return whether all that a first look at the shop found is decided."""
        done = select(_RUN.id).where(
            _RUN.flow == flow,
            _RUN.market == market,
            _RUN.trigger == RunTrigger.ADOPT,
            _RUN.state == RunState.DONE,
        )
        return await statements.value(self._database, done.limit(1)) is not None

    async def first_look_in_writing(self, flow: str, market: str) -> str:
        """Return, in words, which first look at the shop is decided and not written yet.

        Another one would end it, and with it what a person said. Empty where there is none.
        """
        its = and_(_RUN.trigger == RunTrigger.ADOPT, _RUN.state == RunState.WRITING)
        found = await self._read(and_(_RUN.flow == flow, _RUN.market == market, its))
        return "".join(
            f"what was decided of the first look at the shop, run {run.id} of {flow} of {market}, "
            f"is being written: read everything when it is done: d365-sync runs show {run.id}"
            for run in found[:1]
        )

    async def has_failed(self, flow: str, market: str) -> bool:
        """Return whether the newest whole read by the clock has planned nothing."""
        its = select(_RUN.state).where(
            _RUN.flow == flow,
            _RUN.market == market,
            _RUN.trigger.in_(_WHOLE),
            _RUN.asked_by == "",
        )
        newest = await statements.value(self._database, its.order_by(_RUN.id.desc()).limit(1))
        return bool(newest == RunState.FAILED)

    async def writing(self, flow: str, market: str) -> Sequence[MirrorRun]:
        """Return the runs that have rows to write."""
        its = and_(_RUN.flow == flow, _RUN.market == market, _RUN.ended_at.is_(None))
        return await self._read(and_(its, _RUN.state == RunState.WRITING))

    async def forget(self, older_than: timedelta) -> int:
        """Forget runs that ended so long ago, with their rows; return how many.

        The newest whole read of each flow and market stays: the next one is compared with it.
        """
        newest = (
            select(func.max(_RUN.id))
            .where(_RUN.counts["is_whole"].as_integer() == 1, _RUN.planned_at.is_not(None))
            .group_by(_RUN.flow, _RUN.market)
        )
        adopted = select(func.max(_RUN.id)).where(
            _RUN.trigger == RunTrigger.ADOPT, _RUN.state == RunState.DONE
        )
        old = select(_RUN.id).where(
            _RUN.ended_at < func.now() - older_than,
            _RUN.id.not_in(newest),
            _RUN.id.not_in(adopted.group_by(_RUN.flow, _RUN.market)),
        )
        forgotten = 0
        # One at a time: each may have as many rows as the catalog.
        for row in await statements.rows(self._database, old):
            one = delete(mirror_run).where(_RUN.id == row.id)
            forgotten += await statements.change(self._database, one)
        return forgotten

    async def forget_empty(self, run_id: int) -> None:
        """Forget a run that has come to its end without a row."""
        rows = select(mirror_change.c.run).where(mirror_change.c.run == _RUN.id)
        its = delete(mirror_run).where(_RUN.id == run_id, _RUN.state == RunState.DONE)
        await statements.change(self._database, its.where(~rows.exists()))

    async def _read(self, which: Any) -> list[MirrorRun]:
        statement = select(mirror_run).where(which).order_by(_RUN.id)
        return [mirror_run_of(row) for row in await statements.mappings(self._database, statement)]


async def change_held(connection: AsyncConnection, run: MirrorRun, **values: Any) -> None:
    """Change a run that is still read for here; raises `RunLostError`."""
    statement = (
        update(mirror_run)
        .where(_RUN.id == run.id, _RUN.fence == run.fence, _RUN.state.in_(_BEGUN))
        .values({"changed_at": func.clock_timestamp(), **values})
        .returning(_RUN.id)
    )
    if (await connection.execute(statement)).scalar() is None:
        raise RunLostError(f"run {run.id} of {run.flow} is read for by another process")


async def end_run(
    connection: AsyncConnection, run_id: int, state: RunState, counts: Mapping[str, int]
) -> None:
    """Note where a run stands after its plan, and that it has ended where nothing can follow."""
    is_open = state in (RunState.WRITING, RunState.WAITING)
    # What a first look says is to be decided is decided.
    is_decided = (_RUN.trigger == RunTrigger.ADOPT) & literal(state is RunState.DONE)
    await connection.execute(
        update(mirror_run)
        .where(_RUN.id == run_id)
        .values(
            state=state,
            counts=_RUN.counts.op("||")(dict(counts)),
            changed_at=func.clock_timestamp(),
            ended_at=None if is_open else func.clock_timestamp(),
            text=case((is_decided, ""), else_=_RUN.text),
        )
    )


async def _drop_staged(connection: AsyncConnection, runs: Sequence[int]) -> None:
    its = delete(mirror_staging).where(mirror_staging.c.run.in_(runs))
    await connection.execute(its)
