"""What people did by hand, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.tables import audit

_ROW = audit.c


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did; the names are those of the columns."""

    created_at: datetime
    who: str
    action: str
    subject: str


class AuditTrail:
    """The audit of a database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def note(self, *, by: str, action: str, subject: str, after: Mapping[str, Any]) -> None:
        """Write down what was done outside the store's own transactions."""
        row = insert(audit).values(who=by, action=action, subject=subject, after=dict(after))
        await statements.change(self._database, row)

    async def of_event(self, event_id: int) -> list[AuditEntry]:
        """Return what was done to an event, the oldest first."""
        return await self._about(f"event {event_id}")

    async def _about(self, subject: str) -> list[AuditEntry]:
        columns = [_ROW[name] for name in AuditEntry.__slots__]
        names_it = or_(
            _ROW.subject == subject, _ROW.subject.startswith(f"{subject}:", autoescape=True)
        )
        statement = select(*columns).where(names_it).order_by(_ROW.id)
        return [AuditEntry(*row) for row in await statements.rows(self._database, statement)]
