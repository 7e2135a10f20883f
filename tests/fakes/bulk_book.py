"""The bulks that were sent, in memory; all of them are due."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sync.store.mirror_bulks import BulkRow, SentBulk


@dataclass
class FakeBulkBook:
    """A `sync.products.ports.BulkBook`.

    Attributes:
        kept: Those whose ends are not all known, by id.
        known: The rows whose values are the known ones.
    """

    kept: dict[str, SentBulk] = field(default_factory=dict)
    known: list[BulkRow] = field(default_factory=list)

    async def sent(
        self, bulk: str, rows: Sequence[BulkRow], *, makes: bool, within: timedelta
    ) -> None:
        del within
        sent_at = datetime(2026, 11, 29, tzinfo=UTC)
        self.kept[bulk] = SentBulk(bulk=bulk, makes=makes, rows=rows, sent_at=sent_at, looks=0)

    async def ended(self, bulk: str) -> None:
        self.kept.pop(bulk, None)

    async def due(self) -> Sequence[SentBulk]:
        return list(self.kept.values())

    async def keep(self, sent: SentBulk, left: Collection[BulkRow]) -> None:
        self.kept[sent.bulk] = replace(sent, rows=list(left), looks=sent.looks + 1)

    async def know(self, rows: Sequence[BulkRow]) -> None:
        self.known += rows
