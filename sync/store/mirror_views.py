"""Runs, as those see them who look: which there are, what is in one, what is known of a key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain
from sync.store import statements
from sync.store.mirror_records import ChangeState, MirrorRun, Values
from sync.store.mirror_run_record import mirror_run_of
from sync.store.mirror_tables import mirror_run

BY_EVENT = "event "
"""What the name begins with of who asks for the run of a key that is held alone."""

_RUN = mirror_run.c
_FIELDS = text("""
    SELECT c.state, f.field, count(*) AS rows FROM mirror_change c,
        jsonb_object_keys(c.wanted || coalesce(c.rest, '{}')) AS f(field)
    WHERE c.run = :run GROUP BY c.state, f.field ORDER BY f.field, c.state
""")
_STATES = text("""
    SELECT state, count(*) AS rows FROM mirror_change WHERE run = :run GROUP BY state
""")
_RISKS = text("""
    SELECT c.state, split_part(k.risk, '/', 1) AS risk, split_part(k.risk, '/', 2) AS direction,
           split_part(k.risk, '/', 3) AS why, count(*) AS rows
    FROM mirror_change c, unnest(c.risks) AS k(risk)
    WHERE c.run = :run GROUP BY 1, 2, 3, 4 ORDER BY 2, 3, 4, 1
""")
_ROWS = text("""
    SELECT scope, key, state, wanted || coalesce(rest, '{}') AS wanted, known,
           nullif(before, 'false') AS before, edited, risks, field, text, advice, written_at
    FROM mirror_change
    WHERE run = :run AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY scope, folded LIMIT :most
""")
_COUNT = text("""
    SELECT count(*) FROM mirror_change c WHERE c.run = :run AND c.state = :state
       AND (CAST(:risk AS text) IS NULL OR EXISTS (
            SELECT FROM unnest(c.risks) AS k(risk) WHERE split_part(k.risk, '/', 1) = :risk))
""")
# Flags are digits too, and no numbers.
_JUMPS = text("""
    WITH numbers AS (
        SELECT c.scope, c.key, f.field, CAST(f.new AS numeric) AS new,
               CAST(coalesce(nullif(c.before, 'false') ->> f.field, c.known ->> f.field)
                    AS numeric) AS old
        FROM mirror_change c CROSS JOIN LATERAL (
            SELECT e.key AS field, e.value AS new FROM jsonb_each_text(c.wanted) AS e
            WHERE jsonb_typeof(c.wanted -> e.key) = 'string'
              AND e.key NOT IN ('status', 'blocked', 'tax_class_id')
              AND (CAST(:field AS text) IS NULL OR e.key = :field)
              AND e.value ~ '^-?[0-9]{1,15}([.][0-9]{1,6})?$'
              AND coalesce(nullif(c.before, 'false') ->> e.key, c.known ->> e.key)
                  ~ '^-?[0-9]{1,15}([.][0-9]{1,6})?$') AS f
        WHERE c.run = :run AND c.state = :state
          AND (CAST(:risk AS text) IS NULL OR EXISTS (
              SELECT FROM unnest(c.risks) AS k(risk) WHERE split_part(k.risk, '/', 1) = :risk)))
    SELECT scope, key, field, old, new FROM numbers WHERE old <> new
    ORDER BY CASE WHEN old = 0 THEN 'infinity' ELSE abs(new - old) / abs(old) END DESC,
             abs(new - old) DESC, key LIMIT :most
""")
_EDITED = text("""
    SELECT e.field, count(*) AS rows FROM mirror_change c, unnest(c.edited) AS e(field)
    WHERE c.run = :run GROUP BY e.field ORDER BY e.field
""")
# The last read of everything, and when the one before it began.
_WHOLE = text("""
    SELECT flow, market, began_at, planned_at, before_at FROM (
        SELECT flow, market, began_at, planned_at, lead(began_at) OVER newest AS before_at,
               row_number() OVER newest AS number
        FROM mirror_run WHERE planned_at IS NOT NULL AND counts ->> 'is_whole' = '1'
        WINDOW newest AS (PARTITION BY flow, market ORDER BY id DESC)
    ) AS whole WHERE number = 1 ORDER BY flow, market
""")
_KNOWN = text("""
    SELECT flow, scope, key, market, shop_id, values, run, read_at, changed_at FROM mirror_row
    WHERE folded = :folded ORDER BY flow, shop, scope
