"""The entity map: which document of the shop is which of the ERP, per market and kind."""

from datetime import timedelta

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.functions import now

from sync.store.tables import entity_map


class MarketLinks:
    """The pairs of one market.

    Args:
        database: Where they are kept.
        market: Whose.
    """

    def __init__(self, database: AsyncEngine, market: str) -> None:
        self._database = database
        self._market = market

    async def erp_key(self, kind: str, magento_id: str) -> str | None:
        """Return the ERP's key of a thing of the shop."""
        return await self._one("erp_key", kind, "magento_id", magento_id)

    async def magento_id(self, kind: str, erp_key: str) -> str | None:
        """Return the shop's id of a thing of the ERP; the smallest where several share it."""
        return await self._one("magento_id", kind, "erp_key", erp_key)

    async def content_hash(self, kind: str, magento_id: str) -> str | None:
        """Return the hash of what was last sent."""
        return await self._one("content_hash", kind, "magento_id", magento_id)

    async def remember(
        self, kind: str, magento_id: str, erp_key: str, content_hash: str = ""
    ) -> None:
        """Add or replace a pair, with the hash of what was last sent."""
        row = {
            "market": self._market,
            "kind": kind,
            "magento_id": magento_id,
            "erp_key": erp_key,
            "content_hash": content_hash,
        }
        fresh = {"erp_key": erp_key, "content_hash": content_hash, "changed_at": now()}
        statement = insert(entity_map).values(row)
        async with self._database.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(constraint=entity_map.primary_key, set_=fresh)
            )

    async def claim(self, kind: str, key: str, holder: str, *, stale_after: timedelta) -> bool:
        """Take or renew a claim, or another's that is older; say whether it is the holder's now.

        Args:
            kind: Of the claim.
            key: What is claimed.
            holder: Who claims it.
            stale_after: Another's claim that was not renewed for so long is nobody's.
        """
        values = {"market": self._market, "kind": kind, "magento_id": key, "erp_key": holder}
        statement = insert(entity_map).values(values)
        columns = entity_map.c
        # By the clock, not by the transaction's beginning, which may have waited for the row.
        is_free = or_(
            columns.erp_key == holder, columns.changed_at < func.clock_timestamp() - stale_after
        )
        taken = statement.on_conflict_do_update(
            constraint=entity_map.primary_key,
            set_={"erp_key": holder, "changed_at": func.clock_timestamp()},
            where=is_free,
        ).returning(columns.erp_key)
        async with self._database.begin() as connection:
            return (await connection.execute(taken)).scalar() is not None

    async def release(self, kind: str, key: str, holder: str) -> None:
        """Give a claim back, if it is the holder's."""
        columns = entity_map.c
        statement = delete(entity_map).where(
            columns.market == self._market,
            columns.kind == kind,
            columns.magento_id == key,
            columns.erp_key == holder,
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)

    async def _one(self, wanted: str, kind: str, by: str, value: str) -> str | None:
        columns = entity_map.c
        statement = (
            select(columns[wanted])
            .where(and_(columns.market == self._market, columns.kind == kind, columns[by] == value))
            .order_by(columns.magento_id)
            .limit(1)
        )
        async with self._database.connect() as connection:
            found = (await connection.execute(statement)).scalar()
        return None if found is None else str(found)
