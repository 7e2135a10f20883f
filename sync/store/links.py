"""The entity map: which document of the shop is which of the ERP, per market and kind."""

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.functions import now

from sync.store import statements
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

    async def magento_ids(self, kind: str) -> list[str]:
        """Return the shop's ids of all things of a kind that have a key."""
        columns = entity_map.c
        statement = select(columns.magento_id).where(
            and_(columns.market == self._market, columns.kind == kind, columns.erp_key > "")
        )
        return [str(row.magento_id) for row in await statements.rows(self._database, statement)]

    async def content_hash(self, kind: str, magento_id: str) -> str | None:
        """Return the hash of what was last sent."""
        return await self._one("content_hash", kind, "magento_id", magento_id)

    async def remember(
        self, kind: str, magento_id: str, erp_key: str, content_hash: str = ""
    ) -> None:
        """Add or replace a pair, with the hash of what was last sent."""
        key = {"market": self._market, "kind": kind, "magento_id": magento_id}
        fresh = {"erp_key": erp_key, "content_hash": content_hash, "changed_at": now()}
        await statements.change(self._database, statements.put(entity_map, key, fresh))

    async def _one(self, wanted: str, kind: str, by: str, value: str) -> str | None:
        columns = entity_map.c
        statement = (
            select(columns[wanted])
            .where(and_(columns.market == self._market, columns.kind == kind, columns[by] == value))
            .order_by(columns.magento_id)
            .limit(1)
        )
        return await statements.text(self._database, statement)
