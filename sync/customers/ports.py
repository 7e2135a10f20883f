"""What the customers flow needs of the two systems and of the price service."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any, Protocol

from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from pricing_proxy.http_exchange import Guard
from pricing_proxy.shared_state.customer_map import Customer as PricedCustomer
from pricing_proxy.shared_state.maps import IdsState
from sync.engine.new_rows import WholeList
from sync.engine.windows import Window
from sync.magento.customer_models import CustomerHead, ShopCustomer
from sync.magento.odd_rows import RowPage
from sync.store.customer_links import Owner, Refusal


class Accounts(Protocol):
    """The part of the ERP's client that finds customers; raises `UpstreamError`."""

    async def find(self, company: str, account: str) -> CustomerAccountRow | None:
        """Return a customer by account."""
        ...

    async def find_by(self, company: str, field: str, text: str) -> list[CustomerAccountRow]:
        """Return all with a text in a field, without regard to case or outer blanks."""
        ...

    async def find_by_email(self, company: str, email: str) -> list[CustomerAccountRow]:
        """Return all with an e-mail address."""
        ...

    async def find_like(self, company: str, field: str, pattern: str) -> list[CustomerAccountRow]:
        """Return all whose field fits a pattern, in which `*` stands for anything."""
        ...


class Siblings(Protocol):
    """The part of the shop's client that finds one person on several websites."""

    async def customers_by_email(self, email: str) -> Sequence[CustomerHead]:
        """Return the customers of an e-mail address."""
        ...


class ErpCustomers(Accounts, Protocol):
    """Customers of the ERP; every method raises `UpstreamError`."""

    async def create(
        self,
        company: str,
        body: CustomerBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        """Create a customer and return the account."""
        ...

    async def update(
        self,
        company: str,
        account: str,
        body: CustomerBody,
        *,
        guard: Guard | None = None,
    ) -> None:
        """Change fields."""
        ...

    async def addresses(self, company: str, account: str) -> list[AddressRow]:
        """Return a customer's addresses."""
        ...

    async def add_address(
        self, company: str, account: str, body: AddressBody, *, guard: Guard | None = None
    ) -> str:
        """Add an address."""
        ...

    async def change_address(
        self, address: AddressRow, body: AddressBody, *, guard: Guard | None = None
    ) -> None:
        """Change an address."""
        ...


class ShopCustomers(Protocol):
    """Customers of the shop; every method raises `UpstreamError`."""

    async def customer(self, customer_id: int) -> ShopCustomer | None:
        """Return a customer."""
        ...

    async def save_customer(
        self, customer: ShopCustomer, changes: Mapping[str, Any], *, guard: Guard | None = None
    ) -> ShopCustomer:
        """Change members."""
        ...

    async def set_customer_attribute(
        self, customer: ShopCustomer, code: str, value: str, *, guard: Guard | None = None
    ) -> ShopCustomer:
        """Write a custom attribute; return the customer as the shop then has it."""
        ...

    async def has_customer_attribute(self, code: str) -> bool:
        """Return whether the shop's customers have such an attribute."""
        ...


class CustomerChanges(Protocol):
    """The part of the shop's client that finds customers."""

    @property
    def listing(self) -> WholeList[ShopCustomer]:
        """Single customers."""
        ...

    def customers_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[ShopCustomer], None]:
        """Yield customers by their last change."""
        ...


class AccountOwners(Protocol):
    """Who has which account, for all markets of a company together."""

    async def owners(self, account: str) -> list[Owner]:
        """Return every customer of the company that has an account."""
        ...

    async def account_of(self, owner: Owner) -> str | None:
        """Return the account of a customer of any market of the company."""
        ...


class AccountLinks(AccountOwners, Protocol):
    """The stored links of one market's customers; no program replaces one."""

    async def account(self, customer_id: str) -> str | None:
        """Return the customer's account."""
        ...

    async def refusals(self, customer_id: str) -> list[Refusal]:
        """Return the accounts that a person said are not the customer's."""
        ...

    async def settle(self, customer_id: str, account: str, *, origin: str) -> str:
        """Link a customer that has no link; return the account that stands now."""
        ...

    async def take(self, customer_id: str, account: str, *, origin: str) -> str | None:
        """Link a customer to an account that nobody has; None when somebody has it by now."""
        ...


class AccountMap(Protocol):
    """Where the price service looks a customer's account up; all raise `SharedStateError`."""

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace accounts."""
        ...

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        ...

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account there."""
        ...

    async def ids_state(self, market: str) -> IdsState:
        """Return how complete the shop's ids are there."""
        ...

    async def note_ids_state(self, market: str, state: IdsState) -> None:
        """Say how complete they are."""
        ...

    async def note_customer(self, market: str, customer: PricedCustomer) -> None:
        """Tell of an account that the map of all accounts may not hold yet."""
        ...
