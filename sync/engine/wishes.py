"""Have another system hold a value, without writing it again and again.

A write of ours may be dropped without a word, changed on its way, or set back by somebody
else; and as it moves the document's time of change, it may come back to us as work. So each
write of a field is remembered with what stood there before:

    the same value over the same as before, refused or not found there since    never again
    the same, found there, and set back by somebody since                       three times a day
    anything else                                                               five times an hour

What is not written any more is told of once, and stands in `status` and in an alert until it
is as it should be. Another configuration begins anew.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.engine.flow import Work
from sync.engine.writes import Send, written
from sync.store.wish_record import Place, WishRecord

# One correction by hand is nothing unusual; who loses three times has an opponent.
_MOST_SET_BACK, _DAY = 3, timedelta(days=1)
# What people and their programs do to one document is less; a loop is soon there.
MOST_WRITES, HOUR = 5, timedelta(hours=1)


class Objection(StrEnum):
    """Why a value is not written, in the words of the message."""

    NOT_TAKEN = "does not keep what is written"
    REFUSED = "is refused whenever it is written"
    SET_BACK = "is set back by somebody else each time it is written"
    TOO_OFTEN = "was written five times within an hour, and is to be another value again"


_NEVER_THERE = (Objection.NOT_TAKEN, Objection.REFUSED)
# Stands there when nothing was written; no value that anybody wants.
_NOTHING = "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A value that a place should hold.

    Attributes:
        place: Where.
        value: What is to stand there.
        seen: What stands there.
        advice: What to do where it does not stay.
        is_vital: Whether a refusal holds the document; else it is like one that did not stay.
    """

    place: Place
    value: str
    seen: str
    advice: str
    is_vital: bool = True


async def fulfil(
    work: Work,
    wish: Wish,
    *,
    operation: str,
    request: Mapping[str, object],
    send: Send[str | None],
    tells: bool = True,
) -> list[str]:
    """Write a value unless that would be in vain; return what a person should hear now.

    Args:
        work: The event at work.
        wish: The value and its place.
        operation: What the write does, for the journal.
        request: What is sent, for the journal.
        send: Sends it once and returns what then stands there, None where the answer does not
            say.
        tells: Whether it does; else what it returns is something else.
    """
    last = await work.wishes.last(wish.place)
    objection = objection_to(wish, last, now=work.clock.utc())
    if last is not None and objection is not None:
        return await _refuse(work, last, objection, wish.advice)
    try:
        held = await written(work, wish.place.system, operation, request, send)
    except UpstreamRejectedError as error:
        if wish.is_vital or error.status != HTTPStatus.BAD_REQUEST:
            raise
        record = after_writing(wish, last, held=_NOTHING, now=work.clock.utc())
        return await _refuse(work, record, Objection.REFUSED, wish.advice)
    record = after_writing(wish, last, held=held if tells else None, now=work.clock.utc())
    if record.is_taken is False:
        return await _refuse(work, record, Objection.NOT_TAKEN, wish.advice)
    await work.wishes.keep(record)
    return []


def objection_to(wish: Wish, last: WishRecord | None, *, now: datetime) -> Objection | None:
    """Return why a value must not be written now, None when it may be."""
    if last is None:
        return None
    if _is_repeated(wish, last):
        if not last.is_taken:
            was_refused = last.text == Objection.REFUSED
            return Objection.REFUSED if was_refused else Objection.NOT_TAKEN
        if last.times >= _MOST_SET_BACK and now - last.written_at < _DAY:
            return Objection.SET_BACK
    is_full = last.in_hour >= MOST_WRITES and now - last.hour_began_at < HOUR
    return Objection.TOO_OFTEN if is_full else None


def after_writing(
    wish: Wish, last: WishRecord | None, *, held: str | None, now: datetime
) -> WishRecord:
    """Return what is kept of a write.

    Args:
        wish: What was written.
        last: What was kept before.
        held: What then stands there, None when it is not known.
        now: When it was written.
    """
    is_again = last is not None and _is_repeated(wish, last) and now - last.written_at < _DAY
    is_same_hour = last is not None and now - last.hour_began_at < HOUR
    return WishRecord(
        place=wish.place,
        value=digest(wish.value),
        seen=digest(wish.seen),
        is_taken=None if held is None else held == wish.value,
        times=1 + (last.times if last is not None and is_again else 0),
        hour_began_at=last.hour_began_at if last is not None and is_same_hour else now,
        in_hour=1 + (last.in_hour if last is not None and is_same_hour else 0),
        written_at=now,
    )


def untaken(place: Place, text: str, advice: str, *, now: datetime) -> WishRecord:
    """Return what is kept of a place that takes nothing at all, for whatever document."""
    return WishRecord(
        place=place,
        value="",
        seen="",
        is_taken=False,
        times=0,
        hour_began_at=now,
        in_hour=0,
        written_at=now,
        text=text,
        advice=advice,
    )


def digest(text: str) -> str:
    """Return a text as it is kept: equal for equal ones, and nobody's data."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_repeated(wish: Wish, last: WishRecord) -> bool:
    return last.value == digest(wish.value) and last.seen == digest(wish.seen)


async def _refuse(work: Work, last: WishRecord, objection: Objection, advice: str) -> list[str]:
    """Keep that it is in vain; tell of it if nobody was told."""
    if last.text == objection.value:
        return []
    is_taken = False if objection in _NEVER_THERE else last.is_taken
    await work.wishes.keep(replace(last, is_taken=is_taken, text=objection.value, advice=advice))
    return [f"{last.place.field} {objection.value}: {advice}"]
