"""Read one market's ledger in the background, so that checking a page costs no Redis call.

What the reader has not read it does not vouch for: its lease counts from when the newest
answered read was *sent*, for whatever Redis had applied by then was in the answer; it counts
by whichever clock of the machine says more, as one that slept knows nothing. Each read
also asks for the entry it continues from. When that one is gone although it is too young to
have been trimmed, history was lost (a failover, a flush), and so it was when the reader was
away for longer than entries are kept. Then the reader appends a soft invalidation of all past
everything it knows, which every process obeys, and vouches for nothing until that stands.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.background import Background
from pricing_proxy.clock import Clock
from pricing_proxy.shared_state import ledger
from pricing_proxy.shared_state.ledger import LedgerEntry, ScopeKind
from pricing_proxy.sleep_watch import SleepWatch

_log = logging.getLogger(__name__)

# A read returns after this long even when nothing happened, well within the lease.
_BLOCK = timedelta(seconds=1)
# Entries of one read, which take a few milliseconds; a longer backlog is read in several.
_PAGE = 500
# What is known of Redis' clock may be wrong by this much.
_AHEAD_US = 1_000_000
# After a failed read; short against the lease, long enough to leave a lost Redis alone.
_PAUSE_SECONDS = 0.25


class _Instant(NamedTuple):
    """One moment on both clocks of the machine, in microseconds."""

    own_us: int
    wall_us: int


_NEVER = _Instant(-(2**62), -(2**62))


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What operators see of a ledger.

    Attributes:
        position: Everything up to it was read.
        lease_left_us: How long the newest read still vouches for prices, 0 when not any more.
    """

    position: int
    lease_left_us: int


