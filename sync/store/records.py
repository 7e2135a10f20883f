"""What the tables hold, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.lines import Waiting
from sync.store.states import EventState
from sync.store.tables import sync_event

CAUTION = "Caution"
"""The kind of a trouble with which an event is done all the same."""

OUTAGE = "Outage"
"""Kind of a trouble that is the system's in its field, and no document's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why an event is not done; of one that is, what somebody should hear.

    Attributes:
        kind: The error's class, for grouping; `CAUTION` where there was none.
        field: The field at fault, empty where there is none.
        text: What is wrong with it.
        advice: What to do.
        diff: Field, expected, found; where two documents differ.
    """

    kind: str
    field: str = ""
    text: str = ""
    advice: str = ""
    diff: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One row of `sync_event`.

    Attributes:
        business_key: What people call the document.
        document_id: What the shop calls it; None where only the number is known yet.
    """

    id: int
    flow: str
    market: str
    business_key: str
    document_id: str | None
    source_key: str
    lock_key: str
    payload: Mapping[str, Any]
    state: EventState
    depends_on: int | None
    due_at: datetime | None
    attempts: int
    fence: int
    deaths: int
    note: str
    trouble: Trouble | None
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None

    @property
    def waiting(self) -> Waiting:
        """It, as it is put in line."""
        return Waiting(self.id, self.flow, self.market, self.lock_key)

    @property
    def name(self) -> str:
        """What people call the document, with the shop's id: several may have one number."""
        return document_name(self.business_key, self.document_id)


@dataclass(frozen=True, slots=True)
class Alike:
    """Events that are alike.

    Attributes:
        first: The oldest of them.
        count: How many there are.
    """

    first: Sequence[EventRecord]
    count: int

    def __len__(self) -> int:
        """Return how many there are."""
        return self.count


def document_name(business_key: str, document_id: str | None) -> str:
    """Return what people call a document, with the shop's id where that is something else."""
    if document_id in (None, business_key):
        return business_key
    return f"{business_key} (#{document_id})"


def event_record(row: Row[Any]) -> EventRecord:
    """Return a row of `sync_event` as a value."""
    columns = row._mapping  # noqa: SLF001 -- SQLAlchemy's documented way to read by name
    plain = {
        name: columns[name] for name in EventRecord.__slots__ if name not in ("state", "trouble")
    }
    trouble = None
    if columns["error_kind"] is not None:
        trouble = Trouble(
            kind=columns["error_kind"],
            field=columns["error_field"] or "",
            text=columns["error_text"] or "",
            advice=columns["error_advice"] or "",
            diff=tuple(tuple(each) for each in columns["error_diff"] or ()),
        )
    return EventRecord(state=EventState(columns["state"]), trouble=trouble, **plain)


def trouble_columns(trouble: Trouble | None) -> dict[str, Any]:
    """Return the columns that hold a trouble, all empty for none."""
    return {
        "error_kind": trouble and trouble.kind,
        "error_field": trouble and trouble.field,
        "error_text": trouble and trouble.text,
        "error_advice": trouble and trouble.advice,
        "error_diff": [list(each) for each in trouble.diff] if trouble else None,
    }


async def locked_event(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> EventRecord | None:
    """Return the last event of those that fit, and keep it from changing; None for none."""
    statement = select(*EVENT_COLUMNS).where(*conditions).order_by(sync_event.c.id.desc())
    row = (await connection.execute(statement.limit(1).with_for_update())).one_or_none()
    return None if row is None else event_record(row)


EVENT_COLUMNS = tuple(column for column in sync_event.c if column.name != "is_awaited")
