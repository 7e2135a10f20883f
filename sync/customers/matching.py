"""Find the ERP account of a shop's customer, before one is created.

In order: the map of known ones, the account of the same person on another website where
accounts are shared (whichever website came first), then what the market's rules name: the
shop's own attribute, tax number, e-mail. An account that belongs to a customer of another
website is left alone where accounts are not shared. Several that fit are a person's decision.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from sync.customers.mapping import CustomerMarket, tax_number_of
from sync.customers.rules import CustomerRules, Match
from sync.engine.flow import Links
from sync.engine.outcomes import HeldError
from sync.magento.master_models import Customer

KIND = "customer"


class Accounts(Protocol):
    """The part of the ERP's client that finds customers; raises `UpstreamError`."""

    async def find(self, company: str, account: str) -> CustomerAccountRow | None:
        """Return a customer by account."""
        ...

    async def find_by_email(self, company: str, email: str) -> list[CustomerAccountRow]:
        """Return all with an e-mail address."""
        ...

    async def find_by_tax_number(self, company: str, number: str) -> list[CustomerAccountRow]:
        """Return all with a tax number."""
        ...


class Siblings(Protocol):
    """The part of the shop's client that finds one person on several websites."""

    async def customers_by_email(self, email: str) -> list[Customer]:
        """Return the customers of an e-mail address."""
        ...


class AccountMatcher:
    """Finds accounts for one market.

    Args:
        erp: The ERP's customers.
        shop: The shop's.
        market: The market.
        rules: Its rules.
        links: The entity map of this market.
        sharing: Those of the markets that share accounts with this one, by code.
        neighbours: Those of the other markets of the same company, by code.
        website_of: The shop's website by market.
    """

    def __init__(
        self,
        erp: Accounts,
        shop: Siblings,
        *,
        market: CustomerMarket,
        rules: CustomerRules,
        links: Links,
        sharing: Mapping[str, Links],
        neighbours: Mapping[str, Links],
        website_of: Mapping[str, int],
    ) -> None:
        self._erp = erp
        self._shop = shop
        self._market = market
        self._rules = rules
        self._links = links
        self._sharing = sharing
        self._neighbours = neighbours
        self._website_of = website_of

    async def known(self, customer: Customer) -> str | None:
        """Return the account from the map, or from the other website's customer."""
        account = await self._links.erp_key(KIND, str(customer.id))
        return account or await self._of_other_website(customer)

    async def existing(self, customer: Customer, ways: Sequence[Match]) -> str | None:
        """Return the one account that fits by the first way that finds any.

        Raises:
            HeldError: Several fit, or the shop names an account that does not exist.
        """
        finders: Mapping[Match, Callable[[Customer], Awaitable[list[str]]]] = {
            "attribute": self._by_attribute,
            "tax_number": self._by_tax_number,
            "email": self._by_email,
        }
        for way in ways:
            free = [one for one in await finders[way](customer) if await self._is_free(one)]
            if len(free) > 1:
                raise HeldError(
                    field=_FIELDS[way],
                    text=f"several accounts have it: {', '.join(sorted(free))}",
                    advice="write the right one into the customer's "
                    f"{self._rules.account_attribute} in the shop, then replay",
                )
            if free:
                return free[0]
        return None

    async def _of_other_website(self, customer: Customer) -> str | None:
        if not self._sharing or not customer.email:
            return None
        links_of = {self._website_of[code]: links for code, links in self._sharing.items()}
        for sibling in await self._shop.customers_by_email(customer.email):
            links = links_of.get(sibling.website_id)
            account = links and await links.erp_key(KIND, str(sibling.id))
            if account:
                return account
        return None

    async def _is_free(self, account: str) -> bool:
        for links in self._neighbours.values():
            if await links.magento_id(KIND, account) is not None:
                return False
        return True

    async def _by_attribute(self, customer: Customer) -> list[str]:
        account = str(customer.attribute(self._rules.account_attribute) or "").strip()
        if not account:
            return []
        row = await self._erp.find(self._market.company, account)
        if row is None:
            raise HeldError(
                field=self._rules.account_attribute,
                text=f"{self._market.company} has no account {account}",
                advice="correct the customer's attribute in the shop, then replay",
            )
        return [row.CustomerAccount]

    async def _by_tax_number(self, customer: Customer) -> list[str]:
        number = tax_number_of(customer)
        if not number:
            return []
        rows = await self._erp.find_by_tax_number(self._market.company, number)
        return [row.CustomerAccount for row in rows]

    async def _by_email(self, customer: Customer) -> list[str]:
        if not customer.email:
            return []
        rows = await self._erp.find_by_email(self._market.company, customer.email)
        return [row.CustomerAccount for row in rows]


_FIELDS: Mapping[Match, str] = {
    "attribute": "custom_attributes",
    "tax_number": "taxvat",
    "email": "email",
}
