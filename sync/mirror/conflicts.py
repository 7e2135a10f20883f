"""Send a write again where another one was in its way in the shop's database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pricing_proxy.resilience.errors import UpstreamConflictError

T = TypeVar("T")

# A victim of a deadlock is written at the second try; more than that is no coincidence.
_MOST = 3
_PAUSE_SECONDS = 0.5


async def past_conflicts(send: Callable[[], Awaitable[T]]) -> T:
    """Return what a write came to, sent again a few times while it conflicts; raises as it does."""
    for _ in range(_MOST - 1):
        try:
            return await send()
        except UpstreamConflictError:
            await asyncio.sleep(_PAUSE_SECONDS)
    return await send()
