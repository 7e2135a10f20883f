"""Which lines rest because a system answers nobody, in this process.

A line is a flow in a market. While its system is away, each of its events would only fail, and a
night's backlog would be tried over and over: so the line rests, and a handful is let out each
time a rest is over, the most urgent first. As soon as one of them ends otherwise, the line runs
again. Events keep their place and their attempts; rests are short, so that carrying begins soon
after the system is back.

    several attempts in a row failed for a system's sake     rest: a second, doubling to eight
    our own breaker or gate refused one                      the same, at once
    an attempt ended in any other way                        no rest

Said in the log once when a system is lost and once when it is back. Pure but for the clock and
the log.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US

_log = logging.getLogger(__name__)

# One in a stream that is carried otherwise says nothing; so many in a row do.
_ROW = 5
_FIRST_REST_US, _LONGEST_REST_US = SECOND_US, 8 * SECOND_US
# As many as one line usually carries at once: a few that fail for their own sake hide nobody.
_HANDFUL = 8
# Of events whose failures are remembered; forgotten ones begin anew.
_MOST_EVENTS = 20_000


@dataclass(frozen=True, slots=True)
class Failures:
    """How an event fared before, for the sake of a system.

    Attributes:
        times: Failures in a row, this one included; of those alone where it is one.
        are_others_carried: Whether it failed alone: its line has carried others since it failed
            last, and nobody but it has failed since.
    """

    times: int
    are_others_carried: bool


NO_FAILURES = Failures(1, are_others_carried=False)


@dataclass(slots=True)
class _Line:
    """A line.

    Attributes:
        row: Failures without another end in between.
        carried_us: When it last carried an event.
        rest_us: How long its rests are; 0 when it runs.
        until_us: When this one is over.
        left: How many may begin then.
    """

    row: int = 0
    carried_us: int | None = None
    rest_us: int = 0
    until_us: int = 0
    left: int = 0

    def rest(self, now_us: int) -> None:
        """Begin a rest, a longer one than before."""
        self.rest_us = min(2 * self.rest_us or _FIRST_REST_US, _LONGEST_REST_US)
        self.until_us = now_us + self.rest_us
        self.left = _HANDFUL


@dataclass(slots=True)
class _Event:
    """An event that failed: how often in a row, how often of that alone, and when last."""

    times: int = 0
    alone: int = 0
    failed_us: int | None = None


@dataclass(slots=True)
class _Lost:
    """A system that is lost."""

    since_us: int
    lines: set[str] = field(default_factory=set)


class Outages:
    """The lines of one process.

    Args:
        now_us: The monotonic clock.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lines: dict[str, _Line] = {}
        self._events: OrderedDict[int, _Event] = OrderedDict()
        self._lost: dict[str, _Lost] = {}

    def failed(self, line: str, event_id: int) -> Failures:
        """Note that an attempt failed for the sake of a system, or perhaps so."""
        now_us, of = self._now_us(), self._line(line)
        event = self._events.setdefault(event_id, _Event())
        self._events.move_to_end(event_id)
        if len(self._events) > _MOST_EVENTS:
            self._events.popitem(last=False)
        since, event.failed_us = event.failed_us, now_us
        is_alone = not of.row and since is not None and (of.carried_us or 0) > since
        event.times += 1
        event.alone += is_alone
        of.row += 1
        if of.row >= _ROW:
            self._rest(of)
        return Failures(event.alone if is_alone else event.times, are_others_carried=is_alone)

    def refused(self, line: str) -> None:
        """Note that a call was not sent, since its system is known to be away."""
        self._rest(self._line(line))

    def ended(self, line: str, event_id: int, *, is_carried: bool) -> None:
        """Note that an attempt ended without blame on any system."""
        of = self._line(line)
        of.row = of.rest_us = 0
        self._events.pop(event_id, None)
        if is_carried:
            of.carried_us = self._now_us()
            self._note_back(line)

    def may_begin(self, line: str) -> bool:
        """Return whether an event of a line may be begun now."""
        of = self._lines.get(line)
        return of is None or not of.rest_us or self._now_us() >= of.until_us

    def begun(self, line: str) -> None:
        """Note that one was: a handful may, then the next rest begins."""
        of = self._lines.get(line)
        if of is None or not of.rest_us:
            return
        of.left -= 1
        if of.left <= 0:
            of.rest(self._now_us())

    def lost(self, system: str, line: str, cause: str) -> None:
        """Note, and say once, that a system takes nothing of a line."""
        if (known := self._lost.get(system)) is None:
            self._lost[system] = known = _Lost(self._now_us())
            _log.warning("%s is lost, and what is for it waits: %s", system, cause)
        known.lines.add(line)

    def _note_back(self, line: str) -> None:
        for system, known in tuple(self._lost.items()):
            if line in known.lines:
                del self._lost[system]
                seconds = (self._now_us() - known.since_us) / SECOND_US
                _log.warning("%s is back after %.0f s", system, seconds)

    def _rest(self, of: _Line) -> None:
        # One that rests already goes on by itself: from handful to handful.
        if not of.rest_us:
            of.rest(self._now_us())

    def _line(self, name: str) -> _Line:
        return self._lines.setdefault(name, _Line())
