"""Build the protected way to one Magento: session, signing, limits, subjects."""

import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import DOCUMENT_WRITES, MASTER_READS
from pricing_proxy.resilience.bulkhead import Bulkhead
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallReport, OperationClass
from pricing_proxy.resilience.policy import CallPolicy
from pricing_proxy.resilience.retry import Retrier
from sync.magento.auth import Credentials
from sync.magento.calls import CALL_TIME, Calls
from sync.magento.shop import Shop
from sync.magento.transport import ShopTransport

SYSTEM = "magento"
"""The shop, in errors and logs."""

# A shop serves people first: two PHP workers for each core of a small one.
_CONNECTIONS = 8
# Shorter than what web servers in front of a shop usually keep an idle connection for.
_KEEPALIVE_SECONDS = 30.0


@asynccontextmanager
async def shop_way(
    url: str,
    credentials: Credentials,
    *,
    clock: Clock,
    signed_url: str | None = None,
    ca_file: Path | None = None,
    connections: int = _CONNECTIONS,
    call_time: timedelta = CALL_TIME,
    on_call: Callable[[CallReport], None] | None = None,
    gate: Gate | None = None,
) -> AsyncIterator[Shop]:
    """Open the way to one shop; on exit, close it.

    Args:
        url: The shop's root.
        credentials: The integration's.
        clock: Time.
        signed_url: See `ShopTransport`.
        ca_file: PEM file of the authority that signed its certificate, where it is not public.
        connections: At most so many calls at once.
        call_time: How long a call may take, waiting included.
        on_call: Told each attempt that went on the wire; must not raise.
        gate: Closed while the shop throttles; one of this process alone when not given.
    """
    async with _session(ca_file, connections) as session:
        transport = ShopTransport(
            session,
            base_url=url,
            credentials=credentials,
            clock=clock,
            signed_url=signed_url,
            system=SYSTEM,
        )
        policy = _policy(clock, on_call, gate)
        yield Shop(Calls(transport, policy=policy, clock=clock, call_time=call_time))


def _session(ca_file: Path | None, connections: int) -> aiohttp.ClientSession:
    trusted = ssl.create_default_context()
    if ca_file is not None:
        trusted.load_verify_locations(ca_file)
    connector = aiohttp.TCPConnector(
        limit=connections, keepalive_timeout=_KEEPALIVE_SECONDS, ssl=trusted
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _policy(
    clock: Clock, on_call: Callable[[CallReport], None] | None, gate: Gate | None
) -> CallPolicy:
    dice = random.random
    breakers = {
        kind: Breaker(
            system=SYSTEM, name=f"{SYSTEM}:{kind}", clock=clock, chance=dice, settings=settings
        )
        for kind, settings in (
            (OperationClass.MASTER_READ, MASTER_READS),
            (OperationClass.DOCUMENT_WRITE, DOCUMENT_WRITES),
        )
    }
    return CallPolicy(
        system=SYSTEM,
        breakers=breakers,
        gate=gate or Gate(system=SYSTEM, name=SYSTEM, clock=clock, chance=dice),
        bulkhead=Bulkhead(system=SYSTEM, name=SYSTEM, clock=clock),
        retrier=Retrier(clock=clock, chance=dice),
        clock=clock,
        on_call=on_call,
    )
