"""Whose account is whose: the stored links of one market's customers, and what people refused.

A link is the identity of a customer. It is never replaced by a program: `settle` and `take`
return what stands when somebody was faster. Only a person's word (`link_decisions`) changes it.
An account that several websites of one company could give away is given to one at a time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pricing_proxy.names import is_same_name
from sync.store import statements
from sync.store.tables import account_refusal, entity_map

KIND = "customer"
CREATED_KIND = "customer_created"
"""The entry that says: this program made the account for this customer.

It stands before the link does, so whoever has it has the account."""
_LINK, _REFUSAL = entity_map.c, account_refusal.c


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer of the shop that has an account."""

    market: str
    customer_id: str

    def __str__(self) -> str:
        """Return it as commands take it."""
        return f"{self.market}/{self.customer_id}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An account that a person said is not the customer's.

    Attributes:
        allows_new: Whether the customer gets another, made anew if need be; else a person
            who took a link away has yet to say what comes instead.
    """

    account: str
    allows_new: bool
    refused_by: str


class CustomerLinks:
    """The links of one market's customers.

    Args:
        database: Where they are kept.
        market: Whose.
        company: All markets of the same ERP company, this one included.
        configured: Whose the configuration says that accounts are, linked yet or not.
    """

    def __init__(
        self,
        database: AsyncEngine,
        market: str,
        *,
        company: Collection[str],
        configured: Mapping[Owner, str] | None = None,
    ) -> None:
        self._database = database
        self._market = market
        self._company = sorted({market, *company})
        self._configured = configured or {}

    async def account(self, customer_id: str) -> str | None:
        """Return the customer's account."""
        async with self._database.connect() as connection:
            return await _account(connection, self._market, customer_id)

    async def owners(self, account: str) -> list[Owner]:
        """Return every customer of the company that has an account, or is to have it."""
        async with self._database.connect() as connection:
            return await self._owners(connection, account)

    async def account_of(self, owner: Owner) -> str | None:
        """Return the account of a customer of any market of the company."""
        async with self._database.connect() as connection:
            stored = await _account(connection, owner.market, owner.customer_id)
        return stored or self._configured.get(owner)

    async def refusals(self, customer_id: str) -> list[Refusal]:
        """Return the accounts that a person said are not the customer's."""
        statement = (
            select(_REFUSAL.account, _REFUSAL.allows_new, _REFUSAL.refused_by)
            .where(_REFUSAL.market == self._market, _REFUSAL.customer_id == customer_id)
            .order_by(_REFUSAL.account)
        )
        return [Refusal(*row) for row in await statements.rows(self._database, statement)]

    async def settle(self, customer_id: str, account: str, *, origin: str) -> str:
        """Link a customer that has no link; return the account that stands now."""
        async with self._database.begin() as connection:
            return await self._settle(connection, customer_id, account, origin)

    async def take(self, customer_id: str, account: str, *, origin: str) -> str | None:
        """Link a customer to an account that nobody has; None when somebody has it by now."""
        async with self._database.begin() as connection:
            await lock_account(connection, self._company, account)
            if any(
                owner.customer_id != customer_id or owner.market != self._market
                for owner in await self._owners(connection, account)
            ):
                return None
            return await self._settle(connection, customer_id, account, origin)

    async def _owners(self, connection: AsyncConnection, account: str) -> list[Owner]:
        stored = await owners_of(connection, self._company, account)
        named = (one for one, each in self._configured.items() if is_same_name(each, account))
        ours = (one for one in named if one.market in self._company)
        return list(dict.fromkeys((*stored, *ours)))

    async def _settle(
        self, connection: AsyncConnection, customer_id: str, account: str, origin: str
    ) -> str:
        row = {
            "market": self._market,
            "kind": KIND,
            "magento_id": customer_id,
            "erp_key": account,
            "origin": origin,
            "changed_at": func.clock_timestamp(),
        }
        await connection.execute(insert(entity_map).values(row).on_conflict_do_nothing())
        standing = await _account(connection, self._market, customer_id)
        if standing is None:
            raise RuntimeError(f"the link of customer {customer_id} went while it was made")
        return standing


async def owners_of(
    connection: AsyncConnection, company: Collection[str], account: str
) -> list[Owner]:
    """Return every customer of a company's markets that has an account."""
    statement = (
        select(_LINK.market, _LINK.magento_id)
        .where(
            _LINK.market.in_(sorted(company)),
            _LINK.kind.in_((KIND, CREATED_KIND)),
            _LINK.erp_key == account,
        )
        .group_by(_LINK.market, _LINK.magento_id)
        .order_by(func.min(_LINK.changed_at), _LINK.market, _LINK.magento_id)
    )
    return [Owner(*row) for row in await connection.execute(statement)]


async def _account(connection: AsyncConnection, market: str, customer_id: str) -> str | None:
    statement = select(_LINK.erp_key).where(
        and_(_LINK.market == market, _LINK.kind == KIND, _LINK.magento_id == customer_id)
    )
    found = (await connection.execute(statement)).scalar()
    return None if found is None else str(found)


async def lock_account(connection: AsyncConnection, company: Collection[str], account: str) -> None:
    """Have everybody else who gives this account away wait for the end of the transaction."""
    name = f"{KIND}/{'/'.join(sorted(company))}/{account}"
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
