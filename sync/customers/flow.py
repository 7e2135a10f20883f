"""Customers: shop to ERP, found before created; the account goes back to the shop.

`carry` reads the customer from the shop, asks `identity` for its account, tells the price
service, keeps names and addresses of it up to date as the rules say, and writes account and
customer group back. It may be called again after any failure: what is already so is not
written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from pricing_proxy.d365.fo.catalog import customer_of
from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.maps import SharedStateError
from sync.customers.identity import Identity
from sync.customers.mapping import Buying, owned_fields
from sync.customers.master_data import MasterData
from sync.customers.ports import AccountLinks, AccountMap, ErpCustomers, ShopCustomers
from sync.customers.publishing import publish_link
from sync.customers.rules import FLOW, CustomerRules
from sync.customers.write_back import WriteBack
from sync.engine.flow import Work
from sync.engine.outcomes import (
    Done,
    HeldError,
    IdentifiedError,
    OutcomeError,
    RetryLaterError,
    SkippedError,
)
from sync.engine.refusals import named
from sync.magento.customer_models import ShopCustomer
from sync.store.customer_links import CREATED_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMarket:
    """All that one market's customers need."""

    buying: Buying
    rules: CustomerRules
    erp: ErpCustomers
    links: AccountLinks
    identity: Identity


class CustomerFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        shop: The shop's customers.
        markets: By code.
        published: The map that the price service reads.
    """

    name = FLOW

    def __init__(
        self,
        shop: ShopCustomers,
        *,
        markets: Mapping[str, CustomerMarket],
        published: AccountMap,
    ) -> None:
        self._shop = shop
        self._write_back = WriteBack(shop)
        self._markets = markets
        self._published = published

    async def carry(self, work: Work) -> Done:
        """Bring one customer over; raises the engine's outcomes and `UpstreamError`."""
        market = self._markets[work.event.market]
        if work.event.document_id is None:
            # Entered by an older version during an upgrade, under a lock that is not this one's.
            raise IdentifiedError(work.event.business_key)
        customer_id = int(work.event.document_id)
        customer = await self._shop.customer(customer_id)
        if customer is None:
            raise _gone(work)
        account, is_new = await market.identity.account(work, customer)
        row = await self._checked_row(account, market)
        # Orders need the account alone, whatever becomes of the rest.
        await work.let_go()
        try:
            notes = await self._keep(work, customer, account, row, market, is_new=is_new)
        except (OutcomeError, UpstreamError):
            # Who came to wait meanwhile would be blocked behind what is no business of theirs.
            await work.let_go()
            raise
        return Done("; ".join((f"is account {account}", *notes)))

    async def _keep(
        self,
        work: Work,
        customer: ShopCustomer,
        account: str,
        row: CustomerAccountRow,
        market: CustomerMarket,
        *,
        is_new: bool,
    ) -> list[str]:
        """Bring over all that follows from a customer's account; return what to say of it."""
        notes = await self._publish(work, row, market)
        if await self._follows_shop(work, customer, account, market.rules):
            master_data = MasterData(
                erp=market.erp,
                market=market.buying,
                rules=market.rules,
            )
            if is_new:
                notes += owned_fields(customer, rules=market.rules).cut
            else:
                notes += await master_data.update(work, customer, row)
            notes += await master_data.addresses(work, customer, account)
        await _check_link(work, account, market)
        return [*notes, *await self._write_back.write(work, customer, row, market.rules)]

    async def _checked_row(self, account: str, market: CustomerMarket) -> CustomerAccountRow:
        with named("read the account", {"CustomerAccount": account}):
            row = await market.erp.find(market.buying.company, account)
        if row is None:
            raise HeldError(
                field="CustomerAccount",
                text=f"{market.buying.company} has no account {account}",
                advice=f"d365-sync link {market.buying.code} CUSTOMER ACCOUNT names another",
            )
        return row

    async def _follows_shop(
        self, work: Work, customer: ShopCustomer, account: str, rules: CustomerRules
    ) -> bool:
        if rules.update == "created":
            return await work.links.erp_key(CREATED_KIND, str(customer.id)) == account
        return rules.update == "all"

    async def _publish(
        self, work: Work, row: CustomerAccountRow, market: CustomerMarket
    ) -> list[str]:
        """Tell the price service; a failure is told, and made up for by `publishing`."""
        code, customer_id = work.event.market, work.event.business_key
        try:
            # First what the account is, so that whoever finds it by the customer knows it.
            await self._published.note_customer(code, customer_of(row))
            account_now = partial(market.links.account, customer_id)
            await publish_link(account_now, self._published, code, customer_id)
        except SharedStateError as error:
            return [f"prices do not know it yet: {error}"]
        return []


async def _check_link(work: Work, account: str, market: CustomerMarket) -> None:
    """Return where the account is still the customer's: an unlinked one goes to no attribute."""
    if await market.links.account(work.event.business_key) != account:
        raise RetryLaterError("a person changed whose account it is meanwhile")


def _gone(work: Work) -> HeldError | SkippedError:
    order = work.event.payload.get("order")
    if order is None:
        return SkippedError("the shop has no such customer any more")
    # Skipped, it would let the order wait for ever.
    return HeldError(
        field="customer_id",
        text=f"order {order} waits for customer {work.event.business_key}, whom the shop deleted",
        advice="enter the order by hand, then skip both events",
    )
