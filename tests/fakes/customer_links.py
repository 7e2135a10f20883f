"""Whose account is whose, for the markets of one company, and the price service's map of it."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.maps import IdsState, SharedStateError
from sync.store.customer_links import CREATED_KIND, KIND, Owner, Refusal
from tests.fakes.claims import FakeClaims
from tests.fakes.order_shop import FakeLinks


@dataclass
class FakeCompany:
    """The links of all its markets; a `sync.store.all_links.KeptLinks`, and the people who decide.

    Attributes:
        links: The entity map of each market.
        origins: How each link came about.
        refused: What people said is not a customer's.
        claimed: What its customers have typed.
    """

    links: dict[str, FakeLinks] = field(default_factory=dict)
    origins: dict[Owner, str] = field(default_factory=dict)
    refused: dict[Owner, list[Refusal]] = field(default_factory=dict)
    claimed: FakeClaims = field(default_factory=FakeClaims)

    def of_market(self, market: str) -> FakeLinks:
        return self.links.setdefault(market, FakeLinks())

    def claims(self, company: Collection[str] = ()) -> FakeClaims:
        del company
        return self.claimed

    def of_customers(self, market: str, *, company: Collection[str] = ()) -> "FakeCustomerLinks":
        del company
        return FakeCustomerLinks(self, market)

    def account_of(self, owner: Owner) -> str | None:
        """Return a customer's account."""
        return self.of_market(owner.market).keys.get((KIND, owner.customer_id))

    def owners(self, account: str) -> list[Owner]:
        """Return whose an account is."""
        found = [
            Owner(market, customer_id)
            for market, links in self.links.items()
            for (kind, customer_id), each in links.keys.items()
            if kind in (KIND, CREATED_KIND) and each == account
        ]
        return list(dict.fromkeys(found))

    def link(self, owner: Owner, account: str) -> None:
        """Give a customer an account, as a person does."""
        self.of_market(owner.market).keys[KIND, owner.customer_id] = account
        self.origins[owner] = "person"
        self.refused[owner] = [r for r in self.refused.get(owner, []) if r.account != account]

    def unlink(self, owner: Owner) -> None:
        """Take it away, as a person does."""
        keys = self.of_market(owner.market).keys
        account = keys.pop((KIND, owner.customer_id))
        keys.pop((CREATED_KIND, owner.customer_id), None)
        self.refused.setdefault(owner, []).append(
            Refusal(account, allows_new=False, refused_by="ann")
        )

    def refuse(self, owner: Owner, *accounts: str) -> None:
        """Say that accounts are not a customer's, as a person does."""
        before = [each.account for each in self.refused.get(owner, [])]
        self.refused[owner] = [
            Refusal(account, allows_new=True, refused_by="ann")
            for account in dict.fromkeys((*before, *accounts))
        ]


@dataclass
class FakeCustomerLinks:
    """The links of one market's customers; a `sync.customers.ports.AccountLinks`."""

    company: FakeCompany
    market: str

    async def account(self, customer_id: str) -> str | None:
        return self.company.account_of(Owner(self.market, customer_id))

    async def owners(self, account: str) -> list[Owner]:
        found = self.company.owners(account)
        # What was read may be old by the time it is used.
        await asyncio.sleep(0)
        return found

    async def account_of(self, owner: Owner) -> str | None:
        return self.company.account_of(owner)

    async def refusals(self, customer_id: str) -> list[Refusal]:
        return list(self.company.refused.get(Owner(self.market, customer_id), []))

    async def settle(self, customer_id: str, account: str, *, origin: str) -> str:
        await asyncio.sleep(0)
        return self._settle(customer_id, account, origin)

    def _settle(self, customer_id: str, account: str, origin: str) -> str:
        keys = self.company.of_market(self.market).keys
        if (KIND, customer_id) not in keys:
            keys[KIND, customer_id] = account
            self.company.origins[Owner(self.market, customer_id)] = origin
        return keys[KIND, customer_id]

    async def take(self, customer_id: str, account: str, *, origin: str) -> str | None:
        await asyncio.sleep(0)
        me = Owner(self.market, customer_id)
        if any(owner != me for owner in self.company.owners(account)):
            return None
        return self._settle(customer_id, account, origin)


@dataclass
class FakePriceMap:
    """What the price service reads; a `sync.customers.ports.AccountMap`."""

    accounts: dict[tuple[str, int], str] = field(default_factory=dict)
    noted: dict[tuple[str, str], Customer] = field(default_factory=dict)
    states: dict[str, IdsState] = field(default_factory=dict)
    is_down: bool = False

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        self._check()
        self.accounts |= {(market, one): account for one, account in accounts.items()}

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        self._check()
        for one in shop_ids:
            self.accounts.pop((market, one), None)

    async def mapped_ids(self, market: str) -> set[int]:
        self._check()
        return {one for where, one in self.accounts if where == market}

    async def ids_state(self, market: str) -> IdsState:
        self._check()
        return self.states.get(market, IdsState.NONE)

    async def note_ids_state(self, market: str, state: IdsState) -> None:
        self._check()
        self.states[market] = state

    def lose(self, market: str) -> None:
        """Be without a market's ids, as when their key was evicted."""
        self.states.pop(market, None)
        self.accounts = {key: each for key, each in self.accounts.items() if key[0] != market}

    async def note_customer(self, market: str, customer: Customer) -> None:
        self._check()
        self.noted[market, customer.account] = customer

    def _check(self) -> None:
        if self.is_down:
            raise SharedStateError("Redis failed")
