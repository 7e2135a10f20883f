"""Open alerts, kept so that a restart neither repeats nor forgets one."""

from collections.abc import Iterable

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.alert_record import AlertRecord
from sync.store.tables import alert

_COLUMN = alert.c
_NOTICE = "notice"


class AlertStore:
    """All alerts of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def open_alerts(self) -> list[AlertRecord]:
        """Return those that are not over, the oldest first."""
        columns = [_COLUMN[name] for name in AlertRecord.__slots__]
        statement = select(*columns).where(_COLUMN.ended_at.is_(None)).order_by(_COLUMN.id)
        return [AlertRecord(*row) for row in await statements.rows(self._database, statement)]

    async def count_open(self) -> dict[str, int]:
        """Return how many are open by kind: what keys begin with; of a notice, its own key.

        One that is over, of which nobody could be told yet, affects nobody: it is not counted.
        """
        first, own = (func.split_part(_COLUMN.key, "/", place) for place in (1, 4))
        kind = case((first == _NOTICE, own), else_=first)
        lasting = _COLUMN.ended_at.is_(None) & (_COLUMN["count"] > 0)
        statement = select(kind, func.count()).where(lasting).group_by(kind)
        rows = await statements.rows(self._database, statement)
        return {str(kind): int(count) for kind, count in rows}

    async def keep(self, records: Iterable[AlertRecord]) -> None:
        """Add or change open alerts, by their key."""
        async with self._database.begin() as connection:
            for record in records:
                values = {name: getattr(record, name) for name in AlertRecord.__slots__}
                fresh = {name: value for name, value in values.items() if name != "raised_at"}
                await connection.execute(
                    insert(alert)
                    .values(values)
                    .on_conflict_do_update(
                        index_elements=["key"], index_where=_COLUMN.ended_at.is_(None), set_=fresh
                    )
                )

    async def end(self, keys: Iterable[str]) -> None:
        """Note that alerts are over."""
        open_ones = update(alert).where(_COLUMN.key.in_(list(keys)), _COLUMN.ended_at.is_(None))
        await statements.change(self._database, open_ones.values(ended_at=func.now()))
