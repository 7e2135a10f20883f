"""Ask one F&O environment directly: no retries, no breaker, no gate, so each raw answer shows.

Two limits remain: a call ends with its own time or the check's, and only so many run at
once. Every method raises `UpstreamError`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Generic, Self, TypeVar

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.fo.models import LegalEntityRow, Row
from pricing_proxy.d365.fo.price_calls import PricedLines, PriceRequest
from pricing_proxy.d365.fo.row_reading import checked_rows
from pricing_proxy.d365.json_numbers import read_odd_json
from pricing_proxy.d365.odata import Filter, Query, equals
from pricing_proxy.d365.transport import Transport
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.http_exchange import Request
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.operation import Operation, OperationClass

T = TypeVar("T")
R = TypeVar("R", bound=Row)

SYSTEM = "fo"
TICKET = Ticket(CallClass.BACKGROUND)
# Enough to see a share of failures in one go, and far below the 52 calls at once that older
# environments allow one user.
_CALLS_AT_ONCE = 12
# More than are ever looked for by one condition.
_ROWS_AT_ONCE = 100


class DirectPolicy:
    """Sends each call once, at most a few at a time; a `Policy` of the clients."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def call(
        self,
        send: Callable[[Deadline], Awaitable[T]],
        *,
        operation: Operation,  # noqa: ARG002 -- nothing here depends on what is called
        ticket: Ticket,  # noqa: ARG002 -- nor on its urgency
        deadline: Deadline,
        lines: int = 1,  # noqa: ARG002 -- nor on its size
    ) -> T:
        """Return what `send` returns."""
        async with self._places:
            return await send(deadline)


class OneToken:
    """One token, or none; a refusal is the answer we want to see."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def token(self) -> str:
        """Return it."""
        return self._text

    def invalidate(self, token: str) -> None:
        """Keep it: the call is not repeated with the same token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited.

    Attributes:
        wait: For one answer.
        until: When the check has to be over.
        clock: Time.
    """

    wait: timedelta
    until: Deadline
    clock: Clock

    @classmethod
    def of(cls, limits: Limits, clock: Clock) -> Self:
        """Return the patience of a check that begins now."""
        total_us = limits.total // timedelta(microseconds=1)
        until = Deadline.after(total_us, now_us=clock.monotonic_us())
        return cls(wait=limits.wait, until=until, clock=clock)

    def is_over(self) -> bool:
        """Return whether the whole check's time has passed."""
        return self.until.has_passed(self.clock.monotonic_us())

    def deadline(self) -> Deadline:
        """Return when a call that begins now must end."""
        wait_us = self.wait // timedelta(microseconds=1)
        return min(self.until, Deadline.after(wait_us, now_us=self.clock.monotonic_us()))


@dataclass(frozen=True, slots=True)
class Top(Generic[R]):
    """The first rows of a set, and how many there are."""

    count: int
    rows: list[R]


class DirectErp:
    """The way to one environment, and what the checks ask it.

    Args:
        session: Serves this environment only.
        environment: Its settings.
        token: An empty one shows whether anybody answers at all.
        patience: How long is waited.

    Attributes:
        transport: Speaks to it.
        policy: Sends each call once.
        client: Reads master data.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        environment: Environment,
        *,
        token: str,
        patience: Patience,
    ) -> None:
        self.patience = patience
        self.policy = DirectPolicy()
        self.transport = Transport(
            session,
            base_url=environment.url,
            tokens=OneToken(token),
            clock=patience.clock,
            system=SYSTEM,
        )
        self.client = FinanceOperationsClient(
            self.transport,
            policy=self.policy,
            clock=patience.clock,
            price_service_path=environment.price_service_path,
        )

    async def company(self, company: str) -> LegalEntityRow | None:
        """Return a legal entity, None when there is none of that id."""
        return await self.client.legal_entity(
            company, ticket=TICKET, deadline=self.patience.deadline()
        )

    async def prices(self, request: PriceRequest) -> PricedLines:
        """Return what the price service says."""
        return await self.client.prices(request, ticket=TICKET, deadline=self.patience.deadline())

    async def rows(self, row: type[R], where: Filter, *, company: str) -> list[R]:
        """Return the rows of a company that fit, as far as they come at once."""
        of_company = equals("dataAreaId", company) & where
        return (await self.top(row, of_company, rows=_ROWS_AT_ONCE)).rows

    async def top(self, row: type[R], where: Filter | None, *, rows: int) -> Top[R]:
        """Return the first rows of a set in the order of its key, with every field we use."""
        query = Query(
            entity_set=row.entity_set,
            select=row.fields(),
            where=where,
            order_by=row.key,
            top=rows,
            counted=True,
        )
        request = Request(method="GET", target=query.target())
        page = await self.policy.call(
            lambda until: self.transport.send(request, deadline=until, read=read_odd_json),
            operation=Operation(name=row.entity_set, kind=OperationClass.MASTER_READ, is_safe=True),
            ticket=TICKET,
            deadline=self.patience.deadline(),
        )
        found, _ = paging.read_page(page, system=SYSTEM)
        checked = checked_rows(row, found, None, system=SYSTEM)
        return Top(paging.read_count(page, system=SYSTEM), list(checked))

    async def version(self) -> str:
        """Return the application's version: the cheapest call there is."""
        return await self.client.application_version(
            ticket=TICKET, deadline=self.patience.deadline()
        )


def company_found(row: LegalEntityRow | None, wanted: str, market: str) -> Finding:
    """Return what to say of a market's company."""
    if row is None:
        return failed(
            f"F&O has no legal entity {wanted}",
            f"Correct markets.{market}.legal_entity (Legal entities in F&O lists them)",
        )
    return ok(f"{row.LegalEntityId}, {row.Name}")


def unreadable(ca_file: Path | None, error: OSError, *, key: str) -> Finding:
    """Return what to say of a CA file that cannot be read."""
    return failed(
        f"{ca_file} cannot be read: {error.strerror or type(error).__name__}",
        f"Correct {key}: a PEM file with the authority's certificate",
    )
