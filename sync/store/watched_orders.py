"""Keep the orders of the shop that are in the ERP: whose papers are ours, and when to look again.

They come out of the entity map, where an order stands once all of it is in the ERP. What is
read twice is the same row.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import RowMapping, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.names import same_name_key
from sync.store import statements
from sync.store.order_writes import ORDER_LINK, ORDERS
from sync.store.watched_order_record import OrderLook, OrderSeen, WatchedRecord, WatchState
from sync.store.watched_order_table import watched_order

_ROW = watched_order.c
_OF_ORDER = (_ROW.order_id, _ROW.number, _ROW.erp_number, _ROW.since, _ROW.due_at)
_OF_LOOK = (_ROW.status, _ROW.ships_on, _ROW.lines, _ROW.steps)
_COLUMNS = (*_OF_ORDER, *_OF_LOOK)
# A link that is written while others are read becomes visible late.
_OVERLAP = timedelta(minutes=10)
# Of an order that nobody calls anything any more, the shop's id is its name.
_LINKED = text("""
    SELECT CAST(link.magento_id AS bigint) AS order_id, link.erp_key AS erp_number,
           coalesce((SELECT event.business_key FROM sync_event AS event
                     WHERE event.flow = :flow AND event.document_id = link.magento_id
                       AND event.market = link.market ORDER BY event.id DESC LIMIT 1),
                    '#' || link.magento_id) AS number
    FROM entity_map AS link
    WHERE link.kind = :kind AND link.market = :market AND link.erp_key > ''
      AND link.changed_at >= :since
    ORDER BY link.changed_at, link.magento_id
""")
# A slip stands in every event of it, those of its parcels left out.
_TOLD = text("""
    SELECT DISTINCT watched.folded, event.payload -> 'slip' AS slip
    FROM sync_event AS event JOIN watched_order AS watched
      ON watched.market = event.market AND CAST(watched.order_id AS text) = event.document_id
    WHERE event.flow = 'order_status' AND event.market = :market
      AND event.payload ->> 'fact' = 'slip'
      AND event.payload -> 'slip' ->> 'DeliveryDate' BETWEEN :since AND :last
""")
_ADD = text("""
    INSERT INTO watched_order (market, order_id, number, erp_number, folded)
    VALUES (:market, :order_id, :number, :erp_number, :folded)
    ON CONFLICT (market, order_id) DO UPDATE
        SET erp_number = excluded.erp_number, folded = excluded.folded, number = excluded.number,
            status = '', ships_on = NULL, lines = '', due_at = now()
        WHERE watched_order.folded <> excluded.folded
""")


class WatchedOrders:
    """The watched orders of all markets.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def take_in(self, market: str, since: datetime) -> datetime:
        """Watch what has come into the ERP since an instant, and return from when to go on.

        Instants are the database's.
        """
        values = {"flow": ORDERS, "kind": ORDER_LINK, "market": market, "since": since}
        async with self._database.begin() as connection:
            now: datetime = (await connection.execute(select(func.now()))).scalar_one()
            found = (await connection.execute(_LINKED, values)).mappings().all()
            rows = [
                {**row, "market": market, "folded": same_name_key(row["erp_number"])}
                for row in found
            ]
            if rows:
                await connection.execute(_ADD, rows)
        return now - _OVERLAP

    async def numbered(self, market: str, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        """Return the orders that the ERP calls so, by what all spellings of a number share."""
        keys = {same_name_key(number) for number in numbers}
        if not keys:
            return {}
        statement = select(*_COLUMNS, _ROW.folded).where(
            _ROW.market == market, statements.is_among(_ROW.folded, keys)
        )
        found = await statements.mappings(self._database, statement)
        return {row["folded"]: _record(row) for row in found}

    async def slips_told(
        self, market: str, since: date, last: date | None = None
    ) -> Sequence[tuple[str, Mapping[str, str]]]:
        """Return the slips dated a day or later, until the last one, that events tell of.

        With each, the ERP's number of the order as it is spelled now; a slip is its members.
        """
        values = {"market": market, "since": f"{since}", "last": f"{last or date.max}"}
        found = await statements.mappings(self._database, _TOLD, values)
        return [(row["folded"], row["slip"]) for row in found]

    async def due(self, market: str, *, now: datetime, most: int) -> Sequence[WatchedRecord]:
        """Return orders that are to be looked at now, the longest due first."""
        statement = (
            select(*_COLUMNS)
            .where(_ROW.market == market, _ROW.due_at <= now)
            .order_by(_ROW.due_at, _ROW.order_id)
            .limit(most)
        )
        found = await statements.mappings(self._database, statement)
        return [_record(row) for row in found]

    async def states(self) -> list[WatchState]:
        """Return how well each market's orders are watched, by the database's clock."""
        now = func.clock_timestamp()
        is_due = _ROW.due_at <= now
        statement = (
            select(
                _ROW.market,
                func.count(_ROW.due_at),
                func.count(_ROW.due_at).filter(is_due),
                func.coalesce(now - func.min(_ROW.due_at).filter(is_due), timedelta(0)),
            )
            .group_by(_ROW.market)
            .order_by(_ROW.market)
        )
        found = await statements.rows(self._database, statement)
        return [
            WatchState(market=market, moving=moving, due=due, behind=behind)
            for market, moving, due, behind in found
        ]

    async def want(self, market: str, numbers: Collection[str], *, now: datetime) -> int:
        """Have orders looked at next that the ERP calls so; return how many are ours."""
        statement = (
            update(watched_order)
            .where(
                _ROW.market == market,
                statements.is_among(_ROW.folded, {same_name_key(number) for number in numbers}),
            )
            .values(due_at=now)
        )
        return await statements.change(self._database, statement)

    async def note(self, market: str, looks: Sequence[OrderLook]) -> None:
        """Keep how orders were seen, and when to look again.

        One that somebody wanted meanwhile, or looked at as well, is left: it is looked at anew.
        """
        if not looks:
            return
        statement = (
            update(watched_order)
            .where(
                _ROW.market == market,
                _ROW.order_id == bindparam("key"),
                _ROW.due_at.is_not_distinct_from(bindparam("old_due_at", type_=_ROW.due_at.type)),
            )
            .values(
                due_at=bindparam("new_due_at"),
                **{column.name: bindparam(f"new_{column.name}") for column in _OF_LOOK},
            )
        )
        rows = [
            {
                "key": look.order.order_id,
                "old_due_at": look.order.due_at,
                "new_due_at": look.due_at,
                **{f"new_{column.name}": getattr(look.seen, column.name) for column in _OF_LOOK},
            }
            for look in sorted(looks, key=lambda each: each.order.order_id)
        ]
        async with self._database.begin() as connection:
            await connection.execute(statement, rows)


def _record(row: RowMapping) -> WatchedRecord:
    return WatchedRecord(
        **{column.name: row[column.name] for column in _OF_ORDER},
        seen=OrderSeen(**{column.name: row[column.name] for column in _OF_LOOK}),
    )
