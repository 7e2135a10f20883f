"""What is known of rows of the shop, and of who else wrote them: for those who compare."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.mirror_records import Values

_COLUMNS = "scope, folded, key, values, shop_id, run, read_at, changed_at, stays"
_KNOWN = text(f"""
    SELECT {_COLUMNS} FROM mirror_row
    WHERE flow = :flow AND shop = :shop AND scope = ANY(:scopes) AND folded = ANY(:folded)
""")  # noqa: S608 -- the columns are ours
_NEXT = text(f"""
    SELECT {_COLUMNS} FROM mirror_row
    WHERE flow = :flow AND shop = :shop AND scope = ANY(:scopes)
      AND (scope, folded) > (:scope, :after) ORDER BY scope, folded LIMIT :most
""")  # noqa: S608 -- as above
_DRAWN = text("""
    SELECT key FROM (
        SELECT DISTINCT ON (folded) folded, key FROM mirror_row
        WHERE flow = :flow AND shop = :shop AND scope = ANY(:scopes) ORDER BY folded) AS keys
    ORDER BY random() LIMIT :most
""")
_OTHERS = text("""
    SELECT c.scope, c.folded, c.run, c.wanted
    FROM mirror_run u JOIN mirror_change c ON c.run = u.id
    WHERE u.flow = :flow AND u.shop = :shop AND c.scope = ANY(:scopes)
      AND c.folded = ANY(:folded) AND c.state = 'written'
    ORDER BY c.run DESC
""")
_WAITING = text("""
    SELECT c.scope, c.folded, max(c.run) AS run
    FROM mirror_run u JOIN mirror_change c ON c.run = u.id
    WHERE u.flow = :flow AND u.shop = :shop AND u.ended_at IS NULL AND u.trigger <> 'plan'
      AND c.scope = ANY(:scopes) AND c.folded = ANY(:folded)
      AND c.state IN ('planned', 'waiting')
    GROUP BY c.scope, c.folded
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOfMirror:
    """A row as it was last acknowledged.

    Attributes:
        run: Whose write that was; None where no run is known.
        read_at: When the read began that the values come from.
        changed_at: When they were acknowledged.
        stays: Fields that a person let be at the adoption.
    """

    scope: str
    folded: str
    key: str
    values: Values
    shop_id: str | None
    run: int | None
    read_at: datetime
    changed_at: datetime
    stays: Sequence[str]


@dataclass(frozen=True, slots=True)
class RunWrote:
    """What a run has written of a row."""

    run: int
    values: Values


RowPlace = tuple[str, str]
"""A row's scope and folded key."""


@dataclass(frozen=True, slots=True)
class MirrorRows:
    """Whose rows: of one flow, in some scopes of one shop."""

    flow: str
    shop: str
    scopes: Sequence[str]


class KnownRows:
    """What this database keeps.

    Args:
        database: Where.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def of(self, rows: MirrorRows, folded: Collection[str]) -> Mapping[RowPlace, RowOfMirror]:
        """Return what is known of some keys."""
        found = await self._found(_KNOWN, rows, folded=sorted(folded))
        return {(row["scope"], row["folded"]): RowOfMirror(**row) for row in found}

    async def after(self, rows: MirrorRows, last: RowPlace, *, most: int) -> Sequence[RowOfMirror]:
        """Return the rows after a place, in order of scope and key."""
        found = await self._found(_NEXT, rows, scope=last[0], after=last[1], most=most)
        return [RowOfMirror(**row) for row in found]

    async def drawn(self, rows: MirrorRows, most: int) -> Sequence[str]:
        """Return some of all known keys, others each time."""
        return [row["key"] for row in await self._found(_DRAWN, rows, most=most)]

    async def written(
        self, rows: MirrorRows, folded: Collection[str]
    ) -> Mapping[RowPlace, Sequence[RunWrote]]:
        """Return what runs have written of some keys, the newest first, as far as it is kept."""
        by_place: dict[RowPlace, list[RunWrote]] = {}
        for row in await self._found(_OTHERS, rows, folded=sorted(folded)):
            wrote = RunWrote(row["run"], row["wanted"])
            by_place.setdefault((row["scope"], row["folded"]), []).append(wrote)
        return by_place

    async def waiting(self, rows: MirrorRows, folded: Collection[str]) -> Mapping[RowPlace, int]:
        """Return the runs in whose plans some keys are still open."""
        found = await self._found(_WAITING, rows, folded=sorted(folded))
        return {(row["scope"], row["folded"]): row["run"] for row in found}

    async def _found(self, statement: Any, rows: MirrorRows, **values: Any) -> Sequence[Any]:
        its = {"flow": rows.flow, "shop": rows.shop, "scopes": list(rows.scopes), **values}
        return await statements.mappings(self._database, statement, its)
