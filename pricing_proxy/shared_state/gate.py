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

from pricing_proxy.clock import Clock

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


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
    """

    def __init__(self, redis: Redis, name: str, *, clock: Clock) -> None:
        self._redis = redis
        self._key = f"gate:{{{name}}}"
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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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
        milliseconds = max(closed_for // timedelta(milliseconds=1), 1)
        try:
            # A longer closing that stands must not be cut short.
            left_ms = await cast("Awaitable[int]", self._redis.pttl(self._key))
            if milliseconds > left_ms:
                await self._redis.set(self._key, b"1", px=milliseconds)
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("other processes do not know of the throttling: %s", type(error).__name__)

    async def _look_for_ever(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
