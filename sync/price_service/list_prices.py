"""Ask the price service what it says an item's base price is, beside a customer's own."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.http_exchange import HttpExchange, Request, http_session
from pricing_proxy.http_replies import Reply, meaning_of_status
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamError,
    UpstreamUnavailableError,
)
from sync.price_service.section import PriceServiceSection

SYSTEM = "price service"
"""The price service, in errors and logs."""

_PATH = "/v1/prices"
# As many as the service answers at once; so long it may ask the ERP for those it does not know.
_PAGE, _WAIT_MS = 200, 1500
_MOST_BYTES = 1024 * 1024
# No price; what is beyond it is an answer that cannot be read.
_MOST = Decimal(10**15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """An item's base price as the service says it.

    Attributes:
        price: Of one sales unit, in the company's currency.
        read_at: When it was read from the ERP, as the service writes instants.
    """

    price: Decimal
    read_at: str


class _Line(BaseModel):
    sku: str
    list_price: Annotated[Decimal, Field(ge=-_MOST, le=_MOST)] | None = None
    loaded_at: str | None = None


class _Answer(BaseModel):
    lines: list[_Line]


_ANSWER = TypeAdapter(_Answer)


class ListPriceService:
    """Asks one price service.

    Args:
        exchange: The way to it.
        key: As whom.
        timeout_us: How long one page may take.
        clock: Time.
    """

    def __init__(self, exchange: HttpExchange, *, key: str, timeout_us: int, clock: Clock) -> None:
        self._exchange = exchange
        self._headers = {"X-API-Key": key}
        self._timeout_us = timeout_us
        self._clock = clock

    async def list_prices(
        self, market: str, customer: str, skus: Sequence[str]
    ) -> Mapping[str, ListPrice]:
        """Return the base prices of those that it has one for; raises `UpstreamError`."""
        found: dict[str, ListPrice] = {}
        for start in range(0, len(skus), _PAGE):
            page = skus[start : start + _PAGE]
            answer = await self._asked(market, customer, page)
            for line in answer.lines:
                if line.list_price is not None:
                    found[line.sku] = ListPrice(price=line.list_price, read_at=line.loaded_at or "")
        return found

    async def _asked(self, market: str, customer: str, skus: Sequence[str]) -> _Answer:
        body: dict[str, Any] = {
            "market": market,
            "customer": customer,
            "mode": "browse",
            "wait_ms": _WAIT_MS,
            "lines": [{"sku": sku} for sku in skus],
        }
        reply = await self._exchange.send(
            Request(method="POST", target=_PATH, body=json.dumps(body).encode()),
            self._headers,
            deadline=Deadline.after(self._timeout_us, now_us=self._clock.monotonic_us()),
        )
        if not reply.is_success:
            raise _meaning(reply, self._clock)
        try:
            return _ANSWER.validate_json(reply.body)
        except ValidationError as exc:
            message = f"{SYSTEM} answered {reply.status} with no prices that can be read"
            raise UpstreamContractError(message, system=SYSTEM, status=reply.status) from exc


def _meaning(reply: Reply, clock: Clock) -> UpstreamError:
    if error := meaning_of_status(reply, now=clock.utc()):
        return error
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UpstreamUnavailableError(reply.told, system=SYSTEM)
    return UpstreamContractError(reply.told, system=SYSTEM, status=reply.status)


@asynccontextmanager
async def price_service(
    section: PriceServiceSection, *, clock: Clock
) -> AsyncIterator[ListPriceService]:
    """Open the way to the service; on exit, close it.

    Raises:
        OSError: The authority's file cannot be read.
    """
    async with http_session(section.ca_file, proxy=section.way_out(), connections=1) as session:
        yield ListPriceService(
            HttpExchange(
                session,
                base_url=section.url,
                body_type="application/json",
                clock=clock,
                system=SYSTEM,
                max_body_bytes=_MOST_BYTES,
            ),
            key=section.key.get_secret_value(),
            timeout_us=section.timeout_seconds * MICROSECONDS_PER_SECOND,
            clock=clock,
        )