class LedgerReader(Background):
    """Reads a market's ledger; an async context manager.

    Args:
        redis: A client whose time-outs are longer than a second, with a connection to spare.
        market: Whose ledger, in the log.
        provenance: What its prices are read from: which ledger.
        take: Is given every entry in order, with the monotonic instant at which it was appended.
        keep: How long a price may live: what is older need not be known.
        lease_us: How long a read vouches for what Redis had applied when it was sent.
        offset_us: Redis' clock minus the monotonic clock.
        clock: Time.
        watch: Is asked for sleep before a read vouches for anything again.
    """

    def __init__(
        self,
        redis: Redis,
        market: str,
        *,
        provenance: str,
        take: Callable[[LedgerEntry, int], None],
        keep: timedelta,
        lease_us: int,
        offset_us: Callable[[], int],
        clock: Clock,
        watch: SleepWatch,
    ) -> None:
        self._redis = redis
        self._market = market
        self._key = ledger.key(provenance)
        self._take = take
        self._keep_us = keep // timedelta(microseconds=1)
        self._keep_positions = ledger.positions_within(keep)
        self._lease_us = lease_us
        self._offset_us = offset_us
        self._clock = clock
        self._watch = watch
        self._position = 0
        self._has_started = False
        self._vouched_until = _NEVER
        self._is_lost = False
        self._is_stopping = False

    async def __aexit__(self, *_: object) -> None:
        self._is_stopping = True
        await super().__aexit__()

    def is_verified(self) -> bool:
        """Return whether the newest answered read was sent within the lease."""
        own_us, wall_us = self._vouched_until
        return self._clock.monotonic_us() < own_us and self._clock.wall_us() < wall_us

    def view(self) -> LedgerView:
        """Return where the reader is."""
        return LedgerView(self._position, max(self._left_us(), 0))

    async def _for_ever(self) -> None:
        while not self._is_stopping:
            try:
                await (self._read_on() if self._has_started else self._start())
            except (RedisError, OSError, TimeoutError) as error:
                if not self._is_lost:
                    text = "the ledger of market %s cannot be read (%s)"
                    _log.warning(text, self._market, type(error).__name__)
                self._is_lost = True
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:
                # What was read may be half taken: the next run begins anew.
                self._vouched_until, self._has_started, self._is_lost = _NEVER, False, True
                raise

    async def _start(self) -> None:
        """Read what may concern any price that lives: all that stands, which is trimmed by age."""
        newest = await self._edge(self._redis.xrevrange(self._key, count=1))
        oldest = await self._edge(self._redis.xrange(self._key, count=1))
        if newest is None or oldest is None:
            await self._begin_anew("begins: nothing is known of before")
            return
        self._position = 0
        is_old = oldest.position <= newest.position - self._keep_positions
        # Ids that are ahead were given out, and trimmed by, before the clock stepped back.
        is_covered = is_old and not self._is_ahead(newest.position)
        while True:
            sent = self._now()
            entries = await self._entries_after(self._position, wait=False)
            is_covered |= self._take_all(entries, is_live=False)
            if len(entries) < _PAGE:
                break
        if not is_covered:
            # Every ledger begins with an entry about all: what stood before this one is gone.
            await self._begin_anew("begins too late: older entries are gone")
            return
        self._has_started = True
        self._vouch(sent)

    async def _read_on(self) -> None:
        """Wait for news for a second at most, and vouch for what was known when asked."""
        known, sent = self._position, self._now()
        entries = await self._entries_after(known, wait=True)
        # Obeyed at once; whether history is whole only decides what can be vouched for.
        is_covered = self._take_all(entries, is_live=True)
        here = await self._edge(self._redis.xrange(self._key, min=ledger.id_of(known), count=1))
        is_whole = here is not None and here.position == known
        if not (is_whole or is_covered or self._was_trimmed(known)):
            await self._begin_anew("lost entries")
        elif len(entries) < _PAGE:
            self._vouch(sent)

    def _was_trimmed(self, known: int) -> bool:
        """Return whether the entry was old enough to go, and nothing else can have gone unread."""
        was_here = self._lease_us - self._left_us() < self._keep_us
        return was_here and self._position - known >= self._keep_positions

    async def _begin_anew(self, reason: str) -> None:
        """Invalidate the market past all that is known here, then read it from the start."""
        self._vouched_until, self._has_started = _NEVER, False
        _log.warning("the ledger of market %s %s; all its prices are soft", self._market, reason)
        await ledger.append_beginning(self._redis, self._key, after=self._position, reason=reason)

    def _is_ahead(self, position: int) -> bool:
        """Return whether Redis gave it out at a later time than it is there."""
        shared_us = self._clock.monotonic_us() + self._offset_us()
        return ledger.milliseconds_of(position) * 1000 > shared_us + _AHEAD_US

    def _take_all(self, entries: Sequence[LedgerEntry], *, is_live: bool) -> bool:
        """Pass entries on; return whether one was about all, and so about what may be lost."""
        now_us = self._clock.monotonic_us()
        for entry in entries:
            appended_us = ledger.milliseconds_of(entry.position) * 1000 - self._offset_us()
            # What was waited for is new, whatever the clocks say; the rest is as old as its id.
            self._take(entry, now_us if is_live else min(appended_us, now_us))
            self._position = entry.position
        return any(entry.scope.kind is ScopeKind.ALL for entry in entries)

    def _now(self) -> _Instant:
        return _Instant(self._clock.monotonic_us(), self._clock.wall_us())

    def _left_us(self) -> int:
        """Return how long the newest read still vouches for prices; negative when not any more."""
        now, until = self._now(), self._vouched_until
        return min(until.own_us - now.own_us, until.wall_us - now.wall_us)

    def _vouch(self, sent: _Instant) -> None:
        # Whoever slept has prices that are older than they seem: said before they are verified.
        self._watch.look()
        self._vouched_until = _Instant(sent.own_us + self._lease_us, sent.wall_us + self._lease_us)
        if self._is_lost:
            _log.info("the ledger of market %s is read again", self._market)
        self._is_lost = False

    async def _entries_after(self, position: int, *, wait: bool) -> list[LedgerEntry]:
        block_ms = _BLOCK // timedelta(milliseconds=1) if wait else None
        after = {self._key: ledger.id_of(position)}
        answer = await self._redis.xread(cast("Any", after), count=_PAGE, block=block_ms)
        return [ledger.decode(*row) for row in answer[0][1]] if answer else []

    async def _edge(self, asked: Awaitable[Any]) -> LedgerEntry | None:
        rows = await asked
        return ledger.decode(*rows[0]) if rows else None
