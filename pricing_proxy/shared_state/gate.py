"""Tell the other processes that the ERP throttled one of us: their calls count against us all.

Each app's gate has one key that lives as long as the gate is to stay closed. Processes
publish their own closings and look for others' each second, never on a request's way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from datetime import timedelta
from typing import Any, Protocol, Self, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.background import end
from pricing_proxy.clock import Clock

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
# Two throttlings of the pricing app this close show an ERP under pressure: the sync, which
# nobody waits for, leaves it to the shop for as long as Microsoft's own fallback.
_PRESSURE = timedelta(seconds=10)
_RELIEF = timedelta(seconds=30)


def pricing_app(environment: str) -> str:
    """Return the name of the gate of an environment's pricing app."""
    return f"{environment}|pricing"


def sync_app(environment: str) -> str:
    """Return the name of the gate of an environment's sync app."""
    return f"{environment}|sync"


class LocalGate(Protocol):
    """A process' own gate."""

    def close_until(self, until_us: int) -> bool:
        """Close until then, at least."""
        ...


class SharedGate:
    """Carries closings of one app's gate between processes; an async context manager.

    Args:
        redis: A client.
        name: Environment and app.
        clock: Time.
        gives_way: The app whose gate closes too when this one's is throttled twice within ten
            seconds, by whichever processes; None for no other.
    """

    def __init__(
        self, redis: Redis, name: str, *, clock: Clock, gives_way: str | None = None
    ) -> None:
        self._redis = redis
        self._key = _key(name)
        self._others_key = None if gives_way is None else _key(gives_way)
        self._clock = clock
        self._gate: LocalGate | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, gate: LocalGate) -> None:
        """Name the gate that others' closings close."""
        self._gate = gate

    async def __aenter__(self) -> Self:
        self._own(self._look_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._tasks)

    def publish(self, closed_for: timedelta) -> None:
        """Tell the others, behind the caller's back; a failure leaves them on their own."""
        self._own(self._publish(closed_for))

    async def look(self) -> None:
        """Close the local gate for as long as another process said."""
        try:
            left_ms = await cast("Awaitable[int]", self._redis.pttl(self._key))
        except (RedisError, OSError, TimeoutError):
            return  # the heartbeat tells of a lost Redis, once
        if left_ms > 0 and self._gate is not None:
            self._gate.close_until(self._clock.monotonic_us() + left_ms * 1000)

    async def _publish(self, closed_for: timedelta) -> None:
        try:
            await self._close(self._key, closed_for)
            if self._others_key is not None:
                lately = await self._redis.set(
                    f"{self._key}:throttled", b"1", px=_PRESSURE, get=True
                )
                if lately is not None:
                    await self._close(self._others_key, max(closed_for, _RELIEF))
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("other processes do not know of the throttling: %s", type(error).__name__)

    async def _close(self, key: str, closed_for: timedelta) -> None:
        milliseconds = max(closed_for // timedelta(milliseconds=1), 1)
        # A longer closing that stands must not be cut short.
        left_ms = await cast("Awaitable[int]", self._redis.pttl(key))
        if milliseconds > left_ms:
            await self._redis.set(key, b"1", px=milliseconds)

    async def _look_for_ever(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _key(name: str) -> str:
    return f"gate:{{{name}}}"
