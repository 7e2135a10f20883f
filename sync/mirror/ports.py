"""What a mirror flow gives: a reader of the ERP, a writer to the shop, and what is dangerous.

The values are those of `sync.store.mirror_records`. Readers and writers raise `UpstreamError`
when a system fails as a whole; what is wrong with one row is a value.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from sync.engine.flow import Work
from sync.store.mirror_records import (
    DesiredRow,
    HeldRow,
    MirrorChange,
    MirrorLimit,
    Risk,
    RowKey,
    RowOutcome,
    UnmappedRow,
    Values,
)

Policy: TypeAlias = Literal["overwrite", "keep"]
"""What happens to a field that somebody has edited in the shop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPage:
    """Some rows of the ERP.

    Attributes:
        rows: Those that can be mirrored, all scopes of a key in one page.
        odd: Those that cannot.
        after: Where reading goes on after it.
        began_at: When the first request for it was sent.
        ended_at: When the last answer for it was there.
    """

    rows: Sequence[DesiredRow]
    odd: Sequence[UnmappedRow]
    after: str
    began_at: datetime
    ended_at: datetime


class MirrorReader(Protocol):
    """Reads what the ERP says."""

    async def expected(self) -> int | None:
        """Return how many rows a whole read brings, for progress; None for as many as the last."""
        ...

    def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        """Yield everything, or what there is of some keys; raises `UpstreamError`.

        Args:
            keys: As the ERP writes them; None for everything.
            after: Where an earlier read of everything got to.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """A row that is to be written.

    Attributes:
        change: What the run wants.
        held: What the shop has; None where it has no such thing.
        values: What is written: of what is wanted, that which the shop does not have and may get.
    """

    change: MirrorChange
    held: HeldRow | None
    values: Values


class MirrorWriter(Protocol):
    """Reads and writes the shop's side."""

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        """Return what the shop has of the wanted fields; a row that it does not have is missing.

        Raises `UpstreamError`.
        """
        ...

    async def write(self, batch: Sequence[PlannedRow], work: Work) -> Sequence[RowOutcome]:
        """Write one batch and return what came of each row.

        Raises `UpstreamError` when the batch failed as a whole: what arrived of it is read back,
        and what did not is judged row by row.
        """
        ...


async def _nothing() -> Mapping[str, Values]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mirror flow of one market.

    Attributes:
        flow: Its name.
        market: The market's code.
        shop: The shop's root address.
        scopes: What it owns, and nothing else writes.
        reader: Reads the ERP.
        writer: Writes the shop.
        risks: Says, from the fields as known and as wanted, which classes of danger a change is
            in; pure.
        beside: Says what else `risks` has to know of keys, by what their spellings share, in
            names that no field has: it finds them among what is known. Asked before each plan.
        limits: How many keys may be in each class within 24 hours.
        policies: By field; one that is not named is overwritten.
        absent: What is wanted of a known row that the ERP has no more; None for nothing. It is
            for rows that have all these fields.
        adopts: Whether its first run compares the shop and writes nothing.
        decides_itself: Whether the writer is given every row of a plan, also one of which the shop
            has all that is wanted: what it writes depends on more than that.
        change_every: How often what is wanted is read; None for as often as the configuration says
            for all mirrors.
        full_every: How often everything is read, likewise.
        look_every: In what time the whole shop is looked through for what others changed there,
            likewise.
        chunk_rows: How many rows are read from the shop and written in one go.
        batch_rows: How many rows one request may hold.
    """

    flow: str
    market: str
    shop: str
    scopes: Sequence[str]
    reader: MirrorReader
    writer: MirrorWriter
    risks: Callable[[Values | None, Values], Sequence[Risk]]
    beside: Callable[[], Awaitable[Mapping[str, Values]]] = _nothing
    limits: Mapping[str, MirrorLimit] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    absent: Values | None = None
    adopts: bool = True
    decides_itself: bool = False
    change_every: timedelta | None = None
    full_every: timedelta | None = None
    look_every: timedelta | None = None
    chunk_rows: int = 500
    batch_rows: int = 100
