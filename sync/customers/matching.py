"""Find the ERP's accounts that may be a shop customer's: candidates, never an identity.

Everything looked for here was typed by somebody in the shop: tax number, e-mail address,
company, and the account attribute too, which Magento lets customers write. So each way only
finds candidates; `identity` decides what becomes of them. Accounts that only customers of
other websites have are left alone where accounts are not shared with those.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.names import is_same_name
from sync.customers.mapping import Buying, company_of, country_of, tax_number_of
from sync.customers.ports import AccountOwners, Accounts, Siblings
from sync.customers.rules import CustomerRules, Match
from sync.customers.tax_numbers import is_same_number, search_pattern
from sync.engine.outcomes import HeldError
from sync.magento.customer_models import ShopCustomer
from sync.store.customer_links import Owner

Way = Match | Literal["shared"]
SHARED: Literal["shared"] = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account that may be the customer's.

    Attributes:
        row: The account.
        ways: How it was found.
        owners: Whose it is by now, the customer left out.
    """

    row: CustomerAccountRow
    ways: tuple[Way, ...]
    owners: tuple[Owner, ...]

    @property
    def account(self) -> str:
        """Its number."""
        return self.row.CustomerAccount


class AccountMatcher:
    """Finds candidates for one market.

    Args:
        erp: The ERP's customers.
        shop: The shop's.
        market: The market.
        rules: Its rules.
        links: Who has which account, for all markets of the company.
        sharing: The markets that share accounts with this one.
        website_of: The shop's website by market.
    """

    def __init__(
        self,
        erp: Accounts,
        shop: Siblings,
        *,
        market: Buying,
        rules: CustomerRules,
        links: AccountOwners,
        sharing: Collection[str],
        website_of: Mapping[str, int],
    ) -> None:
        self._erp = erp
        self._shop = shop
        self._market = market
        self._rules = rules
        self._links = links
        self._near = frozenset({market.code, *sharing})
        self._market_of = {website_of[code]: code for code in sharing if code in website_of}

    async def candidates(
        self, customer: ShopCustomer, *, refused: Collection[str] = ()
    ) -> list[Candidate]:
        """Return every account that may be the customer's, except refused ones."""
        finders: Mapping[Way, Callable[[ShopCustomer], Awaitable[Sequence[CustomerAccountRow]]]] = {
            "attribute": self._by_attribute,
            "tax_number": self._by_tax_number,
            "email": self._by_email,
            "company": self._by_company,
        }
        rows: dict[str, CustomerAccountRow] = {}
        ways: dict[str, list[Way]] = {}
        searches = [(way, finders[way]) for way in self._rules.match]
        for way, find in (*searches, (SHARED, self._of_other_website)):
            for row in await find(customer):
                rows.setdefault(row.CustomerAccount, row)
                ways.setdefault(row.CustomerAccount, []).append(way)
        found = [
            Candidate(
                row=row,
                ways=tuple(ways[account]),
                owners=await self._others(account, customer),
            )
            for account, row in rows.items()
            if account not in refused
        ]
        return [candidate for candidate in found if self._is_near(candidate)]

    async def named(self, customer: ShopCustomer) -> CustomerAccountRow | None:
        """Return the account that the customer's attribute names, None when there is none."""
        found = await self._by_attribute(customer)
        return found[0] if found else None

    async def of_email(self, customer: ShopCustomer) -> list[CustomerAccountRow]:
        """Return every account with the customer's e-mail address, whoever has it.

        Raises:
            HeldError: The ERP cannot be asked for it.
        """
        return list(await self._by_email(customer))

    async def owners(self, account: str) -> list[Owner]:
        """Return whose an account is."""
        return await self._links.owners(account)

    async def _others(self, account: str, customer: ShopCustomer) -> tuple[Owner, ...]:
        me = Owner(self._market.code, str(customer.id))
        return tuple(owner for owner in await self._links.owners(account) if owner != me)

    def _is_near(self, candidate: Candidate) -> bool:
        """Return whether it is nobody's, or that of somebody whose accounts are shared here."""
        owners = candidate.owners
        return not owners or any(owner.market in self._near for owner in owners)

    async def _by_attribute(self, customer: ShopCustomer) -> Sequence[CustomerAccountRow]:
        account = attribute_of(customer, self._rules)
        row = await self._erp.find(self._market.company, account) if account else None
        return [] if row is None else [row]

    async def _by_tax_number(self, customer: ShopCustomer) -> Sequence[CustomerAccountRow]:
        number, company = _without_wildcards(tax_number_of(customer)), self._market.company
        if not any(letter.isdigit() for letter in number):
            return []
        pattern = search_pattern(number)
        if pattern is None:
            rows = await self._erp.find_by(company, _TAX_NUMBER, number)
        else:
            rows = await self._erp.find_like(company, _TAX_NUMBER, pattern)
        country = country_of(customer)
        return [row for row in rows if is_same_number(number, row.TaxExemptNumber, country=country)]

    async def _by_email(self, customer: ShopCustomer) -> Sequence[CustomerAccountRow]:
        if not customer.email:
            return []
        if _WILDCARD in customer.email:
            # Without a look an account whose answer was lost would be made a second time.
            raise HeldError(
                field="email",
                text=f"it holds a {_WILDCARD}, which stands for anything in the ERP: nobody can "
                "look for its account there",
                advice="correct the address in the shop, then replay; or make the account by hand, "
                f"then d365-sync link {self._market.code} {customer.id} ACCOUNT",
            )
        return await self._erp.find_by_email(self._market.company, customer.email)

    async def _by_company(self, customer: ShopCustomer) -> Sequence[CustomerAccountRow]:
        name = company_of(customer)
        if not name or _WILDCARD in name:
            return []
        return await self._erp.find_by(self._market.company, "OrganizationName", name)

    async def _of_other_website(self, customer: ShopCustomer) -> Sequence[CustomerAccountRow]:
        """Return the accounts of the e-mail address's customers where accounts are shared.

        The shop's database finds addresses whose letters only look alike: u for u with dots is
        another domain, which anybody may have.
        """
        if not self._market_of or not customer.email:
            return []
        rows = []
        for sibling in await self._shop.customers_by_email(customer.email):
            if not is_same_name(sibling.email, customer.email):
                continue
            market = self._market_of.get(sibling.website_id)
            account = market and await self._links.account_of(Owner(market, str(sibling.id)))
            row = account and await self._erp.find(self._market.company, account)
            if row:
                rows.append(row)
        return rows


def attribute_of(customer: ShopCustomer, rules: CustomerRules) -> str:
    """Return the account that the customer's attribute names, empty without one."""
    return str(customer.attribute(rules.account_attribute) or "").strip()


def _without_wildcards(text: str) -> str:
    """Return a text in which a `*` is punctuation, as in a number, so that it can be asked for."""
    return text.replace(_WILDCARD, " ")


_TAX_NUMBER = "TaxExemptNumber"
_WILDCARD = "*"
