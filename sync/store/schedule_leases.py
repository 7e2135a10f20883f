"""Who is at which schedule: one holder at a time, until it ends or says nothing for too long.

A holder that was stopped is overtaken when its lease has expired. Each take-over raises the
fence, and whoever has a smaller one can neither keep the lease nor mark the schedule as done.
Time is the database's, as holders run on several machines.
"""

from datetime import timedelta

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.tables import schedule_lease, watermark
from sync.store.watermarks import FORMAT

_LEASE = schedule_lease.c


class ScheduleLeases:
    """The leases of this database, and when each schedule last succeeded.

    Args:
        database: Where they are kept.
        holder: Whom to name in them, for people.
    """

    def __init__(self, database: AsyncEngine, *, holder: str) -> None:
        # Each statement is a transaction.
        self._database = database.execution_options(isolation_level="AUTOCOMMIT")
        self._holder = holder

    async def is_due(self, name: str, *, every: timedelta) -> bool:
        """Return whether it has not succeeded for a period."""
        last = select(watermark.c.changed_at).where(watermark.c.name == name)
        statement = select(
            func.coalesce(last.scalar_subquery() + every <= func.clock_timestamp(), True)
        )
        async with self._database.connect() as connection:
            return bool((await connection.execute(statement)).scalar())

    async def take(self, name: str, *, seconds: float) -> int | None:
        """Return the fence of a lease for so long, None while another one holds it."""
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        statement = insert(schedule_lease).values(
            name=name, holder=self._holder, fence=1, held_until=until
        )
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": self._holder, "fence": _LEASE.fence + 1, "held_until": until},
            where=_LEASE.held_until <= func.clock_timestamp(),
        )
        async with self._database.connect() as connection:
            fence = (await connection.execute(statement.returning(_LEASE.fence))).scalar()
        return None if fence is None else int(fence)

    async def keep(self, name: str, fence: int, *, seconds: float) -> bool:
        """Hold it for so long from now; return False when another one has taken it over."""
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        statement = (
            schedule_lease.update()
            .where(_LEASE.name == name, _LEASE.fence == fence)
            .values(held_until=until)
        )
        async with self._database.connect() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def mark(self, name: str, fence: int) -> bool:
        """Note that it has succeeded now; return False when another one has taken it over."""
        held = select(_LEASE.name).where(_LEASE.name == name, _LEASE.fence == fence)
        values = select(
            held.with_for_update().cte("held").c.name,
            literal(FORMAT),
            literal(""),
            func.clock_timestamp(),
        )
        statement = insert(watermark).from_select(["name", "format", "value", "changed_at"], values)
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"changed_at": func.clock_timestamp()}
        )
        async with self._database.connect() as connection:
            marked = await connection.execute(statement.returning(watermark.c.name))
            return marked.first() is not None

    async def give_back(self, name: str, fence: int) -> None:
        """End a lease; nothing happens when another one has taken it over."""
        statement = (
            schedule_lease.update()
            .where(_LEASE.name == name, _LEASE.fence == fence)
            .values(held_until=func.clock_timestamp())
        )
        async with self._database.connect() as connection:
            await connection.execute(statement)
