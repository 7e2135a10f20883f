"""Bulks that were sent to a shop, until it is known what became of each of their rows.

A bulk that nobody follows any more may still be worked off: its values are then what the shop has,
whatever was written since. So they become the known ones, and the keys are read again.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain, plain_json
from sync.store import statements
from sync.store.mirror_records import RowKey, Values
from sync.store.plain_columns import PlainJson, PlainText
from sync.store.tables import metadata

# A consumer that died is mended within minutes, or is not looked after at all.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_MOST_DOUBLINGS = 6

mirror_bulk = Table(
    "mirror_bulk",
    metadata,
    Column("shop", PlainText, primary_key=True),
    Column("bulk", PlainText, primary_key=True),
    Column("flow", PlainText, nullable=False),
    Column("market", PlainText, nullable=False),
    Column("makes", Boolean, nullable=False),
    # Those whose end is not known: number, scope, key, values.
    Column("rows", PlainJson, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("looks", Integer, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
)
_BULK = mirror_bulk.c
_KNOW = text("""
    UPDATE mirror_row m SET values = m.values || r.values, changed_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text, values jsonb)
    WHERE m.flow = :flow AND m.shop = :shop AND m.scope = r.scope AND m.folded = r.folded
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """One row of a bulk.

    Attributes:
        number: Its place in the list that was sent.
        row: What it is of.
        values: The fields that it writes.
    """

    number: int
    row: RowKey
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBulk:
    """A bulk of which not every end is known.

    Attributes:
        makes: Whether it makes products.
        rows: Those that may still be worked off.
        looks: How often somebody looked after it.
    """

    bulk: str
    makes: bool
    rows: Sequence[BulkRow]
    sent_at: datetime
    looks: int


class MirrorBulks:
    """The bulks of one mirror in this database.

    Args:
        database: Where they are kept.
        shop: The shop's root address.
        flow: The mirror's flow.
        market: Its market.
    """

    def __init__(self, database: AsyncEngine, *, shop: str, flow: str, market: str) -> None:
        self._database = database
        self._place = {"shop": shop, "flow": flow, "market": market}

    async def sent(
        self, bulk: str, rows: Sequence[BulkRow], *, makes: bool, within: timedelta
    ) -> None:
        """Keep a bulk that is on its way.

        Args:
            bulk: The shop's id of it.
            rows: What it writes.
            makes: Whether it makes products.
            within: How long somebody follows it.
        """
        now = func.clock_timestamp()
        fresh = {
            **self._place,
            "makes": makes,
            "rows": [_kept(row) for row in rows],
            "sent_at": now,
            "looks": 0,
            "due_at": now + within + _FIRST_PAUSE,
        }
        key = {"shop": self._place["shop"], "bulk": bulk}
        del fresh["shop"]
        await statements.change(self._database, statements.put(mirror_bulk, key, fresh))

    async def ended(self, bulk: str) -> None:
        """Forget a bulk: what became of each row is known."""
        await statements.change(self._database, delete(mirror_bulk).where(*self._of(bulk)))

    async def due(self) -> list[SentBulk]:
        """Return the bulks after which somebody has to look now, the oldest first."""
        its = [_BULK[name] == value for name, value in self._place.items()]
        statement = select(mirror_bulk).where(*its, _BULK.due_at <= func.clock_timestamp())
        found = await statements.mappings(self._database, statement.order_by(_BULK.sent_at))
        return [
            SentBulk(
                bulk=row["bulk"],
                makes=row["makes"],
                rows=[_row(each) for each in row["rows"]],
                sent_at=row["sent_at"],
                looks=row["looks"],
            )
            for row in found
        ]

    async def keep(self, sent: SentBulk, left: Collection[BulkRow]) -> None:
        """Note which rows of a bulk are open still; it is looked after again later."""
        pause = min(_FIRST_PAUSE * 2 ** min(sent.looks, _MOST_DOUBLINGS), _LONGEST_PAUSE)
        values = {
            "rows": [_kept(row) for row in left],
            "looks": sent.looks + 1,
            "due_at": func.clock_timestamp() + pause,
        }
        statement = update(mirror_bulk).where(*self._of(sent.bulk)).values(values)
        await statements.change(self._database, statement)

    async def know(self, rows: Sequence[BulkRow]) -> None:
        """Note that the shop was given the values of rows late: they are the known ones."""
        told = [
            {
                "scope": each.row.scope,
                "folded": folded(plain(each.row.key)),
                "values": plain_json(dict(each.values)),
            }
            for each in rows
        ]
        async with self._database.begin() as connection:
            await connection.execute(_KNOW, {**self._place, "rows": json.dumps(told)})

    def _of(self, bulk: str) -> tuple[Any, ...]:
        return (_BULK.shop == self._place["shop"], _BULK.bulk == bulk)


def _kept(row: BulkRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "scope": row.row.scope,
        "key": row.row.key,
        "values": dict(row.values),
    }


def _row(kept: dict[str, Any]) -> BulkRow:
    row = RowKey(kept["scope"], kept["key"])
    return BulkRow(number=kept["number"], row=row, values=kept["values"])
