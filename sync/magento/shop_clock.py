"""The shop's clock, by the dates of its answers.

The instants of its rows are its own, and a signature that is stamped more than ten minutes ahead
of its clock is refused; so what is read of it, and how requests are stamped, goes by this. An
answer that is no JSON is a gateway's, whose clock is another one.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.http_replies import Reply
from sync.engine.windows import ClockReading

# A date leaves out what is less.
_SECOND = timedelta(seconds=1)


class ShopClock:
    """What the shop's clock shows; ours, as long as it has not told.

    Args:
        clock: Ours.

    Attributes:
        last: What was heard last; None for nothing yet.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.last: ClockReading | None = None

    @property
    def seconds(self) -> int:
        """Seconds since 1970 by the shop's clock, at the least."""
        now_us = self._clock.wall_us()
        if self.last is not None:
            now_us += (self.last.least - self.last.at) // timedelta(microseconds=1)
        return now_us // MICROSECONDS_PER_SECOND

    def hear(self, reply: Reply, *, took: timedelta) -> None:
        """Take in an answer's date.

        Args:
            reply: The answer, which has just come.
            took: The time since its request was sent.
        """
        told = _date_of(reply)
        if told is not None:
            sent_at = self._clock.utc() - took
            self.last = ClockReading(sent_at, told - took, told + _SECOND)


def _date_of(reply: Reply) -> datetime | None:
    if "json" not in reply.headers.get("Content-Type", ""):
        return None
    try:
        date = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return None
    return date if date.tzinfo is not None else None
