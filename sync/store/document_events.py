"""What events a document has: for those who ask whether anybody sees to it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.states import ENDED, EventState
from sync.store.tables import sync_event

_EVENT = sync_event.c


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEvent:
    """One of them.

    Attributes:
        what: What it is of the document, as its source key tells.
    """

    id: int
    document_id: str
    state: EventState
    what: str

    @property
    def is_open(self) -> bool:
        """Whether something is still to happen, or a person to look."""
        return self.state not in ENDED


class DocumentEvents:
    """The events of this database by their documents.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def of(
        self, flow: str, market: str, documents: Collection[int]
    ) -> Mapping[int, Sequence[DocumentEvent]]:
        """Return those of some documents, the newest first."""
        columns = (_EVENT.id, _EVENT.document_id, _EVENT.state, _EVENT.source_key)
        statement = select(*columns).where(
            _EVENT.flow == flow,
            _EVENT.market == market,
            statements.is_among(_EVENT.document_id, [str(each) for each in documents]),
        )
        by_document: dict[int, list[DocumentEvent]] = {}
        found = await statements.mappings(self._database, statement.order_by(_EVENT.id.desc()))
        for row in found:
            event = DocumentEvent(
                id=row["id"],
                document_id=row["document_id"],
                state=EventState(row["state"]),
                what=row["source_key"],
            )
            by_document.setdefault(int(row["document_id"]), []).append(event)
        return by_document
