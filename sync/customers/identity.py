"""Decide whose account is whose, once: the stored link is the identity of a customer.

    stored link                          that account, whatever anybody types later
    named by the configuration           that account
    a person took its account away       held until a person says what comes instead
    attribute, guarded by the shop       that account; held when the ERP has no such
    no candidate                         created
    one, nobody's, found by a way that
    the configuration lets link          linked
    any other candidates                 held, both sides shown: `approve` or `reject`

Two customers who typed the same at the same instant are looked at one after the other
(`persons`), and an account is taken in one transaction, so the second finds it taken.
"""

import hashlib
from collections.abc import Mapping, Sequence

from pricing_proxy.d365.fo.customer_models import CustomerAccountRow, CustomerBody
from pricing_proxy.http_exchange import Guard
from sync.customers.held import held_for_person
from sync.customers.mapping import Buying, new_account
from sync.customers.matching import SHARED, AccountMatcher, Candidate, Way, attribute_of
from sync.customers.persons import Persons
from sync.customers.ports import AccountLinks, ErpCustomers
from sync.customers.rules import CustomerRules
from sync.engine.flow import Work
from sync.engine.outcomes import HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.customer_models import ShopCustomer
from sync.store.customer_links import CREATED_KIND
from sync.store.link_decisions import CONFIGURED, CREATED

CREATE = "customer create"
_ERP = "fo"
_PERSON, _KNOWN = "person", "known"