""")


@dataclass(frozen=True, slots=True)
class FieldCount:
    """In how many rows of a run with an end a field is to change."""

    state: str
    field: str
    rows: int


@dataclass(frozen=True, slots=True)
class RiskCount:
    """How many rows of a run are in a class of danger.

    Attributes:
        why: "over" its limit, "alone" over their own, "approved"; empty within limits.
    """

    state: str
    risk: str
    direction: str
    why: str
    rows: int


@dataclass(frozen=True, slots=True)
class Jump:
    """A number of a row that changes, as the shop has it and as it is wanted."""

    scope: str
    key: str
    field: str
    old: Decimal
    new: Decimal


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One row of a plan; the names are those of the columns."""

    scope: str
    key: str
    state: str
    wanted: Values
    known: Values | None
    before: Values | None
    edited: Sequence[str]
    risks: Sequence[str]
    field: str
    text: str
    advice: str
    written_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownRow:
    """What was last acknowledged of a row; the names are those of the columns."""

    flow: str
    scope: str
    key: str
    market: str
    shop_id: str | None
    values: Values
    run: int | None
    read_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class WholeRead:
    """The last read of everything that a flow did for a market.

    Attributes:
        began_at: When it began.
        ended_at: When it was planned.
        before_at: When the one before it began; None where there was none.
    """

    flow: str
    market: str
    began_at: datetime
    ended_at: datetime
    before_at: datetime | None


class MirrorViews:
    """What this database keeps of runs."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def newest(self, *, flow: str | None = None, most: int = 50) -> list[MirrorRun]:
        """Return runs, the newest first, but for those of keys that are held alone."""
        its = select(mirror_run).where(~_RUN.asked_by.startswith(BY_EVENT, autoescape=True))
        statement = its.order_by(_RUN.id.desc()).limit(most)
        if flow is not None:
            statement = statement.where(_RUN.flow == flow)
        return await self._runs(statement)

    async def open(self) -> list[MirrorRun]:
        """Return the runs that have not ended, the oldest first."""
        its = select(mirror_run).where(_RUN.ended_at.is_(None))
        return await self._runs(its.order_by(_RUN.id))

    async def last_of_each(self) -> list[MirrorRun]:
        """Return the newest run of each flow, market and trigger."""
        key = (_RUN.flow, _RUN.market, _RUN.trigger)
        newest = select(func.max(_RUN.id)).group_by(*key)
        return await self._runs(select(mirror_run).where(_RUN.id.in_(newest)).order_by(*key))

    async def whole_reads(self) -> list[WholeRead]:
        """Return the last read of everything, of each flow and market."""
        return [WholeRead(*row.values()) for row in await self._rows(_WHOLE, {})]

    async def states(self, run: int) -> dict[str, int]:
        """Return how many rows of a run are in each state by now."""
        return {row["state"]: row["rows"] for row in await self._rows(_STATES, {"run": run})}

    async def fields(self, run: int) -> list[FieldCount]:
        """Return which fields are to change in how many rows."""
        return [FieldCount(**row) for row in await self._rows(_FIELDS, {"run": run})]

    async def risks(self, run: int) -> list[RiskCount]:
        """Return how many rows are in each class of danger."""
        return [RiskCount(**row) for row in await self._rows(_RISKS, {"run": run})]

    async def count(self, run: int, *, state: ChangeState, risk: str | None = None) -> int:
        """Return how many rows of a run are in a state, and in a class of danger."""
        values = {"run": run, "state": state.value, "risk": risk}
        [row] = await self._rows(_COUNT, values)
        return int(row["count"])

    async def jumps(
        self,
        run: int,
        *,
        state: ChangeState,
        risk: str | None = None,
        field: str | None = None,
        most: int,
    ) -> list[Jump]:
        """Return the numbers of a run's rows in a state that change most for their size."""
        values = {"run": run, "state": state.value, "risk": risk, "field": field, "most": most}
        return [Jump(**row) for row in await self._rows(_JUMPS, values)]

    async def edited(self, run: int) -> dict[str, int]:
        """Return how many rows had each field edited in the shop."""
        return {row["field"]: row["rows"] for row in await self._rows(_EDITED, {"run": run})}

    async def rows(
        self, run: int, *, state: ChangeState | None = None, most: int = 20
    ) -> list[ChangeView]:
        """Return rows of a plan, by scope and key."""
        values = {"run": run, "state": state and state.value, "most": most}
        return [ChangeView(**row) for row in await self._rows(_ROWS, values)]

    async def known(self, key: str) -> list[KnownRow]:
        """Return what all flows know of a key."""
        values = {"folded": folded(plain(key))}
        return [KnownRow(**row) for row in await self._rows(_KNOWN, values)]

    async def _runs(self, statement: Any) -> list[MirrorRun]:
        return [mirror_run_of(row) for row in await statements.mappings(self._database, statement)]

    async def _rows(self, statement: Any, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return await statements.mappings(self._database, statement, values)  # type: ignore[return-value]
