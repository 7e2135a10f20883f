"""Read what operators, alerts and metrics want to know of the events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.records import (
    CAUTION,
    EVENT_COLUMNS,
    OUTAGE,
    Alike,
    EventRecord,
    event_record,
)
from sync.store.states import ENDED, MOVING, STUCK, EventState
from sync.store.tables import sync_event

_EVENT = sync_event.c
_OPEN = [state.value for state in EventState if state not in ENDED]
# Of one document; one is held, as a rule, and the others wait behind it.
# Of one document: more is a defect, and enough to see it.
_MOST_OF_ONE = 50
_MOST_HELD = 1000
_MOVING = [state.value for state in MOVING]
_STUCK = [state.value for state in STUCK]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """One flow of one market.

    Attributes:
        counts: Events by state.
        lag: Age of the oldest event that is not ended, zero when all are.
        last_ended_at: When one was last done or skipped.
    """

    flow: str
    market: str
    counts: dict[str, int]
    lag: timedelta
    last_ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitedFor:
    """A system for whose sake events wait.

    Attributes:
        system: Which one.
        events: How many have tried.
        text: What it said last.
        advice: What to do.
    """

    system: str
    events: int
    text: str
    advice: str


class Overview:
    """Looks at the events of a database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def flows(self) -> list[FlowState]:
        """Return every flow and market that ever had an event."""
        is_open = _EVENT.state.in_(_OPEN)
        statement = select(
            _EVENT.flow,
            _EVENT.market,
            _EVENT.state,
            func.count(),
            func.min(_EVENT.created_at).filter(is_open),
            func.max(_EVENT.ended_at),
            func.clock_timestamp(),
        ).group_by(_EVENT.flow, _EVENT.market, _EVENT.state)
        found: dict[tuple[str, str], FlowState] = {}
        counted = await statements.rows(self._database, statement)
        for flow, market, state, count, oldest, ended, now in counted:
            known = found.get((flow, market))
            lag = timedelta(0) if oldest is None else now - oldest
            found[flow, market] = FlowState(
                flow=flow,
                market=market,
                counts={**(known.counts if known else {}), state: count},
                lag=max(lag, known.lag) if known else lag,
                last_ended_at=_latest(ended, known.last_ended_at if known else None),
            )
        return [found[key] for key in sorted(found)]

    async def stuck(self, *, most: int = 200) -> list[EventRecord]:
        """Return held events and then blocked ones, each the oldest first.

        What needs a decision comes before what follows from it, however much that is.
        """
        held_first = case((_EVENT.state == EventState.HELD, 0), else_=1)
        return await self._events(_EVENT.state.in_(_STUCK), most=most, before=held_first)

    async def stuck_alike(self, *, named: int) -> list[Alike]:
        """Return the same by what is wrong with them: ten thousand may be held for one reason."""
        alike = (
            *(_EVENT.flow, _EVENT.market, _EVENT.state, _EVENT.depends_on),
            *(_EVENT.error_kind, _EVENT.error_field, _EVENT.error_text, _EVENT.error_diff),
        )
        crowds = await self._crowds(_EVENT.state.in_(_STUCK), alike=alike, named=named)
        return sorted(crowds, key=lambda each: each.first[0].state is not EventState.HELD)

    async def held_like(self, event_id: int) -> list[int]:
        """Return the held events with which the same is wrong as with one, and it."""
        one = sync_event.alias()
        same = [
            getattr(one.c, name).is_not_distinct_from(_EVENT[name])
            for name in ("flow", "market", "error_kind", "error_field", "error_text")
        ]
        its = select(_EVENT.id).where(
            _EVENT.state == EventState.HELD,
            select(one.c.id).where(one.c.id == event_id, *same).exists(),
        )
        return [row.id for row in await statements.rows(self._database, its.order_by(_EVENT.id))]

    async def held_ids(self, *, field: str | None = None) -> list[int]:
        """Return all held events, or those held at one field, the oldest first."""
        at = () if field is None else (_EVENT.error_field == field,)
        its = select(_EVENT.id).where(_EVENT.state == EventState.HELD, *at).order_by(_EVENT.id)
        return [row.id for row in await statements.rows(self._database, its)]

    async def count_stuck(self) -> int:
        """Return how many events are held or blocked."""
        statement = select(func.count()).where(_EVENT.state.in_(_STUCK))
        return int(await statements.value(self._database, statement))

    async def cautions(self, within: timedelta, *, most: int = 200) -> list[EventRecord]:
        """Return what was done of late though somebody should hear of a difference."""
        return await self._events(_is_cautioned(within), most=most)

    async def cautioned(self, within: timedelta, *, named: int) -> list[Alike]:
        """Return the same by flow, market and field; some of each are named."""
        alike = (_EVENT.flow, _EVENT.market, _EVENT.error_field)
        return await self._crowds(_is_cautioned(within), alike=alike, named=named)

    async def held(self, *, named: int) -> list[Alike]:
        """Return held events by flow, market, and what is wrong where; some of each are named."""
        alike = (_EVENT.flow, _EVENT.market, _EVENT.error_kind, _EVENT.error_field)
        return await self._crowds(_EVENT.state == EventState.HELD, alike=alike, named=named)

    async def late(self, older_than: timedelta, *, flow: str, named: int) -> list[Alike]:
        """Return a flow's events that move though older than that, by market.

        Those that are stuck are others', however many there are.
        """
        is_late = and_(
            _EVENT.flow == flow,
            _EVENT.state.in_(_MOVING),
            _EVENT.created_at < func.now() - older_than,
        )
        return await self._crowds(is_late, alike=(_EVENT.market,), named=named)

    async def waited_for(self) -> list[WaitedFor]:
        """Return the systems for whose sake events wait."""
        statement = (
            select(
                _EVENT.error_field,
                func.count().over(partition_by=_EVENT.error_field),
                _EVENT.error_text,
                _EVENT.error_advice,
            )
            .where(_EVENT.state.in_(_MOVING), _EVENT.error_kind == OUTAGE)
            .ext(distinct_on(_EVENT.error_field))
            .order_by(_EVENT.error_field, _EVENT.changed_at.desc())
        )
        return [
            WaitedFor(system=system, events=count, text=said, advice=advice)
            for system, count, said, advice in await statements.rows(self._database, statement)
        ]

    async def event(self, event_id: int) -> EventRecord | None:
        """Return one event."""
        found = await self._events(_EVENT.id == event_id, most=1)
        return found[0] if found else None

    async def by_key(self, business_key: str, *, flow: str | None = None) -> list[EventRecord]:
        """Return the events of all documents of a number, the oldest first; or of one flow."""
        conditions = [] if flow is None else [_EVENT.flow == flow]
        return await self._events(
            _EVENT.business_key == business_key, *conditions, most=_MOST_OF_ONE
        )

    async def by_document(self, flow: str, document_id: str) -> list[EventRecord]:
        """Return the events of one document of the shop, the oldest first."""
        return await self._events(
            _EVENT.flow == flow, _EVENT.document_id == document_id, most=_MOST_OF_ONE
        )

    async def held_of(self, flow: str, market: str, business_key: str) -> list[EventRecord]:
        """Return the held events of one market's document, the oldest first."""
        return await self._events(
            _EVENT.flow == flow,
            _EVENT.market == market,
            _EVENT.business_key == business_key,
            _EVENT.state == EventState.HELD,
            most=_MOST_HELD,
        )

    async def dependants(self, event_id: int) -> list[EventRecord]:
        """Return the events that wait for one, the oldest first."""
        return await self._events(_EVENT.depends_on == event_id, most=_MOST_OF_ONE)

    async def _crowds(
        self, which: ColumnElement[bool], *, alike: Sequence[ColumnElement[Any]], named: int
    ) -> list[Alike]:
        place = func.row_number().over(partition_by=alike, order_by=_EVENT.id).label("place")
        count = func.count().over(partition_by=alike).label("count")
        first = func.min(_EVENT.id).over(partition_by=alike).label("first")
        each = select(*EVENT_COLUMNS, place, count, first).where(which).subquery()
        statement = select(each).where(each.c.place <= named).order_by(each.c.first, each.c.id)
        rows = await statements.rows(self._database, statement)
        return [
            Alike([event_record(row) for row in members], members[0].count)
            for members in (list(of_one) for _, of_one in groupby(rows, attrgetter("first")))
        ]

    async def _events(
        self, *conditions: ColumnElement[bool], most: int, before: ColumnElement[int] | None = None
    ) -> list[EventRecord]:
        order = [_EVENT.id] if before is None else [before, _EVENT.id]
        statement = select(*EVENT_COLUMNS).where(*conditions).order_by(*order).limit(most)
        return [event_record(row) for row in await statements.rows(self._database, statement)]


def _is_cautioned(within: timedelta) -> ColumnElement[bool]:
    return and_(
        _EVENT.error_kind == CAUTION,
        _EVENT.state == EventState.DONE,
        _EVENT.ended_at > func.now() - within,
    )


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    instants = [each for each in (one, other) if each is not None]
    return max(instants) if instants else None
