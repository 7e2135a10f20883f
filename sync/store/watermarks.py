"""How far each source was read. A mark of another format is as good as none."""

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
