"""Rows of a source that cannot be read: kept visibly, once each, until they read well again.

    met in a page of the source            kept, and logged, once
    read well, wherever that is            ended; it is entered as any other row
    gone when it is asked for again        ended
    with another fault than before         kept anew: nobody has set that aside

Asked for again after a minute, then after twice the time each, up to an hour: what is mended
straight in the shop's database need not move the instant of its last change. A row that the
shop cannot serve at all is left out of what polls ask for, and met only so.
"""

import logging
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pricing_proxy.clock import Clock
from sync.engine.windows import ClockReading
from sync.store.odd_row_record import OddRecord

_log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=1)
"""How often it is looked which rows are to be asked for again."""

_LATEST = timedelta(hours=1)


class Changing(Protocol):
    """A row that says when it changed."""

    @property
    def entity_id(self) -> int:
        """The shop's id of it."""
        ...

    @property
    def updated_at(self) -> datetime:
        """When it changed."""
        ...


class Odd(Protocol):
    """A row that cannot be read."""

    @property
    def entity_id(self) -> int:
        """The shop's id of it."""
        ...

    @property
    def number(self) -> str:
        """What people call it; empty where it does not say."""
        ...

    @property
    def member(self) -> str:
        """What is wrong; empty where the shop cannot serve it."""
        ...

    @property
    def text(self) -> str:
        """What is wrong with it."""
        ...

    @property
    def updated_at(self) -> datetime | None:
        """When it changed, where it says."""
        ...


T = TypeVar("T", bound=Changing)
R_co = TypeVar("R_co", bound=Changing, covariant=True)


class Found(Protocol[R_co]):
    """What was read of a list at once."""

    @property
    def rows(self) -> Sequence[R_co]:
        """Those that read well."""
        ...

    @property
    def odd(self) -> Sequence[Odd]:
        """The others."""
        ...

    @property
    def reading(self) -> ClockReading | None:
        """The clock of whoever answered, None where it tells no time."""
        ...


class Rereading(Protocol[R_co]):
    """A list that is asked for single rows again."""

    def of(self, ids: Collection[int]) -> AsyncGenerator[Found[R_co], None]:
        """Yield what there is of these."""
        ...

    async def alone(self, entity_id: int) -> Found[R_co]:
        """Return one that the shop may be unable to serve."""
        ...


class KeptOddRows(Protocol):
    """Where odd rows are kept."""

    async def of(self, source: str) -> Mapping[int, OddRecord]:
        """Return those of a source, by the shop's id."""
        ...

    async def keep(self, rows: Sequence[OddRecord]) -> None:
        """Add them, or change what is wrong with them."""
        ...

    async def end(self, source: str, ids: Collection[int]) -> None:
        """Forget those."""
        ...


@dataclass(frozen=True, slots=True)
class OddRowBook:
    """The odd rows of all sources."""

    kept: KeptOddRows
    clock: Clock

    async def of(self, source: str) -> "SourceOddRows":
        """Return those of one source, for one reading of it."""
        known = dict(await self.kept.of(source))
        return SourceOddRows(source=source, kept=self.kept, clock=self.clock, known=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOddRows:
    """The odd rows of a source, as they are known while it is read."""

    source: str
    kept: KeptOddRows
    clock: Clock
    known: dict[int, OddRecord]

    @property
    def unserved(self) -> set[int]:
        """Those that the shop cannot serve."""
        return {row_id for row_id, record in self.known.items() if not record.member}

    @property
    def due(self) -> list[OddRecord]:
        """Those that are to be asked for again."""
        now = self.clock.utc()
        return [record for record in self.known.values() if _is_due(record, now)]

    async def take(self, found: Found[Changing], *, is_again: bool = False) -> None:
        """Keep what is odd in what was read, and end what is not any more."""
        await self.end(row.entity_id for row in found.rows)
        records = [self._record(row) for row in found.odd]
        news = [each for each in records if not _is_same(each, self.known.get(each.row_id))]
        for each in news:
            _log.warning("%s #%d cannot be read: %s", self.source, each.row_id, each.text)
        await self._keep(records if is_again else news)

    async def end(self, ids: Iterable[int]) -> None:
        """End those among these."""
        if ended := self.known.keys() & set(ids):
            await self.kept.end(self.source, ended)
            _log.info("%s: %d rows that could not be read are in order", self.source, len(ended))
            for row_id in ended:
                del self.known[row_id]

    async def _keep(self, records: Sequence[OddRecord]) -> None:
        if records:
            await self.kept.keep(records)
            self.known.update((each.row_id, each) for each in records)

    def _record(self, row: Odd) -> OddRecord:
        now = self.clock.utc()
        return OddRecord(
            source=self.source,
            row_id=row.entity_id,
            number=row.number,
            member=row.member,
            text=row.text,
            seen_at=now,
            looked_at=now,
        )


def _is_same(one: OddRecord, other: OddRecord | None) -> bool:
    return other is not None and (one.member, one.text) == (other.member, other.text)


def _is_due(record: OddRecord, now: datetime) -> bool:
    pause = min(max(record.looked_at - record.seen_at, LOOK_AGAIN), _LATEST)
    return now - record.looked_at >= pause
