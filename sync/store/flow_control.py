"""What is paused, by whom and why; every worker looks here each second."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.functions import now

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


class FlowControl:
    """Pauses and resumes flows."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def pauses(self) -> list[Pause]:
        """Return all that is paused."""
        columns = flow_control.c
        statement = select(
            columns.flow, columns.market, columns.reason, columns.changed_by, columns.changed_at
        ).where(columns.is_paused)
        async with self._database.connect() as connection:
            return [Pause(*row) for row in await connection.execute(statement)]

    async def set_paused(
        self, flow: str, *, market: str = EVERY_MARKET, is_paused: bool, reason: str, by: str
    ) -> None:
        """Pause or resume, audited; resuming all markets resumes those paused one by one too."""
        fresh = {"is_paused": is_paused, "reason": reason, "changed_by": by, "changed_at": now()}
        statement = insert(flow_control).values(flow=flow, market=market, **fresh)
        statement = statement.on_conflict_do_update(constraint=flow_control.primary_key, set_=fresh)
        after = {"is_paused": is_paused, "reason": reason}
        subject = f"flow {flow}" + (f" of {market}" if market else "")
        async with self._database.begin() as connection:
            await connection.execute(statement)
            await connection.execute(
                insert(audit).values(
                    who=by, action="pause" if is_paused else "resume", subject=subject, after=after
                )
            )
            if market == EVERY_MARKET and not is_paused:
                await connection.execute(
                    flow_control.update().where(flow_control.c.flow == flow).values(fresh)
                )


def is_paused(pauses: list[Pause], flow: str, market: str) -> bool:
    """Return whether one flow of one market is paused."""
    return any(each.flow == flow and each.market in (EVERY_MARKET, market) for each in pauses)
