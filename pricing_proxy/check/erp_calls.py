"""Ask one F&O environment directly: no retries, no breaker, no gate, so each raw answer shows.

Two limits remain: a call ends with its own time or the check's, and only so many run at
once. Every method raises `UpstreamError`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import aiohttp
from pydantic import ValidationError

from pricing_proxy.check.limits import Limits
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.fo.models import LegalEntityRow, Row
from pricing_proxy.d365.fo.price_calls import PricedLines, PriceRequest
from pricing_proxy.d365.odata import Filter, Query
from pricing_proxy.d365.transport import Request, Transport
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamContractError
from pricing_proxy.resilience.operation import Operation, OperationClass

T = TypeVar("T")
R = TypeVar("R", bound=Row)

SYSTEM = "fo"
# Enough to see a share of failures in one go, and far below the 52 calls at once that older
# environments allow one user.
_CALLS_AT_ONCE = 12


class DirectPolicy:
    """Sends each call once, at most a few at a time; a `CallPolicy` of the client."""

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


@dataclass(frozen=True, slots=True)
class Top(Generic[R]):
    """The first rows of a set, and how many there are."""

    count: int
    rows: list[R]


class ErpCalls:
    """What the check asks F&O.

    Args:
        transport: Speaks to it.
        environment: Its settings.
        wait: For one answer.
        until: When the check has to be over.
        clock: Time.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        environment: Environment,
        wait: timedelta,
        until: Deadline,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._policy = DirectPolicy()
        self._wait_us = wait // timedelta(microseconds=1)
        self._until = until
        self._clock = clock
        self._client = FinanceOperationsClient(
            transport,
            policy=self._policy,
            clock=clock,
            price_service_path=environment.price_service_path,
        )

    def is_over(self) -> bool:
        """Return whether the whole check's time has passed."""
        return self._until.has_passed(self._clock.monotonic_us())

    async def version(self) -> str:
        """Return the application's version: the cheapest call there is."""
        return await self._client.application_version(ticket=_ticket(), deadline=self._deadline())

    async def company(self, company: str) -> LegalEntityRow | None:
        """Return a legal entity, None when there is none of that id."""
        return await self._client.legal_entity(company, ticket=_ticket(), deadline=self._deadline())

    async def prices(self, request: PriceRequest) -> PricedLines:
        """Return what the price service says."""
        return await self._client.prices(request, ticket=_ticket(), deadline=self._deadline())

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
        answer = await self._policy.call(
            lambda until: self._transport.send(request, deadline=until),
            operation=Operation(name=row.entity_set, kind=OperationClass.MASTER_READ, is_safe=True),
            ticket=_ticket(),
            deadline=self._deadline(),
        )
        found, _ = paging.read_page(answer.body, system=SYSTEM)
        return Top(_count(answer.body), [_checked(row, values) for values in found])

    def _deadline(self) -> Deadline:
        return min(self._until, Deadline.after(self._wait_us, now_us=self._clock.monotonic_us()))


def trusted_certificates(environment: Environment) -> ssl.SSLContext:
    """Return whom to trust; raises `OSError` when the CA file cannot be read."""
    trusted = ssl.create_default_context()
    if environment.ca_file is not None:
        trusted.load_verify_locations(environment.ca_file)
    return trusted


@asynccontextmanager
async def erp_session(trusted: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the connections to an environment; closed on exit."""
    connector = aiohttp.TCPConnector(ssl=trusted)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


def erp_calls(
    session: aiohttp.ClientSession,
    environment: Environment,
    *,
    token: str,
    limits: Limits,
    until: Deadline,
    clock: Clock,
) -> ErpCalls:
    """Return the calls with a token; an empty one shows whether anybody answers at all."""
    transport = Transport(
        session, base_url=environment.url, tokens=OneToken(token), clock=clock, system=SYSTEM
    )
    return ErpCalls(transport, environment=environment, wait=limits.wait, until=until, clock=clock)


def _ticket() -> Ticket:
    return Ticket(CallClass.BACKGROUND)


def _count(page: dict[str, object]) -> int:
    try:
        return int(str(page["@odata.count"]))
    except (LookupError, ValueError) as exc:
        raise UpstreamContractError("a count without '@odata.count'", system=SYSTEM) from exc


def _checked(row: type[R], values: dict[str, object]) -> R:
    try:
        return row.model_validate(values)
    except ValidationError as exc:
        fields = ", ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors()
        )
        raise UpstreamContractError(f"an unexpected row: {fields}", system=SYSTEM) from exc
