"""A gate of the sync, shared between its processes where Redis is given."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.gate_state import GateSettings
from pricing_proxy.shared_state.gate import SharedGate


@asynccontextmanager
async def shared_gate(
    redis: Redis | None,
    shared_name: str,
    *,
    system: str,
    name: str,
    clock: Clock,
    settings: GateSettings | None = None,
) -> AsyncIterator[Gate]:
    """Yield a gate that obeys what other processes and operators say; on exit, it is on its own.

    Args:
        redis: Where they say it; None for a process on its own.
        shared_name: Under which name.
        system: For errors.
        name: For logs and views.
        clock: Time.
        settings: Waits and ramp.
    """
    shared = None if redis is None else SharedGate(redis, shared_name, clock=clock)
    gate = Gate(
        system=system,
        name=name,
        clock=clock,
        chance=random.random,
        on_closed=None if shared is None else shared.publish,
        settings=settings,
    )
    if shared is None:
        yield gate
        return
    shared.attach(gate)
    async with shared:
        yield gate
