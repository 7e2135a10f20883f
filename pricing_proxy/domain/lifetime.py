"""How long a price may live, fixed when it is loaded.

Jitter only shortens, so that prices loaded together are not refreshed together.
Nothing outlives its validity: a source that knows no dates is trusted until the
next midnight of the ERP, when another trade agreement may begin.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pricing_proxy.domain.freshness import SECOND_US

# At most this share of `soft` is cut off at random.
_JITTER_SHARE = 0.1
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """A market's ages in microseconds; `soft_us` <= `hard_us` <= `max_us`.

    Attributes:
        soft_us: Age from which a price is refreshed.
        hard_us: Age from which it may only stand in while the ERP fails.
        max_us: Age from which it is as good as absent.
        no_price_us: How long "there is no price" is believed.
        settle_us: `soft_us` of a price loaded shortly after an invalidation of it: the ERP
            may announce a change before it commits it.
    """

    soft_us: int = 300 * SECOND_US
    hard_us: int = 3600 * SECOND_US
    max_us: int = 24 * 3600 * SECOND_US
    no_price_us: int = 60 * SECOND_US
    settle_us: int = 10 * SECOND_US


def soft_and_hard_us(
    lifetimes: Lifetimes,
    *,
    began_at: datetime,
    erp_zone: ZoneInfo,
    is_settling: bool,
    jitter: float,
) -> tuple[int, int]:
    """Return the soft and hard age of a price whose source gives no dates.

    Args:
        lifetimes: The market's ages.
        began_at: When the read began (UTC).
        erp_zone: The zone whose midnight ends the day in the ERP.
        is_settling: The price was invalidated less than `settle_us` before the read.
        jitter: A random number in [0, 1).
    """
    cap_us = _until_midnight_us(began_at, erp_zone)
    soft_us = round(lifetimes.soft_us * (1 - _JITTER_SHARE * jitter))
    if is_settling:
        soft_us = min(soft_us, lifetimes.settle_us)
    return min(soft_us, cap_us), min(lifetimes.hard_us, cap_us)


def erp_day(at: datetime, erp_zone: ZoneInfo) -> date:
    """Return the ERP's date at an instant."""
    return at.astimezone(erp_zone).date()


def _until_midnight_us(at: datetime, erp_zone: ZoneInfo) -> int:
    local = at.astimezone(erp_zone)
    # Wall-clock midnight, so that a day with a change of summer time is 23 or 25 hours long.
    midnight = datetime.combine(local.date() + _ONE_DAY, time(), tzinfo=erp_zone)
    return (midnight - at) // timedelta(microseconds=1)
