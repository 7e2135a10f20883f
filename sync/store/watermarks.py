"""How far each source was read. A mark of another format is as good as none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.functions import now

from sync.store.tables import watermark

# Raise when the meaning of a mark changes: its source is then read from its beginning.
FORMAT = 1


class Watermarks:
    """All marks of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """Return what was kept, None at first."""
        statement = select(watermark.c.value).where(
            watermark.c.name == name, watermark.c.format == FORMAT
        )
        async with self._database.connect() as connection:
            found = (await connection.execute(statement)).scalar()
        return None if found is None else str(found)

    async def put(self, name: str, value: str) -> None:
        """Keep it."""
        fresh = {"format": FORMAT, "value": value, "changed_at": now()}
        statement = insert(watermark).values(name=name, format=FORMAT, value=value)
        async with self._database.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(constraint=watermark.primary_key, set_=fresh)
            )

    async def ages(self, names: Sequence[str]) -> dict[str, datetime]:
        """Return when marks were last put; those that never were are missing."""
        statement = select(watermark.c.name, watermark.c.changed_at).where(
            watermark.c.name.in_(names)
        )
        async with self._database.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(statement)}

    async def put_at(self, prefix: str) -> dict[str, datetime]:
        """Return when the marks that begin so were last put, by name."""
        statement = select(watermark.c.name, watermark.c.changed_at).where(
            watermark.c.name.startswith(prefix, autoescape=True)
        )
        async with self._database.connect() as connection:
            rows = await connection.execute(statement.order_by(watermark.c.name))
            return {row[0]: row[1] for row in rows}
