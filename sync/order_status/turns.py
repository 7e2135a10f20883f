"""When an order's header is looked at again. Pure.

its status is final                     never: what follows are papers, found by their dates
the ERP tells what changed              after six hours, in case that was missed
younger than an hour                    after a minute
younger than a day                      after five minutes
older                                   after half an hour
"""

from datetime import datetime, timedelta

_FINAL = frozenset({"Invoiced", "Canceled"})
_IN_CASE = timedelta(hours=6)
_YOUNG, _OF_TODAY = timedelta(hours=1), timedelta(days=1)
_SOON, _LATER, _RARELY = timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)


def next_look(
    *, since: datetime, now: datetime, status: str, tells_changes: bool
) -> datetime | None:
    """Return when; None for never.

    Args:
        since: From when on the order is watched.
        now: When it was looked at.
        status: Its `SalesOrderStatus`.
        tells_changes: Whether the ERP tells what changed.
    """
    if status in _FINAL:
        return None
    if tells_changes:
        return now + _IN_CASE
    age = now - since
    if age < _YOUNG:
        return now + _SOON
    return now + (_LATER if age < _OF_TODAY else _RARELY)
