"""What people say about links: link, unlink, refuse, review. Every word is audited, with why.

link      the customer has this account from now on, whatever it had before
unlink    the customer has none; programs give it no other before a person says what comes
refuse    none of these accounts is the customer's; it gets another, made anew if need be
review    the link that is there is right
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.store import statements
from sync.store.customer_links import CREATED_KIND, KIND, Owner, lock_account, owners_of
from sync.store.interventions import InterventionError
from sync.store.tables import account_refusal, audit, entity_map

CREATED, CONFIGURED, BY_PERSON = "created", "configuration", "person"
# Nobody need look at these: what was typed in the shop had no part in them.
_SURE = (CREATED, CONFIGURED, BY_PERSON)
_LINK, _REFUSAL = entity_map.c, account_refusal.c


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLink:
    """One link, with what is known of it; the names are those of the columns.

    Attributes:
        origin: How it came about; empty for one from before that was noted.
        reviewed_by: Who has let it stand.
    """

    market: str
    customer_id: str
    account: str
    origin: str
    reviewed_by: str | None
    changed_at: datetime

    @property
    def is_unreviewed(self) -> bool:
        """Whether it rests on what was typed in the shop, and nobody has looked at it."""
        return self.reviewed_by is None and self.origin not in _SURE


class LinkDecisions:
    """Changes links on a person's behalf, and lists them."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def link(
        self,
        owner: Owner,
        account: str,
        *,
        company: Collection[str],
        others: Collection[Owner],
        by: str,
        reason: str,
    ) -> str | None:
        """Give a customer an account; return the one it had before.

        Args:
            owner: The customer.
            account: The account.
            company: All markets of the ERP company.
            others: Who has it too, as the person was shown; who got it since then is an
                `InterventionError`.
            by: Who says so.
            reason: Why.
        """
        market, customer_id = owner.market, owner.customer_id
        async with self._database.begin() as connection:
            await lock_account(connection, company, account)
            have_it = {*await owners_of(connection, company, account)}
            if new := have_it - {owner, *others}:
                names = ", ".join(sorted(map(str, new)))
                raise InterventionError(f"account {account} is {names}'s by now: look again")
            before = await self._locked(connection, market, customer_id)
            key = {"market": market, "kind": KIND, "magento_id": customer_id}
            fresh = {"erp_key": account, "origin": BY_PERSON, "reviewed_by": by}
            now = {"changed_at": func.clock_timestamp()}
            await connection.execute(statements.put(entity_map, key, {**fresh, **now}))
            if before != account:
                await self._forget_created(connection, market, customer_id)
            refused = {"market": market, "customer_id": customer_id, "account": account}
            await connection.execute(delete(account_refusal).filter_by(**refused))
            await _audit(connection, by, "link", market, customer_id, before, account, reason)
        return before

    async def unlink(self, market: str, customer_id: str, *, by: str, reason: str) -> str:
        """Take a customer's account away and return it; raises `InterventionError`."""
        async with self._database.begin() as connection:
            before = await self._locked(connection, market, customer_id)
            if before is None:
                raise InterventionError(f"customer {market}/{customer_id} has no account")
            await connection.execute(delete(entity_map).where(_is_of(market, customer_id)))
            await self._forget_created(connection, market, customer_id)
            await self._refuse(connection, market, customer_id, [before], by, allows_new=False)
            await _audit(connection, by, "unlink", market, customer_id, before, None, reason)
        return before

    async def refuse(
        self, market: str, customer_id: str, accounts: Collection[str], *, by: str, reason: str
    ) -> None:
        """Note that accounts are not a customer's and that it gets another.

        Raises:
            InterventionError: It has one of them.
        """
        async with self._database.begin() as connection:
            before = await self._locked(connection, market, customer_id)
            if before is not None:
                raise InterventionError(
                    f"customer {market}/{customer_id} has account {before}: unlink it first"
                )
            await self._refuse(connection, market, customer_id, accounts, by, allows_new=True)
            await connection.execute(
                update(account_refusal)
                .where(_REFUSAL.market == market, _REFUSAL.customer_id == customer_id)
                .values(allows_new=True)
            )
            names = ", ".join(sorted(accounts))
            await _audit(connection, by, "reject", market, customer_id, names, None, reason)

    async def review(self, market: str, customer_id: str, *, by: str, reason: str) -> str:
        """Let a customer's link stand and return its account; raises `InterventionError`."""
        async with self._database.begin() as connection:
            before = await self._locked(connection, market, customer_id)
            if before is None:
                raise InterventionError(f"customer {market}/{customer_id} has no account")
            await connection.execute(
                update(entity_map).where(_is_of(market, customer_id)).values(reviewed_by=by)
            )
            await _audit(connection, by, "approve", market, customer_id, before, before, reason)
        return before

    async def links(
        self, *, market: str | None = None, is_unreviewed: bool = False
    ) -> list[KnownLink]:
        """Return links, those that nobody has reviewed alone when asked."""
        statement = _links().order_by(_LINK.market, _LINK.changed_at, _LINK.magento_id)
        if market is not None:
            statement = statement.where(_LINK.market == market)
        if is_unreviewed:
            statement = statement.where(_LINK.reviewed_by.is_(None), _LINK.origin.not_in(_SURE))
        return [KnownLink(**row) for row in await statements.mappings(self._database, statement)]

    async def count_unreviewed(self) -> Mapping[str, int]:
        """Return how many links of each market rest on what was typed and nobody has reviewed."""
        statement = (
            select(_LINK.market, func.count())
            .where(_LINK.kind == KIND, _LINK.reviewed_by.is_(None), _LINK.origin.not_in(_SURE))
            .group_by(_LINK.market)
            .order_by(_LINK.market)
        )
        return {row[0]: row[1] for row in await statements.rows(self._database, statement)}

    async def of_customer(self, market: str, customer_id: str) -> KnownLink | None:
        """Return a customer's link."""
        statement = _links().where(_LINK.market == market, _LINK.magento_id == customer_id)
        found = await statements.mappings(self._database, statement)
        return KnownLink(**found[0]) if found else None

    async def _locked(
        self, connection: AsyncConnection, market: str, customer_id: str
    ) -> str | None:
        statement = select(_LINK.erp_key).where(_is_of(market, customer_id)).with_for_update()
        found = (await connection.execute(statement)).scalar()
        return None if found is None else str(found)

    async def _forget_created(
        self, connection: AsyncConnection, market: str, customer_id: str
    ) -> None:
        await connection.execute(
            delete(entity_map).where(
                _LINK.market == market,
                _LINK.kind == CREATED_KIND,
                _LINK.magento_id == customer_id,
            )
        )

    async def _refuse(
        self,
        connection: AsyncConnection,
        market: str,
        customer_id: str,
        accounts: Collection[str],
        by: str,
        *,
        allows_new: bool,
    ) -> None:
        fresh: dict[str, Any] = {
            "allows_new": allows_new,
            "refused_by": by,
            "changed_at": func.clock_timestamp(),
        }
        for account in sorted(accounts):
            key = {"market": market, "customer_id": customer_id, "account": account}
            await connection.execute(statements.put(account_refusal, key, fresh))


def _links() -> Any:
    columns: Sequence[Any] = (
        _LINK.market,
        _LINK.magento_id.label("customer_id"),
        _LINK.erp_key.label("account"),
        _LINK.origin,
        _LINK.reviewed_by,
        _LINK.changed_at,
    )
    return select(*columns).where(_LINK.kind == KIND)


def _is_of(market: str, customer_id: str) -> Any:
    return and_(_LINK.market == market, _LINK.kind == KIND, _LINK.magento_id == customer_id)


async def _audit(  # noqa: PLR0917 -- the columns of one row
    connection: AsyncConnection,
    by: str,
    action: str,
    market: str,
    customer_id: str,
    before: str | None,
    after: str | None,
    reason: str,
) -> None:
    await connection.execute(
        insert(audit).values(
            who=by,
            action=action,
            subject=f"customer {market}/{customer_id}",
            before={"account": before},
            after={"account": after, "reason": reason},
        )
    )
