"""The entity map: which document of the shop is which of the ERP, per market and kind."""

from sqlalchemy import and_, select
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