class Identity:
    """Finds or makes the accounts of one market's customers.

    Args:
        market: The market.
        rules: Its rules.
        erp: The ERP's customers.
        links: Whose account is whose.
        matcher: Finds candidates.
        persons: Lets one event at a time look for what was typed.
        trusts_email: Whether every website that shares accounts with this one confirms addresses.
        configured: Accounts that the configuration names, by the shop's id.
    """

    def __init__(
        self,
        *,
        market: Buying,
        rules: CustomerRules,
        erp: ErpCustomers,
        links: AccountLinks,
        matcher: AccountMatcher,
        persons: Persons,
        trusts_email: bool,
        configured: Mapping[int, str],
    ) -> None:
        self._market = market
        self._rules = rules
        self._erp = erp
        self._links = links
        self._matcher = matcher
        self._persons = persons
        self._trusts_email = trusts_email
        self._configured = configured

    async def account(self, work: Work, customer: ShopCustomer) -> tuple[str, bool]:
        """Return a customer's account, and whether it was made just now.

        Raises:
            HeldError: It is a person's decision.
            RetryLaterError: Another event is at what this customer typed.
        """
        key = str(customer.id)
        account = await self._links.account(key)
        if account is not None:
            return account, False
        if customer.id in self._configured:
            named_there = await self._spelled(self._configured[customer.id])
            return await self._links.settle(key, named_there, origin=CONFIGURED), False
        async with self._persons.alone(work, customer, self._rules) as is_alone:
            return await self._found_or_made(work, customer, is_alone)

    async def _found_or_made(
        self, work: Work, customer: ShopCustomer, is_alone: Guard
    ) -> tuple[str, bool]:
        key = str(customer.id)
        # Before the look-ups: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work)
        made = await work.links.erp_key(CREATED_KIND, key)
        if made is not None:
            return await self._links.settle(key, made, origin=CREATED), False
        refused = await self._refused(customer)
        if self._rules.attribute_is_guarded and attribute_of(customer, self._rules):
            return await self._guarded(customer), False
        known = await self._matcher.of_email(customer)
        if doubts.has(CREATE):
            made = await self._arrived(work, customer, doubts, known)
            if made is not None:
                return await self._links.settle(key, made, origin=CREATED), False
        candidates = await self._matcher.candidates(customer, refused=refused)
        if candidates:
            return await self._taken(customer, candidates), False
        if not self._rules.create:
            raise self._nobody(customer)
        made = await self._create(work, customer, known, is_alone)
        standing = await self._links.settle(key, made, origin=CREATED)
        return standing, standing == made

    async def _spelled(self, account: str) -> str:
        """Return an account that the configuration names as the ERP spells it."""
        row = await self._erp.find(self._market.company, account)
        if row is None:
            raise HeldError(
                field="CustomerAccount",
                text=f"{self._market.company} has no account {account}",
                advice=f"correct it in markets.{self._market.code}.magento_customers, then replay",
            )
        return row.CustomerAccount

    async def _refused(self, customer: ShopCustomer) -> set[str]:
        refusals = await self._links.refusals(str(customer.id))
        open_ones = [each for each in refusals if not each.allows_new]
        if open_ones:
            subject = f"{self._market.code}/{customer.id}"
            raise HeldError(
                field="id",
                text=f"{open_ones[0].refused_by} took account {open_ones[0].account} away from it",
                advice=f"d365-sync link {self._market.code} {customer.id} ACCOUNT, or "
                f"d365-sync reject {subject}: then it gets an account of its own",
            )
        return {each.account for each in refusals}

    async def _guarded(self, customer: ShopCustomer) -> str:
        row = await self._matcher.named(customer)
        if row is None:
            raise HeldError(
                field=self._rules.account_attribute,
                text=f"{self._market.company} has no account {attribute_of(customer, self._rules)}",
                advice="correct the customer's attribute in the shop, then replay",
            )
        account, origin = row.CustomerAccount, "attribute"
        return await self._links.settle(str(customer.id), account, origin=origin)

    async def _taken(self, customer: ShopCustomer, candidates: Sequence[Candidate]) -> str:
        """Link the only candidate where the configuration says so; else raise `HeldError`."""
        way = self._way_to_link(candidates)
        if way is not None:
            key, account = str(customer.id), candidates[0].account
            if way == SHARED:
                return await self._links.settle(key, account, origin=way)
            taken = await self._links.take(key, account, origin=way)
            if taken is None:
                raise RetryLaterError(f"account {account} was taken just now")
            return taken
        raise held_for_person(customer, candidates, rules=self._rules, market=self._market)

    def _way_to_link(self, candidates: Sequence[Candidate]) -> Way | None:
        if len(candidates) > 1:
            return None
        [candidate] = candidates
        if SHARED in candidate.ways and self._trusts_email:
            return SHARED
        if candidate.owners:
            return None
        return next((way for way in candidate.ways if way in self._rules.link_unowned), None)

    def _nobody(self, customer: ShopCustomer) -> HeldError:
        return HeldError(
            field="id",
            text="no account fits, and accounts are not created here",
            advice=f"d365-sync link {self._market.code} {customer.id} ACCOUNT",
        )

    async def _arrived(
        self,
        work: Work,
        customer: ShopCustomer,
        doubts: Doubts,
        known: Sequence[CustomerAccountRow],
    ) -> str | None:
        """Return the account that a create without an end made; None when it made none.

        It is known by all that was sent, and that it was not there before: the e-mail address
        alone is what anybody may type.
        """
        [*sent] = (entry for entry in doubts.entries if entry.operation == CREATE)
        body = self._body(customer)
        digest = _digest(customer.email)
        if any(entry.request.get(_PERSON, digest) != digest for entry in sent):
            raise HeldError(
                field="email",
                text="its e-mail address was changed while an account was made for it, so nobody "
                "can tell whether there is one",
                advice="look for the account in the ERP, then d365-sync link "
                f"{self._market.code} {customer.id} ACCOUNT; or reject it for a new one",
            )
        before = {account for entry in sent for account in entry.request.get(_KNOWN, ())}
        fresh = [row for row in known if row.CustomerAccount not in before]
        free = [row for row in fresh if not await self._matcher.owners(row.CustomerAccount)]
        if len(free) > 1 or not all(_is_made(row, body) for row in free):
            raise HeldError(
                field="CustomerAccount",
                text="an account was made for it, and nobody can tell whether it is one of these: "
                + ", ".join(sorted(row.CustomerAccount for row in free)),
                advice=f"d365-sync link {self._market.code} {customer.id} ACCOUNT",
            )
        if not free:
            doubts.wait_out(CREATE)
            return None
        account = free[0].CustomerAccount
        await work.links.remember(CREATED_KIND, str(customer.id), account)
        return account

    async def _create(
        self,
        work: Work,
        customer: ShopCustomer,
        known: Sequence[CustomerAccountRow],
        is_alone: Guard,
    ) -> str:
        body = self._body(customer)
        # What tells the account from others of that address if no answer comes.
        about = {
            _PERSON: _digest(customer.email),
            _KNOWN: sorted(row.CustomerAccount for row in known),
        }

        async def create(*, guard: Guard) -> str:
            async def last() -> None:
                await is_alone()
                await guard()

            # Remembered before it is acked, so that no crash between the two makes it unknown.
            account = await self._erp.create(self._market.company, body, guard=last)
            await work.links.remember(CREATED_KIND, str(customer.id), account)
            return account

        with named("create the account", body.members()):
            return await written(work, _ERP, CREATE, {**body.members(), **about}, create)

    def _body(self, customer: ShopCustomer) -> CustomerBody:
        return new_account(customer, rules=self._rules, market=self._market)


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()


def _is_made(row: CustomerAccountRow, body: CustomerBody) -> bool:
    """Return whether an account has all that was sent of it and that is read back."""
    return all(
        _same(getattr(row, name), value)
        for name, value in body
        if value is not None and name in CustomerAccountRow.model_fields
    )


def _same(found: object, sent: object) -> bool:
    if isinstance(found, str) and isinstance(sent, str):
        return found.strip().casefold() == sent.strip().casefold()
    return found == sent
