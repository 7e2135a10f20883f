"""What both programs read from Finance & Operations, each call under the call policy.

Sets are read page by page, in the order of their full key, with an explicit `$select`
and always for one named company; a row of another company ends the read, because it
would end up in the wrong market, and one that cannot be read is left out. A read that fails
raises, and what was read of it so far is no complete set. Prices come from the custom service
over `PriceDisc`.

Every method raises `UpstreamError`; retries and limits are the policy's.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.models import (
    CustomerRow,
    LegalEntityRow,
    Row,
)
from pricing_proxy.d365.fo.price_calls import PricedLines, PriceRequest, read_price_answer
from pricing_proxy.d365.fo.row_reading import UnreadableRows, checked_rows, readable_rows
from pricing_proxy.d365.json_numbers import read_odd_json
from pricing_proxy.d365.odata import Filter, Query, action_target, equals
from pricing_proxy.d365.transport import Transport
from pricing_proxy.http_exchange import Request
from pricing_proxy.money import NumberText
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamError
from pricing_proxy.resilience.operation import Operation, OperationClass, Policy

R = TypeVar("R", bound=Row)

PRICE_SERVICE_PATH = "/api/services/PricingProxyServiceGroup/PricingProxyService/getPrices"
# A POST, but it changes nothing.
_PRICE_BATCH = Operation(name="price_batch", kind=OperationClass.PRICE_READ, is_safe=True)
# A full page of 10,000 rows takes the ERP many seconds; past a minute it is stuck.
_PAGE_TIME = timedelta(seconds=60)
# Validating this many rows takes 1 to 2 ms; then whoever serves prices gets a turn.
_ROWS_AT_ONCE = 500


class FinanceOperationsClient:
    """Reads one F&O environment; may be shared by all its markets."""

    def __init__(
        self,
        transport: Transport,
        *,
        policy: Policy,
        clock: Clock,
        price_service_path: str = PRICE_SERVICE_PATH,
    ) -> None:
        self._transport = transport
        self._policy = policy
        self._clock = clock
        self._price_service_path = price_service_path
        self._system = transport.system

    async def prices(
        self, request: PriceRequest, *, ticket: Ticket, deadline: Deadline
    ) -> PricedLines:
        """Return what the ERP's own price search says about each line.

        Raises:
            UpstreamMismatchError: The answer's lines cannot be told apart.
            UpstreamRejectedError: The call was refused as a whole; one line may be the cause.
        """
        try:
            body = await self._call(
                Request(method="POST", target=self._price_service_path, body=request.body()),
                operation=_PRICE_BATCH,
                ticket=ticket,
                deadline=deadline,
                lines=len(request.lines),
            )
            return read_price_answer(request, body, system=self._system)
        except UpstreamError as error:
            error.path = self._price_service_path
            raise

    async def all_rows(
        self, row: type[R], company: str, odd: UnreadableRows
    ) -> AsyncGenerator[list[R], None]:
        """Yield every row of a company that fits, at background class; note the others.

        Fewer than the ERP counts are none, nor are those of which most are odd: all the rows were
        yielded, and then it raises.
        """
        urgency = Ticket(CallClass.BACKGROUND)
        query = Query(
            entity_set=row.entity_set,
            select=row.fields(),
            where=equals("dataAreaId", company),
            order_by=row.key,
            counted=True,
        )
        counted = paging.Counted(system=self._system)

        async def fetch(target: str) -> Any:
            deadline = self._page_deadline()
            return counted.take(await self._get(row, target, ticket=urgency, deadline=deadline))

        pages = paging.read_pages(
            query.target(),
            fetch=fetch,
            base_url=self._transport.base_url,
            system=self._system,
        )
        async with aclosing(pages):
            async for page in pages:
                for start in range(0, len(page), _ROWS_AT_ONCE):
                    chunk = page[start : start + _ROWS_AT_ONCE]
                    yield list(readable_rows(row, chunk, company, odd, system=self._system))
                    await asyncio.sleep(0)
        counted.check(row.entity_set)
        odd.check(counted.brought, system=self._system)

    async def customer(
        self, company: str, account: str, *, ticket: Ticket, deadline: Deadline
    ) -> CustomerRow | None:
        """Return one customer, None when the company has none of that account.

        Asked for as a filter and not by key: an empty list is a statement, while a 404
        could also come from a gateway in front of the ERP.
        """
        if "*" in account:
            return None  # a wildcard to F&O, which could find somebody else
        where = equals("dataAreaId", company) & equals("CustomerAccount", account)
        rows = await self._few(CustomerRow, where, ticket=ticket, deadline=deadline)
        found = list(checked_rows(CustomerRow, rows, company, system=self._system))
        if not all(is_same_name(row.CustomerAccount, account) for row in found):
            raise UpstreamContractError("another customer was answered", system=self._system)
        # Its own spelling before others, which two customers may have to the ERP's database.
        found.sort(key=lambda row: (row.CustomerAccount != account, row.CustomerAccount))
        return found[0] if found else None

    async def legal_entity(
        self, company: str, *, ticket: Ticket, deadline: Deadline
    ) -> LegalEntityRow | None:
        """Return a company, None when the environment has none of that id."""
        where = equals("LegalEntityId", company)
        rows = await self._few(LegalEntityRow, where, ticket=ticket, deadline=deadline)
        return next(checked_rows(LegalEntityRow, rows, company, system=self._system), None)

    async def application_version(self, *, ticket: Ticket, deadline: Deadline) -> str:
        """Return the ERP's version; the cheapest call that needs a token and a working user."""
        target = action_target("DataManagementEntities", "GetApplicationVersion")
        body = await self._call(
            Request(method="POST", target=target, body=b"{}"),
            operation=_master_read("application_version"),
            ticket=ticket,
            deadline=deadline,
        )
        value = body.get("value") if isinstance(body, dict) else None
        if not isinstance(value, str) or isinstance(value, NumberText):
            raise UpstreamContractError("a version without 'value'", system=self._system)
        return value

    async def _few(
        self, row: type[Row], where: Filter, *, ticket: Ticket, deadline: Deadline
    ) -> list[paging.Row]:
        # Two, so that a filter that did not filter is noticed.
        query = Query(entity_set=row.entity_set, select=row.fields(), where=where, top=2)
        page = await self._get(row, query.target(), ticket=ticket, deadline=deadline)
        rows, _ = paging.read_page(page, system=self._system)
        return rows

    async def _get(self, row: type[Row], target: str, *, ticket: Ticket, deadline: Deadline) -> Any:
        return await self._call(
            Request(method="GET", target=target),
            operation=_master_read(row.entity_set),
            ticket=ticket,
            deadline=deadline,
        )

    async def _call(
        self,
        request: Request,
        *,
        operation: Operation,
        ticket: Ticket,
        deadline: Deadline,
        lines: int = 1,
    ) -> Any:
        async def send(until: Deadline) -> Any:
            # What is no number is the affair of the line or row that it stands in.
            return await self._transport.send(request, deadline=until, read=read_odd_json)

        return await self._policy.call(
            send, operation=operation, ticket=ticket, deadline=deadline, lines=lines
        )

    def _page_deadline(self) -> Deadline:
        page_us = _PAGE_TIME // timedelta(microseconds=1)
        return Deadline.after(page_us, now_us=self._clock.monotonic_us())


def _master_read(name: str) -> Operation:
    return Operation(name=name, kind=OperationClass.MASTER_READ, is_safe=True)
