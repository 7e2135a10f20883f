"""A breaker and a time limit around calls that need no queue: Redis.

A call goes at once or is refused at once. It ends in the answer, in an `UpstreamError` of
`send` or in `UpstreamTimeoutError`. Callers never probe; the probe does, run by a `Prober`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.resilience.breaker import Breaker, BreakerView
from pricing_proxy.resilience.breaker_events import Permit
from pricing_proxy.resilience.errors import (
    UpstreamReadOnlyError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.prober import Probe

T = TypeVar("T")


class BreakerGuard:
    """Calls one system while it is healthy, each within the same short time.

    Args:
        system: For errors.
        breaker: The system's.
        clock: Time.
        timeout_us: No call takes longer.
        failures: What `send` raises when the system did not answer, beside `UpstreamError`.
        is_refusal: Returns whether one of these is the answer that nothing is taken for now.
    """

    def __init__(
        self,
        *,
        system: str,
        breaker: Breaker,
        clock: Clock,
        timeout_us: int,
        failures: tuple[type[Exception], ...] = (),
        is_refusal: Callable[[Exception], bool] = lambda _: False,
    ) -> None:
        self._system = system
        self._breaker = breaker
        self._clock = clock
        self._timeout_us = timeout_us
        self._failures = failures
        self._is_refusal = is_refusal

    async def call(self, send: Callable[[], Awaitable[T]]) -> T:
        """Return what `send` returns.

        Raises:
            CallRefusedError: The breaker is not closed; nothing was sent.
            UpstreamTimeoutError: No answer came in time.
            UpstreamUnavailableError: It failed, as `failures` say.
            UpstreamReadOnlyError: It answered, and took nothing.
            UpstreamError: What `send` raised.
        """
        return await self._run(send, self._breaker.acquire(may_probe=False))

    def probe(self, ping: Callable[[], Awaitable[object]]) -> Probe:
        """Return `ping` as the probe that finds the system again."""
        return Probe(self._breaker, partial(self._probe, ping))

    def view(self) -> BreakerView:
        """Return what `/status` shows."""
        return self._breaker.view()

    async def _probe(self, ping: Callable[[], Awaitable[object]]) -> None:
        await self._run(ping, self._breaker.acquire(may_probe=True))

    async def _run(self, send: Callable[[], Awaitable[T]], permit: Permit) -> T:
        began_us = self._clock.monotonic_us()
        try:
            answer = await self._send_in_time(send)
        except BaseException as error:
            self._settle(permit, error, began_us)
            raise
        self._settle(permit, None, began_us)
        return answer

    async def _send_in_time(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timeout_us / MICROSECONDS_PER_SECOND):
                return await self._send(send)
        except TimeoutError as error:
            raise UpstreamTimeoutError("no answer in time", system=self._system) from error

    async def _send(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return await send()
        except self._failures as error:
            if self._is_refusal(error):
                raise UpstreamReadOnlyError(
                    f"{self._system} refuses writes", system=self._system
                ) from error
            raise UpstreamUnavailableError(
                f"{self._system} failed: {type(error).__name__}",
                system=self._system,
                is_connection_failure=True,
            ) from error

    def _settle(self, permit: Permit, error: BaseException | None, began_us: int) -> None:
        self._breaker.settle(permit, error, wire_us=self._clock.monotonic_us() - began_us)
