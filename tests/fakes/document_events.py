"""The events of documents, in memory: as `sync.store.document_events.DocumentEvents`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sync.store.document_events import DocumentEvent
from sync.store.states import EventState


@dataclass
class FakeDocumentEvents:
    """Events by the shop's ids of documents, the newest first."""

    kept: dict[int, list[DocumentEvent]] = field(default_factory=dict)

    def put(self, document: int, state: EventState, what: str = "") -> None:
        """Enter one."""
        number = sum(map(len, self.kept.values())) + 1
        event = DocumentEvent(id=number, document_id=str(document), state=state, what=what)
        self.kept.setdefault(document, []).insert(0, event)

    async def of(
        self, flow: str, market: str, documents: Collection[int]
    ) -> Mapping[int, Sequence[DocumentEvent]]:
        del flow, market
        return {each: its for each, its in self.kept.items() if each in documents}
