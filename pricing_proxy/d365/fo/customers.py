"""Customers in F&O: found before they are created, since nothing there keeps doubles away.

Accounts are unique, e-mail addresses and tax numbers are not: their look-ups return every
customer that has them, and the caller decides. Writes are sent once per call: see
`documents` for what an error leaves in doubt.
"""

from datetime import datetime

from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.odata import Value, equals, matches
from pricing_proxy.http_exchange import Guard

_CUSTOMERS = CustomerAccountRow.entity_set
_ACCOUNT = "CustomerAccount"


class Customers:
    """Reads and writes the customers of one environment."""

    def __init__(self, calls: DocumentCalls) -> None:
        self._calls = calls

    async def find(self, company: str, account: str) -> CustomerAccountRow | None:
        """Return a customer by account, None when the company has none.

        Accounts hold no `*`; asked for one, the ERP would send every customer it fits.
        """
        if "*" in account:
            return None
        rows = await self.find_by(company, _ACCOUNT, account)
        return rows[0] if rows else None

    async def find_by_email(self, company: str, email: str) -> list[CustomerAccountRow]:
        """Return all customers with a primary e-mail address."""
        return await self.find_by(company, "PrimaryContactEmail", email)

    async def find_like(self, company: str, field: str, pattern: str) -> list[CustomerAccountRow]:
        """Return all customers whose field fits a pattern, in which `*` stands for anything.

        The ERP's answer: the caller looks for what it meant among them.
        """
        return await self._calls.rows(CustomerAccountRow, matches(field, pattern), company=company)

    async def find_by(self, company: str, field: str, text: str) -> list[CustomerAccountRow]:
        """Return all customers with a text in a field, such as one of the ERP customer's own.

        An empty text finds nobody: it would find everybody who has none.
        """
        if not text.strip():
            return []
        return await self._calls.find(CustomerAccountRow, field, text, company=company)

    async def create(
        self,
        company: str,
        body: CustomerBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        """Create a customer, with its primary address where one is given; return the account."""
        members = {"dataAreaId": company, **body.members()}
        created = await self._calls.create(_CUSTOMERS, members, name="customer_create", guard=guard)
        return created.text(_ACCOUNT)

    async def update(
        self,
        company: str,
        account: str,
        body: CustomerBody,
        *,
        guard: Guard | None = None,
    ) -> None:
        """Change the fields that are set."""
        await self._calls.update(
            _CUSTOMERS,
            {"dataAreaId": company, _ACCOUNT: account},
            body.members(),
            name="customer_update",
            guard=guard,
        )

    async def addresses(self, company: str, account: str) -> list[AddressRow]:
        """Return a customer's addresses, old versions included."""
        return await self._calls.rows(
            AddressRow, equals("CustomerAccountNumber", account), company=company
        )

    async def add_address(
        self, company: str, account: str, body: AddressBody, *, guard: Guard | None = None
    ) -> str:
        """Add an address and return its location id."""
        owner = {
            "dataAreaId": company,
            "CustomerAccountNumber": account,
            "CustomerLegalEntityId": company,
        }
        created = await self._calls.create(
            AddressRow.entity_set,
            {**owner, **body.members()},
            name="customer_address_create",
            guard=guard,
        )
        return created.text("AddressLocationId")

    async def change_address(
        self, address: AddressRow, body: AddressBody, *, guard: Guard | None = None
    ) -> None:
        """Change the fields of an address that are set.

        Args:
            address: As it was read: the ERP may begin a new version with each change.
            body: The fields.
            guard: Asked last before the wire.
        """
        key: dict[str, Value] = {
            "dataAreaId": address.dataAreaId,
            "CustomerAccountNumber": address.CustomerAccountNumber,
            "CustomerLegalEntityId": address.CustomerLegalEntityId,
            "AddressLocationId": address.AddressLocationId,
            "Effective": datetime.fromisoformat(address.Effective),
        }
        await self._calls.update(
            AddressRow.entity_set,
            key,
            body.members(),
            name="customer_address_update",
            guard=guard,
        )
