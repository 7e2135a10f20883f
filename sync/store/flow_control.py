"""What is paused or limited, by whom and why; every worker looks here each second."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.functions import now

from sync.store import statements
from sync.store.tables import audit, flow_control

EVERY_MARKET = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """One flow that is paused, in one market or, with an empty one, in all."""

    flow: str
    market: str
    reason: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """How many events of a flow each process carries at once in one market, or in each."""

    flow: str
    market: str
    at_once: int


@dataclass(frozen=True, slots=True)
class Controls:
    """All that is ordered now."""

    pauses: tuple[Pause, ...]
    limits: tuple[Limit, ...]


class FlowControl:
    """Pauses, resumes and limits flows."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def controls(self) -> Controls:
        """Return all that is paused or limited."""
        rows = await statements.rows(self._database, select(flow_control))
        return Controls(
            tuple(
                Pause(row.flow, row.market, row.reason, row.changed_by, row.changed_at)
                for row in rows
                if row.is_paused
            ),
            tuple(
                Limit(row.flow, row.market, row.at_once) for row in rows if row.at_once is not None
            ),
        )

    async def pauses(self) -> tuple[Pause, ...]:
        """Return all that is paused."""
        return (await self.controls()).pauses

    async def set_limit(
        self, flow: str, *, market: str = EVERY_MARKET, at_once: int | None, by: str
    ) -> None:
        """Limit how many events are carried at once, audited; None ends a limit."""
        statement = insert(flow_control).values(
            flow=flow, market=market, is_paused=False, changed_by=by, at_once=at_once
        )
        # Who paused it stays: a limit is no word on that.
        statement = statement.on_conflict_do_update(
            constraint=flow_control.primary_key, set_={"at_once": at_once}
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)
            await connection.execute(
                insert(audit).values(
                    who=by, action="limit", subject=_named(flow, market), after={"at_once": at_once}
                )
            )

    async def set_paused(
        self, flow: str, *, market: str = EVERY_MARKET, is_paused: bool, reason: str, by: str
    ) -> None:
        """Pause or resume, audited; resuming all markets resumes those paused one by one too."""
        fresh = {"is_paused": is_paused, "reason": reason, "changed_by": by, "changed_at": now()}
        statement = statements.put(flow_control, {"flow": flow, "market": market}, fresh)
        after = {"is_paused": is_paused, "reason": reason}
        async with self._database.begin() as connection:
            await connection.execute(statement)
            await connection.execute(
                insert(audit).values(
                    who=by,
                    action="pause" if is_paused else "resume",
                    subject=_named(flow, market),
                    after=after,
                )
            )
            if market == EVERY_MARKET and not is_paused:
                await connection.execute(
                    flow_control.update().where(flow_control.c.flow == flow).values(fresh)
                )


def is_paused(pauses: Iterable[Pause], flow: str, market: str) -> bool:
    """Return whether one flow of one market is paused."""
    return any(each.flow == flow and each.market in (EVERY_MARKET, market) for each in pauses)


def limit_of(limits: Iterable[Limit], flow: str, market: str) -> int | None:
    """Return how many events of one flow and market may be carried at once; None for any."""
    mine = (
        each.at_once
        for each in limits
        if each.flow == flow and each.market in (EVERY_MARKET, market)
    )
    return min(mine, default=None)


def _named(flow: str, market: str) -> str:
    return f"flow {flow}" + (f" of {market}" if market else "")
