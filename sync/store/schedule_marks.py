"""When each schedule last succeeded; kept as watermarks without a value."""

from datetime import timedelta

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.claims import is_held
from sync.store.tables import claim, watermark
from sync.store.watermarks import FORMAT

SCHEDULES = "schedule"
"""The scope of the claims of who is at which schedule."""


class ScheduleMarks:
    """The marks of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def is_due(self, name: str, *, every: timedelta) -> bool:
        """Return whether it has not succeeded for a period."""
        last = select(watermark.c.changed_at).where(watermark.c.name == name)
        statement = select(
            func.coalesce(last.scalar_subquery() + every <= func.clock_timestamp(), True)
        )
        return bool(await statements.value(self._database, statement))

    async def put(self, name: str, holder: str) -> bool:
        """Note that it has succeeded now; return False when its claim is another's by now."""
        held = select(claim.c.key).where(is_held(SCHEDULES, name, holder))
        values = select(
            held.with_for_update().cte("held").c.key,
            literal(FORMAT),
            literal(""),
            func.clock_timestamp(),
        )
        statement = insert(watermark).from_select(["name", "format", "value", "changed_at"], values)
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"changed_at": func.clock_timestamp()}
        )
        return await statements.change(self._database, statement) == 1
