"""Customers: shop to ERP, found before created; the account goes back to the shop.

`carry` reads the customer from the shop, finds its account (`matching`) or creates one,
keeps names and addresses of it up to date as the rules say, tells the price service, and
writes account and customer group back. It may be called again after any failure: what is
already so is not written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.http_exchange import Guard
from pricing_proxy.shared_state.maps import SharedStateError
from sync.customers.mapping import (
    CustomerMarket,
    new_account,
)
from sync.customers.master_data import MasterData
from sync.customers.matching import KIND, AccountMatcher
from sync.customers.persons import Persons
from sync.customers.ports import AccountMap, ErpCustomers, ShopCustomers
from sync.customers.rules import CustomerRules
from sync.customers.write_back import WriteBack
from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError, SkippedError
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.master_models import Customer

FLOW = "customers"
# Marks an account as created here, so that its master data follows the shop.
CREATED_KIND = "customer_created"
CREATE = "customer create"
_ERP = "fo"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerContext:
    """All that one market's customers need."""

    market: CustomerMarket
    rules: CustomerRules
    erp: ErpCustomers
    matcher: AccountMatcher
    persons: Persons


class CustomerFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        shop: The shop's customers.
        contexts: By market.
        published: The map that the price service reads.
        erp_max_request: No request is finished later than this after it was sent.
        clock: Time.
    """

    name = FLOW

    def __init__(
        self,
        shop: ShopCustomers,
        *,
        contexts: Mapping[str, CustomerContext],
        published: AccountMap,
        erp_max_request: timedelta,
        clock: Clock,
    ) -> None:
        self._shop = shop
        self._write_back = WriteBack(shop, clock=clock)
        self._contexts = contexts
        self._published = published
        self._erp_max_request = erp_max_request

    async def carry(self, work: Work) -> Done:
        """Bring one customer over; raises the engine's outcomes and `UpstreamError`."""
        context = self._contexts[work.event.market]
        customer_id = int(work.event.business_key)
        customer = await self._shop.customer(customer_id)
        if customer is None:
            raise _gone(work)
        account, is_new = await self._linked_account(work, customer, context)
        notes = [f"is account {account}", *await self._publish(work, customer, account)]
        row = await self._checked_row(account, context)
        if await self._follows_shop(work, customer, context.rules):
            master_data = MasterData(
                erp=context.erp,
                market=context.market,
                rules=context.rules,
                longest=self._erp_max_request,
            )
            if not is_new:
                notes += await master_data.update(work, customer, row)
            notes += await master_data.addresses(work, customer, account)
        notes += await self._write_back.write(work, customer, row, context.rules)
        return Done("; ".join(notes))

    async def _linked_account(
        self, work: Work, customer: Customer, context: CustomerContext
    ) -> tuple[str, bool]:
        account = await work.links.erp_key(KIND, str(customer.id))
        if account is not None:
            return account, False

        async def find(is_alone: Guard) -> tuple[str, bool]:
            found, is_new = await self._account(work, customer, context, is_alone)
            await work.links.remember(KIND, str(customer.id), found)
            return found, is_new

        return await context.persons.alone(work, customer, find)

    async def _account(
        self, work: Work, customer: Customer, context: CustomerContext, is_alone: Guard
    ) -> tuple[str, bool]:
        matcher, rules = context.matcher, context.rules
        # Before the look-ups: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work, longest=self._erp_max_request)
        found = (
            await work.links.erp_key(CREATED_KIND, str(customer.id))
            or await matcher.known(customer)
            or await matcher.existing(customer, rules.match)
        )
        if found is not None:
            return found, False
        if doubts.has(CREATE):
            # A create may have been done although no answer came: it has this e-mail address.
            found = await matcher.existing(customer, ["email"])
            if found is not None:
                await work.links.remember(CREATED_KIND, str(customer.id), found)
                return found, False
            doubts.wait_out(CREATE)
        if not rules.create:
            raise HeldError(
                field="id",
                text="no account fits, and accounts are not created here",
                advice=f"write the account into the customer's {rules.account_attribute} "
                "in the shop, then replay",
            )
        return await self._create(work, customer, context, is_alone), True

    async def _create(
        self, work: Work, customer: Customer, context: CustomerContext, is_alone: Guard
    ) -> str:
        body = new_account(customer, rules=context.rules, market=context.market)

        async def create(*, guard: Guard) -> str:
            async def last() -> None:
                await is_alone()
                await guard()

            # Remembered before it is acked, so that no crash between the two makes it unknown.
            account = await context.erp.create(context.market.company, body, guard=last)
            await work.links.remember(CREATED_KIND, str(customer.id), account)
            return account

        with named("create the account", body.members()):
            return await written(work, _ERP, CREATE, body.members(), create)

    async def _checked_row(self, account: str, context: CustomerContext) -> CustomerAccountRow:
        with named("read the account", {"CustomerAccount": account}):
            row = await context.erp.find(context.market.company, account)
        if row is None:
            raise HeldError(
                field="CustomerAccount",
                text=f"{context.market.company} has no account {account}",
                advice="correct the account in the shop's customer, then replay",
            )
        return row

    async def _follows_shop(self, work: Work, customer: Customer, rules: CustomerRules) -> bool:
        if rules.update == "created":
            return await work.links.erp_key(CREATED_KIND, str(customer.id)) is not None
        return rules.update == "all"

    async def _publish(self, work: Work, customer: Customer, account: str) -> list[str]:
        """Tell the price service; a failure is told, and made up for by the publish flow."""
        try:
            await self._published.map_accounts(work.event.market, {customer.id: account})
        except SharedStateError as error:
            return [f"prices do not know it yet: {error}"]
        return []


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
