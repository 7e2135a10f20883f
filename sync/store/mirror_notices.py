"""What mirrors have to tell of that no event and no run says: an alert for as long as it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Column, DateTime, Integer, Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.plain_columns import PlainText
from sync.store.tables import metadata

mirror_notice = Table(
    "mirror_notice",
    metadata,
    Column("flow", PlainText, primary_key=True),
    Column("market", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("title", PlainText, nullable=False),
    Column("text", PlainText, nullable=False),
    Column("count", Integer, nullable=False),
    # Not noted again, it is over.
    Column("until", DateTime(timezone=True), nullable=False),
)
_NOTICE = mirror_notice.c


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorNotice:
    """One of them; the names are those of the columns."""

    flow: str
    market: str
    key: str
    title: str
    text: str
    count: int


class MirrorNotices:
    """The notices of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def note(self, notice: MirrorNotice, *, lasts: timedelta) -> None:
        """Tell of something, until so much later, unless it is told again."""
        fresh = {
            "title": notice.title,
            "text": notice.text,
            "count": notice.count,
            "until": func.clock_timestamp() + lasts,
        }
        key = {"flow": notice.flow, "market": notice.market, "key": notice.key}
        over = delete(mirror_notice).where(_NOTICE.until < func.clock_timestamp())
        await statements.change(self._database, over)
        await statements.change(self._database, statements.put(mirror_notice, key, fresh))

    async def over(self, *, flow: str, market: str, key: str) -> None:
        """Note that something is over before its time; nothing to do where it was not told."""
        its = (_NOTICE.flow == flow, _NOTICE.market == market, _NOTICE.key == key)
        await statements.change(self._database, delete(mirror_notice).where(*its))

    async def lasting(self) -> Sequence[MirrorNotice]:
        """Return what is not over."""
        columns = [_NOTICE[name] for name in MirrorNotice.__slots__]
        its = select(*columns).where(_NOTICE.until >= func.clock_timestamp())
        found = await statements.mappings(self._database, its.order_by(*columns[:3]))
        return [MirrorNotice(**row) for row in found]
