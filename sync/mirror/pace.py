"""How many batches at once a shop bears while people buy in it: pure.

    Magento fails at a batch                                 halved, 1 at the least
    the storefront answers more slowly than it usually does  the same, with each such probe
    a minute without either                                  one more, up to the ceiling

A batch that began before the last cut is no reason for another: it ran at the old width. Probes
are judged by medians, so that one slow page says nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from sync.store.mirror_pace_record import Probes, ShopPace

FLOOR = 1
RECENT = 10
"""So many of the latest probes are compared with those of a day."""

_GROWS_EVERY = timedelta(minutes=1)
_SLOW_FACTOR = 1.5
# Nobody who buys notices less, and a page that takes some milliseconds varies by half of itself.
_UNNOTICED_MS = 50.0
# Before there are as many from earlier, there is nothing to compare with.
_LEAST_PROBES = 2 * RECENT


def width(pace: ShopPace, now: datetime, *, ceiling: int) -> int:
    """Return how many batches may go on at once now."""
    if pace.is_slow:
        return min(pace.width, ceiling)
    minutes = max(now - pace.changed_at, timedelta(0)) // _GROWS_EVERY
    return min(pace.width + minutes, ceiling)


def halved(
    pace: ShopPace, now: datetime, *, ceiling: int, reason: str, began_at: datetime | None = None
) -> ShopPace:
    """Return the pace after a failure of a batch that began then; None for none of a batch."""
    if began_at is not None and pace.cut_at is not None and began_at <= pace.cut_at:
        return pace
    wide = width(pace, now, ceiling=ceiling)
    half = max(FLOOR, wide // 2)
    # One that cannot be less has been so since it was cut last.
    cut_at = now if half < wide else pace.cut_at
    return replace(pace, width=half, changed_at=now, cut_at=cut_at, reason=reason)


def probed(pace: ShopPace, probes: Probes, now: datetime, *, ceiling: int) -> ShopPace:
    """Return the pace after one more probe."""
    if is_slow(probes):
        reason = (
            f"the storefront takes {median(probes.recent_ms):.0f} ms, usually "
            f"{probes.usual_ms:.0f} ms"
        )
        return replace(halved(pace, now, ceiling=ceiling, reason=reason), is_slow=True)
    # It grows from the moment in which it is well again.
    return replace(pace, changed_at=now, is_slow=False) if pace.is_slow else pace


def is_slow(probes: Probes) -> bool:
    """Return whether the storefront takes longer than it usually does."""
    if probes.count < _LEAST_PROBES or len(probes.recent_ms) < RECENT:
        return False
    least = max(probes.usual_ms * _SLOW_FACTOR, probes.usual_ms + _UNNOTICED_MS)
    return median(probes.recent_ms) > least
