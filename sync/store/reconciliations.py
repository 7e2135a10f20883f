"""Keep what comparisons have found: when, how much was compared, what differed, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.tables import discrepancy, reconciliation_run

_RUN = reconciliation_run.c
# A page that nobody reads to its end; the rest is counted.
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRecord:
    """One comparison; the names are those of the columns, as far as they are shown."""

    id: int
    kind: str
    market: str
    compared: int
    ended_at: datetime
    differed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscrepancyRecord:
    """What differed; the names are those of the columns."""

    business_key: str
    field: str
    expected: str
    found: str
    cause: str
    action: str


class Reconciliations:
    """The comparisons of this database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def keep(
        self,
        *,
        kind: str,
        market: str,
        window: tuple[datetime, datetime],
        compared: int,
        found: Sequence[DiscrepancyRecord],
    ) -> int:
        """Keep one, and return its number.

        Args:
            kind: What was compared.
            market: Whose.
            window: When it began and ended.
            compared: How much.
            found: What differed.
        """
        run = {
            "kind": kind,
            "market": market,
            "window_from": window[0],
            "window_to": window[1],
            "compared": compared,
            "ended_at": func.now(),
        }
        async with self._database.begin() as connection:
            added = insert(reconciliation_run).values(run).returning(_RUN.id)
            number: int = (await connection.execute(added)).scalar_one()
            rows = [
                {"run_id": number, **{name: getattr(each, name) for name in each.__slots__}}
                for each in found[:_MOST_KEPT]
            ]
            if rows:
                await connection.execute(insert(discrepancy), rows)
        return number

    async def last_of_each(self) -> list[ReconciliationRecord]:
        """Return the newest of each kind and market."""
        newest = select(func.max(_RUN.id)).group_by(_RUN.kind, _RUN.market)
        differed = (
            select(func.count())
            .where(discrepancy.c.run_id == _RUN.id)
            .scalar_subquery()
            .label("differed")
        )
        columns = (_RUN.id, _RUN.kind, _RUN.market, _RUN.compared, _RUN.ended_at)
        its = select(*columns, differed).where(_RUN.id.in_(newest))
        found = await statements.mappings(self._database, its.order_by(_RUN.kind, _RUN.market))
        return [ReconciliationRecord(**row) for row in found]

    async def forget(self, older_than: timedelta) -> int:
        """Delete what is older, and return how many comparisons that were."""
        old = select(_RUN.id).where(_RUN.created_at < func.now() - older_than)
        over = delete(discrepancy).where(discrepancy.c.run_id.in_(old))
        await statements.change(self._database, over)
        gone = delete(reconciliation_run).where(_RUN.created_at < func.now() - older_than)
        return await statements.change(self._database, gone)
