"""The links of all markets: given out one by one, and as the price service's map needs them."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import and_, func, select, union
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.claims import Claims
from sync.store.customer_links import KIND, CustomerLinks, Owner
from sync.store.links import MarketLinks
from sync.store.tables import account_refusal, entity_map

_LINK, _REFUSAL = entity_map.c, account_refusal.c


class KeptLinks:
    """Gives out the links of each market.

    Args:
        database: Where they are kept.
        configured: Accounts that the configuration names, by market and the shop's id.
    """

    def __init__(
        self, database: AsyncEngine, configured: Mapping[str, Mapping[int, str]] | None = None
    ) -> None:
        self._database = database
        self._configured = {
            Owner(market, str(shop_id)): account
            for market, accounts in (configured or {}).items()
            for shop_id, account in accounts.items()
        }

    def of_market(self, market: str) -> MarketLinks:
        """Return the entity map of a market."""
        return MarketLinks(self._database, market)

    def claims(self, company: Collection[str]) -> Claims:
        """Return the claims of what customers have typed, given all markets of an ERP company."""
        # They stand with the first of them, whoever makes them.
        return Claims(self._database, f"customer_person/{min(company)}")

    def of_customers(self, market: str, *, company: Collection[str]) -> CustomerLinks:
        """Return the links of a market's customers, given all markets of its ERP company."""
        return CustomerLinks(self._database, market, company=company, configured=self._configured)


class AllLinks:
    """Reads the links.

    Args:
        database: Where they are kept.
        configured: Accounts that the configuration names, by market and the shop's id; they hold
            for customers who have no link yet.
    """

    def __init__(self, database: AsyncEngine, configured: Mapping[str, Mapping[int, str]]) -> None:
        self._database = database
        self._configured = configured

    async def accounts(self, market: str) -> Mapping[str, str]:
        """Return all accounts of a market by the shop's ids."""
        statement = select(_LINK.magento_id, _LINK.erp_key).where(
            _LINK.market == market, _LINK.kind == KIND
        )
        named = {str(one): each for one, each in self._configured.get(market, {}).items()}
        rows = await statements.rows(self._database, statement)
        return {**named, **{row[0]: row[1] for row in rows}}

    async def account(self, market: str, customer_id: str) -> str | None:
        """Return a customer's account."""
        statement = select(_LINK.erp_key).where(
            _LINK.market == market, _LINK.kind == KIND, _LINK.magento_id == customer_id
        )
        found = await statements.text(self._database, statement)
        return found or self._named(market, customer_id)

    async def changed(self, within: timedelta) -> Mapping[tuple[str, str], str | None]:
        """Return what customers have now whose link changed lately, by market and the shop's id."""
        since = func.clock_timestamp() - within
        recent = union(
            select(_LINK.market, _LINK.magento_id).where(
                _LINK.kind == KIND, _LINK.changed_at >= since
            ),
            # A link that was taken away leaves a refusal.
            select(_REFUSAL.market, _REFUSAL.customer_id).where(_REFUSAL.changed_at >= since),
        ).subquery()
        is_its = and_(
            _LINK.kind == KIND,
            _LINK.market == recent.c.market,
            _LINK.magento_id == recent.c.magento_id,
        )
        statement = select(recent.c.market, recent.c.magento_id, _LINK.erp_key).select_from(
            recent.outerjoin(entity_map, is_its)
        )
        rows = await statements.rows(self._database, statement)
        return {(row[0], row[1]): row[2] or self._named(row[0], row[1]) for row in rows}

    def _named(self, market: str, customer_id: str) -> str | None:
        return self._configured.get(market, {}).get(int(customer_id))
