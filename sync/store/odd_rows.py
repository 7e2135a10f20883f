"""Which rows of either system cannot be read: kept once each, until they read well again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.odd_row_record import OddRecord
from sync.store.tables import odd_row

_COLUMN = odd_row.c
_KEPT = tuple(_COLUMN[name] for name in OddRecord.__slots__)


class OddRowStore:
    """All odd rows of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def of(self, source: str) -> dict[int, OddRecord]:
        """Return those of one flow's list, by the shop's id; those that were set aside too."""
        return {row.row_id: row for row in await self._read(_COLUMN.source == source)}

    async def waiting(self) -> list[OddRecord]:
        """Return those that nobody has set aside, the oldest first."""
        return await self._read(_COLUMN.set_aside_by.is_(None))

    async def counts(self) -> dict[str, int]:
        """Return how many each flow's list has that nobody has set aside."""
        waiting = select(_COLUMN.source, func.count()).where(_COLUMN.set_aside_by.is_(None))
        rows = await statements.rows(self._database, waiting.group_by(_COLUMN.source))
        return {row[0]: row[1] for row in rows}

    async def count_set_aside(self) -> int:
        """Return how many people have set aside."""
        statement = select(func.count()).where(_COLUMN.set_aside_by.is_not(None))
        return int(await statements.value(self._database, statement))

    async def keep(self, rows: Sequence[OddRecord]) -> None:
        """Add rows; of one that is there, change what is wrong with it.

        With another fault it is a new one, which nobody has set aside.
        """
        if not rows:
            return
        statement = insert(odd_row).values([_values(row) for row in rows])
        new = statement.excluded
        is_same = and_(_COLUMN.member == new.member, _COLUMN.text == new.text)
        statement = statement.on_conflict_do_update(
            constraint=odd_row.primary_key,
            set_={
                "number": new.number,
                "member": new.member,
                "text": new.text,
                "looked_at": new.looked_at,
                "seen_at": case((is_same, _COLUMN.seen_at), else_=new.seen_at),
                "set_aside_by": case((is_same, _COLUMN.set_aside_by), else_=None),
                "reason": case((is_same, _COLUMN.reason), else_=""),
            },
        )
        await statements.change(self._database, statement)

    async def end(self, source: str, ids: Collection[int]) -> None:
        """Forget rows that read well by now, or are gone."""
        its = delete(odd_row).where(_COLUMN.source == source, _COLUMN.row_id.in_(ids))
        await statements.change(self._database, its)

    async def set_aside(
        self, source: str, *, row_id: int | None = None, member: str, reason: str, by: str
    ) -> list[int]:
        """Note that a row stays as it is, or every one with a fault at a member; return which."""
        which = _COLUMN.row_id == row_id if row_id is not None else _COLUMN.member == member
        statement = (
            update(odd_row)
            .where(_COLUMN.source == source, which, _COLUMN.set_aside_by.is_(None))
            .values(set_aside_by=by, reason=reason)
            .returning(_COLUMN.row_id)
        )
        async with self._database.begin() as connection:
            return sorted((await connection.execute(statement)).scalars())

    async def _read(self, which: Any) -> list[OddRecord]:
        statement = select(*_KEPT).where(which).order_by(_COLUMN.seen_at, _COLUMN.row_id)
        return [OddRecord(**row) for row in await statements.mappings(self._database, statement)]


def _values(row: OddRecord) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in OddRecord.__slots__}
