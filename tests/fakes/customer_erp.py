"""An ERP's customers and their addresses, with faults around the next write.

Texts are found without regard to case and outer blanks, as F&O does, and never otherwise: a
number with blanks is another one to it. A `*` stands for anything there, and what it fits is
sent whatever the caller keeps of it. Every call lets others go on meanwhile.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import UpstreamRejectedError, UpstreamTimeoutError

CARRYING: ContextVar[object] = ContextVar("CARRYING", default=None)
"""Whose event is being carried, for a test that judges for whom accounts were made."""


class FakeCustomerErp:
    """A `sync.customers.flow.ErpCustomers` for one company.

    Attributes:
        made_for: Whose event made each account.
        answers_lost: How many of the next writes are done, and their answers lost.
        calls_lost: How many of the next writes never arrive.
        before_write: Called before a write asks its guard.
        keeps: What it makes of a field's value.
        refusal: What every write is refused with.
        sent: How many rows it has sent, those left out by its client included.
    """

    def __init__(self) -> None:
        self.rows: dict[str, CustomerAccountRow] = {}
        self.address_rows: dict[str, list[AddressRow]] = {}
        self.made_for: dict[str, object] = {}
        self.answers_lost = 0
        self.calls_lost = 0
        self.calls: Counter[str] = Counter()
        self.before_write: Callable[[], None] = lambda: None
        self.keeps: Callable[[str, Any], Any] = lambda _, value: value
        self.sent = 0
        self.refusal: UpstreamRejectedError | None = None

    def put(self, account: str, **members: Any) -> CustomerAccountRow:
        """Add or change an account."""
        known = self.rows[account].model_dump() if account in self.rows else {}
        fields: dict[str, Any] = dict.fromkeys(CustomerAccountRow.fields())
        texts = {"dataAreaId": "demf", "CustomerAccount": account, "OnHoldStatus": "No"}
        flags = {"IsSalesTaxIncludedInPrices": "No"}
        values = {**fields, **texts, **known, **flags, **members}
        self.rows[account] = CustomerAccountRow.model_validate(values)
        return self.rows[account]

    async def find(self, company: str, account: str) -> CustomerAccountRow | None:
        if "*" in account:
            return None
        found = await self.find_by(company, "CustomerAccount", account)
        return found[0] if found else None

    async def find_by_email(self, company: str, email: str) -> list[CustomerAccountRow]:
        return await self.find_by(company, "PrimaryContactEmail", email)

    async def find_by(self, company: str, field: str, text: str) -> list[CustomerAccountRow]:
        wanted = text.strip().casefold()
        rows = await self.find_like(company, field, text.strip())
        return [row for row in rows if getattr(row, field).strip().casefold() == wanted]

    async def find_like(self, company: str, field: str, pattern: str) -> list[CustomerAccountRow]:
        del company
        await asyncio.sleep(0)
        parts = map(re.escape, pattern.split("*"))
        fits = re.compile(".*".join(parts), re.DOTALL | re.IGNORECASE).fullmatch
        found = [row for row in self.rows.values() if fits(getattr(row, field).strip())]
        self.sent += len(found)
        return found

    async def create(
        self,
        company: str,
        body: CustomerBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        del company
        await self._before("create", guard)
        account = f"C-{len(self.rows) + 2001}"
        self.made_for[account] = CARRYING.get()
        known = CustomerAccountRow.model_fields
        self.put(account, **{k: v for k, v in body if k in known and v is not None})
        self._after()
        return account

    async def update(
        self,
        company: str,
        account: str,
        body: CustomerBody,
        *,
        guard: Guard | None = None,
    ) -> None:
        del company
        await self._before("update", guard)
        changes = {name: self.keeps(name, value) for name, value in body if value is not None}
        self.put(account, **changes)
        self._after()

    async def addresses(self, company: str, account: str) -> list[AddressRow]:
        del company
        return self.address_rows.get(account, [])

    async def add_address(
        self, company: str, account: str, body: AddressBody, *, guard: Guard | None = None
    ) -> str:
        await self._before("add_address", guard)
        rows = self.address_rows.setdefault(account, [])
        location = f"L-{len(rows) + 1}"
        owner = {
            "dataAreaId": company,
            "CustomerAccountNumber": account,
            "CustomerLegalEntityId": company,
            "AddressLocationId": location,
            "Effective": f"2026-01-01T00:00:{len(rows):02d}Z",
        }
        fields: dict[str, Any] = dict.fromkeys(AddressRow.fields())
        members = {name: self.keeps(name, value) for name, value in _members(body).items()}
        rows.append(AddressRow.model_validate({**fields, **members, **owner}))
        self._after()
        return location

    async def change_address(
        self, address: AddressRow, body: AddressBody, *, guard: Guard | None = None
    ) -> None:
        await self._before("change_address", guard)
        rows = self.address_rows[address.CustomerAccountNumber]
        changes = {name: self.keeps(name, value) for name, value in body if value is not None}
        rows[rows.index(address)] = address.model_copy(update=changes)
        self._after()

    async def _before(self, name: str, guard: Guard | None) -> None:
        self.calls[name] += 1
        self.before_write()
        await asyncio.sleep(0)
        if guard is not None:
            await guard()
        if self.refusal is not None:
            raise self.refusal
        if self.calls_lost:
            self.calls_lost -= 1
            raise UpstreamTimeoutError("no answer in time", system="fo")

    def _after(self) -> None:
        if self.answers_lost:
            self.answers_lost -= 1
            raise UpstreamTimeoutError("no answer in time", system="fo")


def _members(body: AddressBody) -> dict[str, Any]:
    values = {name: value for name, value in body if name in AddressRow.model_fields}
    return {
        name: ("Yes" if value else "No") if isinstance(value, bool) else value
        for name, value in values.items()
    }
