"""What the customers flow needs of the two systems and of the price service."""

from collections.abc import Mapping
from typing import Any, Protocol

from pricing_proxy.d365.fo.customer_models import AddressBody, AddressRow, CustomerBody
from pricing_proxy.d365.transport import Guard
from sync.customers.matching import Accounts
from sync.magento.master_models import Customer


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

    async def customer(self, customer_id: int) -> Customer | None:
        """Return a customer."""
        ...

    async def save_customer(
        self, customer: Customer, changes: Mapping[str, Any], *, guard: Guard | None = None
    ) -> Customer:
        """Change members."""
        ...

    async def set_customer_attribute(
        self, customer: Customer, code: str, value: str, *, guard: Guard | None = None
    ) -> Customer:
        """Write a custom attribute; return the customer as the shop then has it."""
        ...

    async def has_customer_attribute(self, code: str) -> bool:
        """Return whether the shop's customers have such an attribute."""
        ...


class AccountMap(Protocol):
    """Where the price service looks a customer's account up."""

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace accounts; raises `SharedStateError`."""
        ...
