"""Redis' pulse: its clock, asked each second in the background; no request ever waits for it.

Whoever sees that the clock is another one, because it moved against our own or because
another server answers, begins a new epoch of it and says so in Redis: prices that were kept
before are stale then, for everybody, until they are read again (`shared_time`). The same where
nobody can tell how the clock went, as nobody watched it. Several may begin one each; the last
stays. An epoch that Redis does not take is ours alone until it does.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple, Self, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from pricing_proxy.background import Background
from pricing_proxy.cache.shared_time import UNKNOWN_EPOCH, UNSEEN_US, SharedTime
from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.sleep_watch import SleepWatch

_log = logging.getLogger(__name__)

_BEAT = timedelta(seconds=1)
# On the node whose clock counts, in a Cluster as well (`shared_state.cluster`).
_KEY = "clock:{clock}"
_EPOCH, _SEEN, _SERVER = "epoch", "seen_us", "server"
# Clocks that are being adjusted are slewed by so much at most (adjtime, chrony and ntpd alike):
# half a millisecond in a second. What moves faster is stepped, and many small steps are a large
# one, so what slewing does not explain is added up.
_SLEWED_PARTS = 2000
# An answer that took longer says too little of when the clock was read: half of it is the error,
# and two such errors are no step.
_SLOW_US = MICROSECONDS_PER_SECOND
# A few beats of any process; what the clock did while nobody looked for longer is unknown.
_UNWATCHED_US = 10 * MICROSECONDS_PER_SECOND
# A step makes each process begin an epoch; prices of those long before are gone by now.
_MOST_OFFSETS = 64


class _Reading(NamedTuple):
    """What one beat brought.

    Attributes:
        epoch: That stands in Redis; None where none does.
        seen_us: Redis' clock when any process last read it; None as before.
        known_server: Which server it was of.
        server: Which one answers now; empty where it may not be asked.
        shared_us: Redis' clock.
        offset_us: The same minus the monotonic clock.
    """

    epoch: int | None
    seen_us: int | None
    known_server: str
    server: str
    shared_us: int
    offset_us: int


class RedisHeartbeat(Background):
    """Reads Redis' clock each second; an async context manager.

    Args:
        redis: A client with a short time-out of its own.
        clock: Time.
        watch: Notices sleep, during which an answer tells nothing.
        on_doubt: Is called when the clock went forward against our own: either it was set, or
            our own clocks stood still and ages in this process are wrong.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        clock: Clock,
        watch: SleepWatch,
        on_doubt: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._watch = watch
        self._on_doubt = on_doubt
        self._was_answered: bool | None = None
        # Until Redis was heard of, the wall clock stands in.
        self._offset_us = clock.wall_us() - clock.monotonic_us()
        # What the offset would be if no step had ever been too small to be noticed.
        self._steady_us, self._steady_at_us = self._offset_us, clock.monotonic_us()
        self._epoch = UNKNOWN_EPOCH
        self._is_said = False
        self._is_doubted = True
        # Of sleep that the offset is not known to have grown by yet.
        self._slept_us = 0
        self._before: dict[int, int] = {}
        self._server: str | None = None

    async def __aenter__(self) -> Self:
        await self.beat()
        return await super().__aenter__()

    def time(self) -> SharedTime:
        """Return what is known of Redis' clock, and nothing of it by somebody who just woke."""
        self._watch.look()
        epoch = UNKNOWN_EPOCH if self._is_doubted else self._epoch
        return SharedTime(self._offset_us, epoch, self._before)

    def shared_us(self) -> int:
        """Return Redis' clock in microseconds, as far as known."""
        return self._clock.monotonic_us() + self._offset_us

    def doubt(self, *, slept_us: int) -> None:
        """Believe no age out of Redis until its clock was read again: we have slept.

        Args:
            slept_us: For how long our own clock stood still, by the machine's other one.
        """
        self._is_doubted = True
        self._slept_us += slept_us

    async def beat(self) -> None:
        """Ask once; log when Redis is lost, when it is back, and when its clock is another."""
        try:
            reading = await self._read()
            if reading is not None:
                await self._obey(reading)
        except (RedisError, OSError, TimeoutError) as error:
            if self._was_answered is not False:
                # What it refuses, such as a key that its access list forbids, it has answered.
                what = "refuses" if isinstance(error, ResponseError) else "does not answer"
                _log.warning("Redis %s (%s)", what, type(error).__name__)
            self._was_answered = False
            return
        if self._was_answered is False:
            _log.info("Redis answers again")
        self._was_answered = True

    async def _read(self) -> _Reading | None:
        """Return what Redis says; None when it is too uncertain of when."""
        slept_us = self._watch.slept_us()
        asked = self._redis.hmget(_KEY, [_EPOCH, _SEEN, _SERVER])
        epoch, seen_us, known_server = await cast("Awaitable[list[bytes | None]]", asked)
        server = await self._answering_server()
        sent_us = self._clock.monotonic_us()
        seconds, microseconds = await self._redis.time()
        took_us = self._clock.monotonic_us() - sent_us
        if self._watch.slept_us() != slept_us or took_us > _SLOW_US:
            return None
        shared_us = seconds * MICROSECONDS_PER_SECOND + microseconds
        return _Reading(
            epoch=_number(epoch),
            seen_us=_number(seen_us),
            known_server=(known_server or b"").decode(),
            server=server,
            shared_us=shared_us,
            # Half the round trip is the best guess of when the clock was read.
            offset_us=shared_us - (sent_us + took_us // 2),
        )

    async def _answering_server(self) -> str:
        try:
            answer = await cast("Awaitable[dict[str, object]]", self._redis.info("server"))
        except ResponseError:
            return ""  # not allowed to: then only its clock can tell
        return str(answer.get("run_id", ""))

    async def _obey(self, reading: _Reading) -> None:
        moved_us = self._moved(reading)
        change, is_start = self._change(reading, moved_us), self._server is None
        if change is not None:
            level = logging.INFO if is_start else logging.WARNING
            text = "Redis' clock %s: kept prices are stale until they are read again"
            _log.log(level, text, change)
            if not is_start and moved_us > UNSEEN_US:
                self._on_doubt()
        before = self._epoch
        if change is not None or (is_start and reading.epoch is None):
            self._leave()
            self._epoch, self._is_said = secrets.randbits(32) or 1, False
        elif reading.epoch is not None and (is_start or self._is_said):
            # Somebody else may have seen a change that was none to us, or one more.
            if reading.epoch != self._epoch:
                self._leave()
            self._epoch, self._is_said = reading.epoch, True
        else:
            self._is_said = self._is_said and reading.epoch is not None
        if self._epoch != before:
            self._steady_us = reading.offset_us
        self._offset_us, self._server, self._is_doubted = reading.offset_us, reading.server, False
        await self._say(reading)

    def _moved(self, reading: _Reading) -> int:
        """Return by how much the clock was stepped since the epoch began, slewing apart.

        While we sleep our own clock stands still, and the offset grows by so much. What the sleep
        does not explain was stepped meanwhile, or shortly before.
        """
        now_us, slept_us, self._slept_us = self._clock.monotonic_us(), self._slept_us, 0
        slewed_us = (now_us - self._steady_at_us + slept_us) // _SLEWED_PARTS
        self._steady_us += slept_us
        moved_us = reading.offset_us - self._steady_us
        if self._server is None:
            self._steady_us = reading.offset_us
        else:
            self._steady_us += min(max(moved_us, -slewed_us), slewed_us)
        self._steady_at_us = now_us
        return reading.offset_us - self._steady_us

    def _change(self, reading: _Reading, moved_us: int) -> str | None:
        """Return how the clock changed, None when it did not as far as anybody knows."""
        if self._server is None:
            return _change_before(reading)
        if abs(moved_us) > UNSEEN_US:
            way = "back" if moved_us < 0 else "forward"
            return f"stepped {way} by {abs(moved_us) / MICROSECONDS_PER_SECOND:.1f} s"
        if reading.server != self._server:
            return "is another server's"
        # After a failover that lost the word of it, or from somebody who has not noticed yet.
        is_taken_back = self._is_said and reading.epoch in self._before
        return "is told of as before a change" if is_taken_back else None

    def _leave(self) -> None:
        """Remember what the epoch that ends was like."""
        if self._epoch != UNKNOWN_EPOCH:
            self._before[self._epoch] = self._offset_us
        if len(self._before) > _MOST_OFFSETS:
            del self._before[next(iter(self._before))]

    async def _say(self, reading: _Reading) -> None:
        """Tell the other processes; what Redis refuses is told with the next beat."""
        seen = {_SEEN: str(reading.shared_us), _SERVER: reading.server}
        try:
            if not self._is_said and reading.epoch is None:
                await self._say_first()
            elif not self._is_said:
                seen[_EPOCH] = str(self._epoch)
            await cast("Awaitable[int]", self._redis.hset(_KEY, mapping=cast("Any", seen)))
        except ResponseError:
            return
        self._is_said = True

    async def _say_first(self) -> None:
        """Say the epoch where none stands, or take the one that another process says right now."""
        if not await cast("Awaitable[int]", self._redis.hsetnx(_KEY, _EPOCH, str(self._epoch))):
            (epoch,) = await cast("Awaitable[list[bytes]]", self._redis.hmget(_KEY, [_EPOCH]))
            self._epoch = int(epoch)

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(_BEAT.total_seconds())
            await self.beat()


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() else None


def _change_before(reading: _Reading) -> str | None:
    """Return how the clock changed since any other process watched it."""
    if reading.epoch is None or reading.seen_us is None:
        return None
    ahead_us = reading.shared_us - reading.seen_us
    if ahead_us < -UNSEEN_US:
        return f"is {-ahead_us / MICROSECONDS_PER_SECOND:.1f} s behind what was seen of it"
    if ahead_us > _UNWATCHED_US:
        return f"was watched by nobody for {ahead_us / MICROSECONDS_PER_SECOND:.0f} s"
    return "is another server's" if reading.server != reading.known_server else None
