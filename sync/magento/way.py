"""Build the protected way to one Magento: session, signing, limits, subjects."""

import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.breaker_settings import DOCUMENT_WRITES, MASTER_READS
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallWatch, OperationClass
from pricing_proxy.resilience.protection import protection
from sync.magento.auth import Credentials
from sync.magento.calls import CALL_TIME, Calls
from sync.magento.shop import Shop
from sync.magento.transport import ShopTransport

SYSTEM = "magento"
"""The shop, in errors and logs."""

_BREAKERS = {
    OperationClass.MASTER_READ: MASTER_READS,
    OperationClass.DOCUMENT_WRITE: DOCUMENT_WRITES,
}
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
    watch: CallWatch | None = None,
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
        watch: Told of each call; None for nobody.
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
        policy = protection(
            SYSTEM,
            gate or Gate(system=SYSTEM, name=SYSTEM, clock=clock, chance=random.random),
            _BREAKERS,
            place=SYSTEM,
            clock=clock,
            watch=watch,
        )
        yield Shop(Calls(transport, policy=policy, clock=clock, call_time=call_time))


def _session(ca_file: Path | None, connections: int) -> aiohttp.ClientSession:
    trusted = ssl.create_default_context()
    if ca_file is not None:
        trusted.load_verify_locations(ca_file)
    connector = aiohttp.TCPConnector(
        limit=connections, keepalive_timeout=_KEEPALIVE_SECONDS, ssl=trusted
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
