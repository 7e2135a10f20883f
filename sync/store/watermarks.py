"""How far each source was read. A mark of another format is as good as none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.functions import now

from sync.store import statements
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
        return await statements.text(self._database, statement)

    async def put(self, name: str, value: str) -> None:
        """Keep it."""
        fresh = {"format": FORMAT, "value": value, "changed_at": now()}
        await statements.change(self._database, statements.put(watermark, {"name": name}, fresh))

    async def ages(self, names: Sequence[str]) -> dict[str, datetime]:
        """Return when marks were last put; those that never were are missing."""
        return await self._put_at(watermark.c.name.in_(names))

    async def put_at(self, prefix: str) -> dict[str, datetime]:
        """Return when the marks that begin so were last put, by name."""
        return await self._put_at(watermark.c.name.startswith(prefix, autoescape=True))

    async def _put_at(self, which: ColumnElement[bool]) -> dict[str, datetime]:
        statement = select(watermark.c.name, watermark.c.changed_at).where(which)
        rows = await statements.rows(self._database, statement.order_by(watermark.c.name))
        return {row[0]: row[1] for row in rows}
