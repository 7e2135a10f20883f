"""How far a source was read, by the clock of the system that dates its rows.

Rows become visible late, up to `overlap` after they were dated. So each is asked for twice at
the most: soon, and once more when nothing dated like it can still come.

    ... settled ........ fresh ........... the shop's clock ....... dates ahead of it ...
    read for good   read once          to be read now,        read once, and known by id
                                       but for rows known by id

The dates hang on the shop's own clock, which each answer tells, and never on the newest row:

    row that is dated ahead      read, known by its id, and moves nothing
    clock that is set forward    what was dated before and is still to come is waited for
    clock that is set back       dates that come again are read again, from where they can begin;
                                 dates that lie ahead again are left until their time comes
    many rows of one second      beyond what a request can name by id, the second is not asked
                                 for again until it is settled

Which dates can still come is judged by the readings of the last `overlap`: between two of them
the clock ran on from the first, or was set at once and ran on to the second, whichever is
earlier. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from sync.engine.windows import ClockReading, Left, Window

# Ids that one request can name beside its other conditions: web servers cut a line at 8 kB.
MOST_KNOWN = 50
# Most rows that become visible late do so within it: the transaction of an order takes a second
# or two, and whoever ordered should not wait until its second is settled.
_SOON = timedelta(seconds=5)
# Rows are dated by another machine than the one that tells the time, a moment apart from it.
_APART = timedelta(seconds=3)
_EDGE = _SOON + _APART
# What the clock seems to be set back by may be the way of an answer; what is dated so little
# before is found when it is settled.
_SMALL_STEP = timedelta(seconds=10)
# Of what is this far behind, the newest is read first.
_BEHIND = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)
# Two clocks run apart by less than this share of the time.
_DRIFT = 0.001
# What is not one line is not taken for one.
_STEADY = timedelta(seconds=2)


class Reach(BaseModel):
    """How far a source was read.

    Attributes:
        settled: Whatever is dated before it was read when nothing of it could still come.
        fresh: Whatever is dated before it was read, but for what became visible very late.
        known: Rows dated since then that were read, and how they were dated.
        lived: Up to here dates were read before the shop's clock was set back; None where that
            is past.
        readings: Of the shop's clock, the oldest first.
    """

    model_config = ConfigDict(frozen=True)

    settled: datetime
    fresh: datetime
    known: Mapping[int, datetime] = {}
    lived: datetime | None = None
    readings: tuple[ClockReading, ...] = ()

    @classmethod
    def beginning(cls, at: datetime) -> "Reach":
        """Return the reach of a source of which nothing was read."""
        at = _second(at)
        return cls(settled=at, fresh=at)

    def plan(self, now: datetime, *, overlap: timedelta) -> Sequence[Window]:
        """Return what to ask for, in this order.

        One window, where not much was missed; else first what is fresh, then what came before,
        of which any number of rows may be read.
        """
        settles = self._settles(now, overlap)
        left = tuple(self._left(now, settles))
        if settles - self.settled > _BEHIND:
            fresh = Window(since=max(self.fresh, settles), settles_before=settles, left=left)
            return fresh, Window(since=self.settled, until=settles, settles_before=settles)
        skipped = (settles, self.fresh) if settles < self.fresh else None
        whole = Window(since=self.settled, skipped=skipped, settles_before=settles, left=left)
        return (whole,)

    def rewound(self, reading: ClockReading, *, overlap: timedelta) -> "Reach | None":
        """Return from where to look again, as the shop's clock was set back; None if it was not."""
        reading = self._agreed(reading)
        if not self.readings:
            # Where it begins was said by our clock.
            begins = self.settled + (reading.least - reading.at)
            latest = reading.least - overlap
            return None if self.settled <= latest else Reach.beginning(min(begins, latest))
        last, readings = self.readings[-1].at, (*self.readings, reading)
        # Later ones are from before our own clock was set back.
        readings = tuple(one for one in readings if one.at <= reading.at)
        visible, dated = _lowest(readings, last - overlap), _lowest(readings, last)
        if visible >= self.settled and dated >= self.fresh - _SMALL_STEP:
            return None
        lived = max(self.fresh - _SECOND, self.lived or self.fresh - _SECOND)
        return Reach(
            settled=_second(min(self.settled, visible, reading.least - overlap)),
            fresh=_second(min(self.fresh, dated)),
            known={row: at for row, at in self.known.items() if at > lived},
            lived=lived,
            readings=_with(self.readings, reading, overlap),
        )

    def settled_to(self, at: datetime, *, overlap: timedelta) -> "Reach":
        """Return the reach once all that is dated before was read, of what settles now."""
        latest = min([at, *(last.least - overlap for last in self.readings[-1:])])
        return self.model_copy(update={"settled": max(self.settled, _second(latest))})

    def after(
        self,
        window: Window,
        reading: ClockReading,
        read: Mapping[int, datetime],
        *,
        overlap: timedelta,
        upto: datetime | None = None,
    ) -> "Reach":
        """Return the reach once a window that has no end was read.

        Args:
            window: What was asked for.
            reading: The shop's clock, of the last answer.
            read: How the rows were dated that were read.
            overlap: How late rows become visible.
            upto: Before which date all were read; None for all of the window.
        """
        reading = self._agreed(reading)
        readings = _with(self.readings, reading, overlap)
        end = reading.least if upto is None else min(reading.least, upto)
        settles = window.settles_before or end
        settled = self.settled if window.since > self.settled else settles
        latest = min(settled, end, reading.least - overlap, _lowest(readings, reading.at - overlap))
        settled = max(self.settled, _second(latest))
        fresh = max(self.fresh, settled, _second(end - _SOON))
        newest = self._with_known({**self.known, **read}, fresh=fresh)
        return newest.model_copy(update={"settled": settled, "readings": readings})

    def _with_known(self, known: Mapping[int, datetime], *, fresh: datetime) -> "Reach":
        """Return the reach that is fresh up to a date, with as many known rows as it can name."""
        edge = {row: at for row, at in known.items() if fresh <= at <= fresh + _EDGE}
        if len(edge) > MOST_KNOWN:
            fresh = max(edge.values()) + _SECOND
            edge = {}
        ahead = {row: at for row, at in known.items() if at > fresh + _EDGE}
        lived = self.lived
        if len(ahead) > MOST_KNOWN:
            lived = max(*ahead.values(), lived or fresh)
            ahead = {}
        lived = lived if lived is not None and lived > fresh else None
        return self.model_copy(update={"fresh": fresh, "known": {**edge, **ahead}, "lived": lived})

    def _settles(self, now: datetime, overlap: timedelta) -> datetime:
        known = now - overlap
        if self.readings:
            last = self.readings[-1]
            shown = last.least + (now - last.at)
            known = min(_lowest(self.readings, known), shown - overlap)
        # What the next reading tells is never quite the same, and what is asked for the last time
        # now must be settled then.
        return max(self.settled, _second(known) - _SECOND)

    def _agreed(self, reading: ClockReading) -> ClockReading:
        """Return a reading as the one before lets it be, where the clock was not set between."""
        if not self.readings:
            return reading
        last = self.readings[-1]
        passed = reading.at - last.at
        apart = abs(passed) * _DRIFT
        least = max(reading.least, last.least + passed - apart)
        most = min(reading.most, last.most + passed + apart)
        return ClockReading(reading.at, least, most) if least <= most else reading

    def _left(self, now: datetime, settles: datetime) -> Sequence[Left]:
        left = []
        for is_edge in (True, False):
            some = {
                row: at for row, at in self.known.items() if (at <= self.fresh + _EDGE) == is_edge
            }
            if some and max(some.values()) >= settles:
                # What settles is asked for whoever it is: it may have changed within its second.
                first = max(settles, min(some.values()))
                left.append(Left(frozenset(some), first, max(some.values())))
        if self.lived is not None and self.readings:
            last = self.readings[-1]
            first = _second(last.least + (now - last.at)) + _APART
            if first <= self.lived:
                left.append(Left(None, first, self.lived))
        return left


def _lowest(readings: Sequence[ClockReading], since: datetime) -> datetime:
    """Return the lowest that the shop's clock can have shown from an instant of ours on."""
    first, last = readings[0], readings[-1]
    found = last.least + max(timedelta(0), since - last.at)
    if first.at > since:
        found = min(found, first.least - (first.at - since))
    for one, other in pairwise(readings):
        begin = max(one.at, since)
        if other.at > begin:
            found = min(found, one.least + (begin - one.at), other.least - (other.at - begin))
    return found


def _with(
    readings: tuple[ClockReading, ...], reading: ClockReading, overlap: timedelta
) -> tuple[ClockReading, ...]:
    """Return the readings with one more, and without those that tell nothing any more."""
    # Later ones are from before our own clock was set back.
    kept = [one for one in readings if one.at < reading.at]
    while len(kept) > 1 and kept[1].at <= reading.at - overlap:
        del kept[0]
    if len(kept) > 1 and reading.at - kept[-2].at < overlap / 8 and _is_steady(kept[-2], reading):
        del kept[-1]
    return (*kept, reading)


def _is_steady(one: ClockReading, other: ClockReading) -> bool:
    return abs((other.least - one.least) - (other.at - one.at)) < _STEADY


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
