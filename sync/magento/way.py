"""Build the protected way to one Magento: session, signing, limits, subjects."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import http_session
from pricing_proxy.resilience.breaker_settings import (
    DOCUMENT_WRITES,
    MASTER_READS,
    found_back_soon,
)
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallWatch, OperationClass, Policy
from pricing_proxy.resilience.protection import protection
from sync.magento.calls import Calls
from sync.magento.shop import Shop
from sync.magento.transport import ShopTransport
from sync.sections import Magento

SYSTEM = "magento"
"""The shop, in errors and logs."""

_BREAKERS = {
    OperationClass.MASTER_READ: found_back_soon(MASTER_READS),
    OperationClass.DOCUMENT_WRITE: found_back_soon(DOCUMENT_WRITES),
}
# Shorter than what web servers in front of a shop usually keep an idle connection for.
_KEEPALIVE_SECONDS = 30.0


@asynccontextmanager
async def shop_way(
    magento: Magento, *, clock: Clock, gate: Gate | None = None, watch: CallWatch | None = None
) -> AsyncIterator[Shop]:
    """Open the way to one shop; on exit, close it.

    Args:
        magento: Where it is, as whom we call it, and how.
        clock: Time.
        gate: Closed while the shop throttles; one of this process alone when not given.
        watch: Told of each call; None for nobody.
    """
    policy = protection(
        SYSTEM,
        gate or Gate(system=SYSTEM, name=SYSTEM, clock=clock, chance=random.random),
        _BREAKERS,
        place=SYSTEM,
        clock=clock,
        watch=watch,
    )
    async with http_session(
        magento.ca_file,
        proxy=magento.way_out(),
        connections=magento.connections,
        keepalive_seconds=_KEEPALIVE_SECONDS,
    ) as session:
        call_time = timedelta(seconds=magento.timeout_seconds)
        yield shop_over(session, magento, policy=policy, clock=clock, call_time=call_time)


def shop_over(
    session: aiohttp.ClientSession,
    magento: Magento,
    *,
    policy: Policy,
    clock: Clock,
    call_time: timedelta,
) -> Shop:
    """Return the shop over a session; no call takes longer than `call_time`, waiting included."""
    transport = ShopTransport(
        session,
        base_url=magento.url,
        credentials=magento.credentials,
        clock=clock,
        signed_url=magento.signed_url,
        system=SYSTEM,
    )
    return Shop(Calls(transport, policy=policy, clock=clock, call_time=call_time), clock)
