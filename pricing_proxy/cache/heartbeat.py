"""Redis' pulse: its clock, asked each second in the background; no request ever waits for it."""

import asyncio
import logging
from datetime import timedelta
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.background import Background
from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock

_log = logging.getLogger(__name__)

_BEAT = timedelta(seconds=1)


class RedisHeartbeat(Background):
    """Reads Redis' clock each second; an async context manager.

    Args:
        redis: A client with a short time-out of its own.
        clock: Time.
    """

    def __init__(self, redis: Redis, *, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._was_answered: bool | None = None
        # Until Redis was heard of, the wall clock stands in.
        wall_us = round(clock.utc().timestamp() * MICROSECONDS_PER_SECOND)
        self._offset_us = wall_us - clock.monotonic_us()

    async def __aenter__(self) -> Self:
        await self.beat()
        return await super().__aenter__()

    @property
    def offset_us(self) -> int:
        """Redis' clock minus this process' monotonic clock."""
        return self._offset_us

    def shared_us(self) -> int:
        """Return Redis' clock in microseconds, as far as known."""
        return self._clock.monotonic_us() + self._offset_us

    async def beat(self) -> None:
        """Ask once; log when Redis is lost and when it is back."""
        sent_us = self._clock.monotonic_us()
        try:
            seconds, microseconds = await self._redis.time()
        except (RedisError, OSError, TimeoutError) as error:
            if self._was_answered is not False:
                _log.warning("Redis does not answer (%s)", type(error).__name__)
            self._was_answered = False
            return
        # Half the round trip is the best guess of when the clock was read.
        middle_us = (sent_us + self._clock.monotonic_us()) // 2
        self._offset_us = seconds * MICROSECONDS_PER_SECOND + microseconds - middle_us
        if self._was_answered is False:
            _log.info("Redis answers again")
        self._was_answered = True

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(_BEAT.total_seconds())
            await self.beat()
