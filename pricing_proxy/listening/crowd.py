"""Keep a listener's connections within bounds: how many there are, and how long they wait.

A connection is a stranger until a request on it was accepted: its key, token or signature was
right. When there are too many, the stranger that has asked for nothing for the longest time
gives way, so that whoever comes anew is heard: a caller with a key, or a health check. A part
of the places is never taken by known callers, for the same reason.

One sweep a second ends what waits too long, instead of a timer for each request. What was
closed is counted by its reason, and told in one log line a minute.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from pricing_proxy.background import Background

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
# Far above what one process serves at once; a connection costs some 50 KB.
MOST_CONNECTIONS = 10_000
# Longer than load balancers keep theirs (60 s as a rule, 240 s at most): who closes first
# risks that a request crosses the end of its connection.
IDLE_SECONDS = 300.0
# Of a small crowd a quarter, of a large one enough for a burst of health checks and new callers.
_NEWCOMERS_SHARE, _MOST_NEWCOMERS = 4, 64
_TELL_SECONDS = 60.0


class Reason(StrEnum):
    """Why a connection was closed by us."""

    IDLE = "idle"
    SLOW_HEAD = "slow_head"
    LONG_HEAD = "long_head"
    SLOW_BODY = "slow_body"
    UNREAD_ANSWER = "unread_answer"
    GAVE_WAY = "gave_way"


_WORDS: Mapping[str, str] = {
    Reason.IDLE: "idle",
    Reason.SLOW_HEAD: "with half a head",
    Reason.LONG_HEAD: "with too long a head",
    Reason.SLOW_BODY: "with half a body",
    Reason.UNREAD_ANSWER: "that did not read its answer",
    Reason.GAVE_WAY: "that gave way to a new one",
}


class Member(Protocol):
    """A connection, as the crowd sees it."""

    @property
    def heard_at(self) -> float:
        """When its last request came, on the loop's clock; before the first, its own start."""
        ...

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way on it."""
        ...

    def end_overdue(self, now: float, *, idle_seconds: float) -> Reason | None:
        """End what waits too long; return what did."""
        ...

    def give_way(self) -> None:
        """Close at once."""
        ...


class Crowd(Background):
    """The connections of one listener, swept between entering and leaving it.

    Args:
        name: The listener's, for logs and metrics.
        most: At most so many.
        idle_seconds: How long a connection may say nothing between two requests.
    """

    def __init__(
        self, name: str, *, most: int = MOST_CONNECTIONS, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.name = name
        self.most = most
        self._most_known = most - max(1, min(most // _NEWCOMERS_SHARE, _MOST_NEWCOMERS))
        self._idle_seconds = idle_seconds
        # Longest silent first.
        self._strangers: OrderedDict[Member, None] = OrderedDict()
        self._known: dict[Member, None] = {}
        self._closed: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._told_at = 0.0

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._strangers) + len(self._known)

    def members(self) -> tuple[Member, ...]:
        """All of them, strangers first."""
        return (*self._strangers, *self._known)

    @property
    def known(self) -> int:
        """How many of them had a request accepted."""
        return len(self._known)

    @property
    def reasons(self) -> Sequence[str]:
        """Every reason for which one may be closed."""
        return tuple(Reason)

    @property
    def closed(self) -> Mapping[str, int]:
        """How many were closed so far, by reason."""
        return self._closed

    def enter(self, member: Member) -> None:
        """Take a new connection; where there are too many, the longest silent stranger goes."""
        self._strangers[member] = None
        if self.size > self.most:
            self._send_away(next(iter(self._strangers)))

    def heard(self, stranger: Member) -> None:
        """Note that a request came from a stranger."""
        if stranger in self._strangers:
            self._strangers.move_to_end(stranger)

    def accept(self, member: Member) -> bool:
        """Note that a request was accepted; return whether its connection is known from now on.

        Where known callers have all their places, their longest silent connection goes; while
        each of them is busy, the new one stays where strangers are.
        """
        if member not in self._strangers:
            return False
        if len(self._known) >= self._most_known:
            at_rest = [each for each in self._known if each.is_at_rest]
            if not at_rest:
                return False
            self._send_away(min(at_rest, key=lambda each: each.heard_at))
        del self._strangers[member]
        self._known[member] = None
        return True

    def leave(self, member: Member) -> None:
        """Forget a connection that is closed."""
        self._strangers.pop(member, None)
        self._known.pop(member, None)

    def sweep(self, now: float) -> None:
        """End what waits too long, and tell of it once a minute."""
        for member in self.members():
            reason = member.end_overdue(now, idle_seconds=self._idle_seconds)
            if reason is not None:
                self._closed[reason] += 1
        if now - self._told_at >= _TELL_SECONDS and self._closed != self._told:
            self._tell(now)

    async def _for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(loop.time())

    def _send_away(self, member: Member) -> None:
        self._closed[Reason.GAVE_WAY] += 1
        self.leave(member)
        member.give_way()

    def _tell(self, now: float) -> None:
        fresh = self._closed - self._told
        parts = [f"{count} {_WORDS[reason]}" for reason, count in sorted(fresh.items())]
        _log.log(
            logging.INFO if fresh.keys() == {Reason.IDLE} else logging.WARNING,
            "%s listener: closed %s; %d of at most %d connections are open",
            self.name,
            ", ".join(parts),
            self.size,
            self.most,
        )
        self._told, self._told_at = self._closed.copy(), now
