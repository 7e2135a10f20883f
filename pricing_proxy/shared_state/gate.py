"""Tell the other processes that a system throttled one of us: their calls count against us all.

Each gate has one key that lives as long as the gate is to stay closed: an app's at the ERP,
the same app's at the issuer of its tokens, the sync's at the shop. Processes publish their
own closings and look for others' each second, never on a request's way. An operator's word
that a gate is to be opened is a key too, which every process obeys once.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol, Self, cast

from redis.asyncio import Redis

from pricing_proxy.background import Background
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.addresses import in_one_spelling
from pricing_proxy.configuration.entra_apps import AppKind
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.gate_state import GateSettings
from pricing_proxy.resilience.retry_after import LONGEST_WAIT
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.supervision import Supervision

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
# Two throttlings of the pricing app this close show an ERP under pressure: the sync, which
# nobody waits for, leaves it to the shop for as long as Microsoft's own fallback.
_PRESSURE = timedelta(seconds=10)
_RELIEF = timedelta(seconds=30)
_LONGEST_MS = LONGEST_WAIT // timedelta(milliseconds=1)
# Every process that runs looks within seconds; one that starts later begins with an open gate.
_TOLD_FOR = timedelta(hours=1)
# So long an operator's word is owed that Redis did not take: what it is about has ended by then.
_OWED_US = LONGEST_WAIT // timedelta(microseconds=1)


def app_gate(url: str, app: AppKind) -> str:
    """Return the name of the gate of one of our apps at the environment of that address."""
    return f"{in_one_spelling(url)}|{app}"


def tokens_of(app: str) -> str:
    """Return the name of the gate before the issuer of an app's tokens."""
    return f"{app}|tokens"


def shop_gate(url: str) -> str:
    """Return the name of the gate of the sync at the shop of that address."""
    return f"{in_one_spelling(url)}|shop"


@dataclass(frozen=True, slots=True)
class Gates:
    """Opens the gates of one process.

    Attributes:
        redis: Where processes and operators say what they know.
        clock: Time.
        supervision: The program's; None where nobody looks.
    """

    redis: Redis
    clock: Clock
    supervision: Supervision | None = None

    @asynccontextmanager
    async def gate(
        self,
        shared_name: str,
        *,
        system: str,
        name: str,
        settings: GateSettings | None = None,
        gives_way: str | None = None,
    ) -> AsyncIterator[tuple[Gate, "SharedGate"]]:
        """Yield a gate that obeys what others say, and what opens it everywhere.

        Args:
            shared_name: Under which name they say it.
            system: For errors.
            name: For logs and views.
            settings: Waits and ramp.
            gives_way: See `SharedGate`.
        """
        shared = SharedGate(self.redis, shared_name, clock=self.clock, gives_way=gives_way)
        gate = Gate(
            system=system,
            name=name,
            clock=self.clock,
            chance=random.random,
            on_closed=shared.publish,
            settings=settings,
        )
        shared.attach(gate)
        async with shared.watched(self.supervision, f"gate {name}"):
            yield gate, shared


class LocalGate(Protocol):
    """A process' own gate."""

    def close_until(self, until_us: int) -> bool:
        """Close until then, at least."""
        ...

    def open(self) -> None:
        """End a closing."""
        ...


async def closed_gates(redis: Redis, names: Iterable[str]) -> Mapping[str, timedelta]:
    """Return for how long each gate that is closed stays so, as processes told each other.

    Raises:
        SharedStateError: Redis did not answer.
    """
    closed = {}
    try:
        for name in names:
            left_ms = await cast("Awaitable[int]", redis.pttl(_key(name)))
            if left_ms > 0:
                closed[name] = timedelta(milliseconds=left_ms)
    except REDIS_FAILURES as error:
        raise SharedStateError(type(error).__name__) from error
    return closed


class SharedGate(Background):
    """Carries closings of one gate between processes; an async context manager.

    Args:
        redis: A client.
        name: Which gate.
        clock: Time.
        gives_way: The app whose gate closes too when this one's is throttled twice within ten
            seconds, by whichever processes; None for no other.
    """

    def __init__(
        self, redis: Redis, name: str, *, clock: Clock, gives_way: str | None = None
    ) -> None:
        self._redis = redis
        self._key = _key(name)
        self._opened_key = f"{self._key}:opened"
        self._others_key = None if gives_way is None else _key(gives_way)
        self._clock = clock
        self._gate: LocalGate | None = None
        self._has_looked = False
        self._opened: bytes | None = None
        self._owed_until_us = 0

    def attach(self, gate: LocalGate) -> None:
        """Name the gate that others' closings close."""
        self._gate = gate

    async def __aenter__(self) -> Self:
        # What was said before is known before the first call, unless Redis is slow or away.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self.look()
        return await super().__aenter__()

    def publish(self, closed_for: timedelta) -> None:
        """Tell the others, behind the caller's back; a failure leaves them on their own."""
        # Newer than what an operator said before.
        self._owed_until_us = 0
        self._do(partial(self._publish, closed_for))

    async def open(self) -> None:
        """Open the gate here and, through Redis, in every process.

        Raises:
            SharedStateError: Redis did not confirm it: other processes may stay closed until it
                answers again, or this process is throttled anew.
        """
        if self._gate is not None:
            self._gate.open()
        # Else what Redis still holds would close the gate again as soon as it is back.
        self._owed_until_us = self._clock.monotonic_us() + _OWED_US
        try:
            await self._say_opened()
        except REDIS_FAILURES as error:
            raise SharedStateError(type(error).__name__) from error

    async def look(self) -> None:
        """Do with the local gate what other processes and operators said."""
        try:
            if self._clock.monotonic_us() < self._owed_until_us:
                await self._say_opened()
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.get(self._opened_key)
                pipe.pttl(self._key)
                opened, left_ms = await pipe.execute()
            if left_ms > _LONGEST_MS:
                # Written by a version that obeyed any wish; nobody else would ever cut it.
                await self._redis.pexpire(self._key, _LONGEST_MS)
        except REDIS_FAILURES:
            return  # the heartbeat tells of a lost Redis, once
        self._obey(opened, min(left_ms, _LONGEST_MS))

    async def _say_opened(self) -> None:
        await cast("Awaitable[int]", self._redis.delete(self._key))
        await self._redis.set(self._opened_key, secrets.token_bytes(8), ex=_TOLD_FOR)
        self._owed_until_us = 0

    def _obey(self, opened: bytes | None, left_ms: int) -> None:
        is_news = self._has_looked and opened not in (None, self._opened)
        self._has_looked, self._opened = True, opened
        if self._gate is None:
            return
        if is_news:
            self._gate.open()
        if left_ms > 0:
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
        except REDIS_FAILURES as error:
            _log.warning("other processes do not know of the throttling: %s", type(error).__name__)

    async def _close(self, key: str, closed_for: timedelta) -> None:
        milliseconds = min(max(closed_for // timedelta(milliseconds=1), 1), _LONGEST_MS)
        # A longer closing that stands must not be cut short.
        left_ms = await cast("Awaitable[int]", self._redis.pttl(key))
        if milliseconds > left_ms:
            await self._redis.set(key, b"1", px=milliseconds)

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()


def _key(name: str) -> str:
    return f"gate:{{{name}}}"
