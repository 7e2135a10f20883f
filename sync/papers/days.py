"""Days whose papers are read one after the other: of weeks at once memory has no room. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

_DAY = timedelta(days=1)


class Days(NamedTuple):
    """Some days; `last` None for all that follow, as papers may be dated ahead."""

    first: date
    last: date | None = None


def one_by_one(first: date, today: date) -> Iterator[Days]:
    """Yield each day until today, the last one with all that follow."""
    while first < today:
        yield Days(first, first)
        first += _DAY
    yield Days(first)
