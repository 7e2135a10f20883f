"""Keep the lines of the shop's orders for which stock is reserved, and what the ERP knows of them.

What the shop has reserved for a line never grows, so of two looks the smaller number is the
later one, whoever wrote it down first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.shop_line_records import ShopLine
from sync.store.shop_line_table import shop_line

_LINE = shop_line.c
_COLUMNS = tuple(_LINE[name] for name in ShopLine.__slots__)
# Known by another way than the shop's list, and so never overwritten by it.
_OF_THE_ERP = ("present_since", "asked_as", "warehouse", "counted")


class ShopLines:
    """The lines of all markets of one shop.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def of_orders(self, ids: Collection[int]) -> list[ShopLine]:
        """Return what is kept of some orders' lines."""
        return await self._read(_LINE.order_id.in_(ids))

    async def of_skus(self, folded: Collection[str]) -> list[ShopLine]:
        """Return the lines of some SKUs that have anything reserved, or are counted somewhere.

        Also below zero: what the shop ended twice stays so for good.
        """
        matters = or_(_LINE.reserved != 0, _LINE.inside != 0)
        return await self._read(and_(_LINE.folded.in_(folded), matters))

    async def watched(
        self, stores: Collection[int], *, dropped_since: datetime
    ) -> list[tuple[str, bool]]:
        """Return the SKUs whose lines in some store views are open or were dropped lately.

        With each, whether a line of it is reserved and was not added back by the last write: it
        may have entered the ERP meanwhile without any change of what is free.
        """
        statement = (
            select(
                func.min(_LINE.sku),
                func.bool_or(and_(_LINE.reserved > 0, _LINE.counted == "")),
            )
            .where(
                _LINE.store_id.in_(stores),
                or_(_LINE.reserved > 0, _LINE.dropped_at >= dropped_since),
            )
            .group_by(_LINE.folded)
        )
        return [(row[0], row[1]) for row in await statements.rows(self._database, statement)]

    async def not_counted(
        self, own: Collection[int], others: Collection[int]
    ) -> Mapping[str, Decimal]:
        """Return how much orders take of SKUs that was free when these were last written.

        Args:
            own: The store views of a stock: what its last write added back is left out.
            others: Those of stocks that share its warehouses: what of theirs it knew of, nobody
                keeps.

        Returns:
            By what all spellings of a SKU share.
        """
        is_own = and_(_LINE.store_id.in_(own), _LINE.counted == "")
        statement = (
            select(_LINE.folded, func.sum(_LINE.reserved))
            .where(_LINE.reserved > 0, or_(is_own, _LINE.store_id.in_(others)))
            .group_by(_LINE.folded)
        )
        return {row[0]: row[1] for row in await statements.rows(self._database, statement)}

    async def put(self, lines: Sequence[ShopLine]) -> None:
        """Add lines, or change what the shop says of them."""
        if not lines:
            return
        statement = insert(shop_line)
        fresh = statement.excluded
        kept: dict[str, Any] = {
            name: fresh[name] for name in ShopLine.__slots__ if name not in _OF_THE_ERP
        }
        kept["reserved"] = func.least(_LINE.reserved, fresh.reserved)
        kept["inside"] = func.least(_LINE.inside, fresh.inside)
        kept["changed_at"] = func.now()
        put = statement.on_conflict_do_update(constraint=shop_line.primary_key, set_=kept)
        async with self._database.begin() as connection:
            await connection.execute(put, [asdict(line) for line in lines])

    async def note_present(self, since: Mapping[int, datetime]) -> None:
        """Note from when on the ERP is known to have lines."""
        await self._each(
            {item: {"present_since": instant} for item, instant in since.items()},
            _LINE.present_since.is_(None),
        )

    async def note_asked(self, orders: Mapping[int, str]) -> None:
        """Note with which number orders were looked up in the ERP."""
        async with self._database.begin() as connection:
            for order, number in sorted(orders.items()):
                its = update(shop_line).where(_LINE.order_id == order)
                await connection.execute(its.values(asked_as=number))

    async def note_warehouses(self, warehouses: Mapping[int, str]) -> None:
        """Note where the ERP ships lines from."""
        await self._each({item: {"warehouse": each} for item, each in warehouses.items()})

    async def note_counted(self, counted: Sequence[ShopLine]) -> None:
        """Note to which sources lines were added back, and with how much."""
        await self._each(
            {line.item_id: {"counted": line.counted, "inside": line.inside} for line in counted}
        )

    async def forget(self, older_than: timedelta) -> int:
        """Delete lines of which nothing is reserved any more since long ago; return how many."""
        is_over = and_(
            _LINE.reserved == 0,
            _LINE.changed_at < func.now() - older_than,
        )
        return await statements.change(self._database, delete(shop_line).where(is_over))

    async def _read(self, where: Any) -> list[ShopLine]:
        statement = select(*_COLUMNS).where(where).order_by(_LINE.item_id)
        found = await statements.mappings(self._database, statement)
        return [ShopLine(**row) for row in found]

    async def _each(self, values: Mapping[int, Mapping[str, Any]], *where: Any) -> None:
        if not values:
            return
        async with self._database.begin() as connection:
            for item, fresh in sorted(values.items()):
                its = update(shop_line).where(_LINE.item_id == item, *where)
                await connection.execute(its.values(dict(fresh)))
