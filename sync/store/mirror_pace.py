"""How wide each shop is written to by all processes, and what its storefront's probes took."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    Table,
    delete,
    false,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.mirror_pace_record import Probes, ShopPace
from sync.store.plain_columns import PlainText
from sync.store.tables import metadata

_DAY = timedelta(days=1)
_INSTANT = DateTime(timezone=True)

mirror_pace = Table(
    "mirror_pace",
    metadata,
    Column("shop", PlainText, primary_key=True),
    Column("width", Integer, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Column("cut_at", _INSTANT),
    Column("is_slow", Boolean, nullable=False, server_default=false()),
    Column("reason", PlainText, nullable=False, server_default=""),
)
storefront_probe = Table(
    "storefront_probe",
    metadata,
    Column("shop", PlainText, primary_key=True),
    Column("at", _INSTANT, primary_key=True),
    Column("took_ms", Double, nullable=False),
)
_PACE, _PROBE = mirror_pace.c, storefront_probe.c


class MirrorPaces:
    """The paces of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def of(self, shop: str) -> ShopPace | None:
        """Return a shop's pace, None while nothing has changed it."""
        columns = [_PACE[name] for name in ShopPace.__slots__]
        found = await statements.mappings(
            self._database, select(*columns).where(_PACE.shop == shop)
        )
        return ShopPace(**found[0]) if found else None

    async def change(
        self, shop: str, first: ShopPace, change: Callable[[ShopPace], ShopPace]
    ) -> None:
        """Change a shop's pace, of all processes one at a time.

        Args:
            shop: Whose.
            first: What it is while nothing has changed it.
            change: Returns the next.
        """
        columns = [_PACE[name] for name in ShopPace.__slots__]
        row = select(*columns).where(_PACE.shop == shop).with_for_update()
        begun = insert(mirror_pace).values(shop=shop, **asdict(first))
        async with self._database.begin() as connection:
            await connection.execute(begun.on_conflict_do_nothing())
            before = ShopPace(**(await connection.execute(row)).mappings().one())
            if (after := change(before)) != before:
                statement = mirror_pace.update().where(_PACE.shop == shop)
                await connection.execute(statement.values(**asdict(after)))

    async def note_probe(self, shop: str, at: datetime, took_ms: float) -> None:
        """Keep what the storefront took, and forget what is older than a day."""
        row = insert(storefront_probe).values(shop=shop, at=at, took_ms=took_ms)
        old = delete(storefront_probe).where(_PROBE.shop == shop, _PROBE.at < at - _DAY)
        async with self._database.begin() as connection:
            await connection.execute(row.on_conflict_do_nothing())
            await connection.execute(old)

    async def probes(self, shop: str, *, recent: int) -> Probes:
        """Return what it took of late; so many of the latest one by one."""
        mine = select(_PROBE.took_ms).where(_PROBE.shop == shop)
        latest = mine.order_by(_PROBE.at.desc()).limit(recent)
        usual = select(
            func.coalesce(func.percentile_cont(0.5).within_group(_PROBE.took_ms), 0.0),
            func.count(),
        ).where(_PROBE.shop == shop)
        async with self._database.connect() as connection:
            found = list((await connection.execute(latest)).scalars())
            median, count = (await connection.execute(usual)).one()
        return Probes(recent_ms=found, usual_ms=median, count=count)
