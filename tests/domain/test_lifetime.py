from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.domain.lifetime import Lifetimes, erp_day, soft_and_hard_us

SECOND = 1_000_000
BERLIN = ZoneInfo("Europe/Berlin")
LONG = Lifetimes(soft_us=48 * 3600 * SECOND, hard_us=72 * 3600 * SECOND, max_us=96 * 3600 * SECOND)


def ages(
    began_at: datetime,
    *,
    lifetimes: Lifetimes | None = None,
    zone: ZoneInfo = BERLIN,
    is_settling: bool = False,
    jitter: float = 0.0,
) -> tuple[int, int]:
    return soft_and_hard_us(
        lifetimes or Lifetimes(),
        began_at=began_at,
        erp_zone=zone,
        is_settling=is_settling,
        jitter=jitter,
    )


MORNING = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def test_without_jitter_a_price_lives_as_long_as_the_market_says() -> None:
    assert ages(MORNING) == (300 * SECOND, 3600 * SECOND)


@given(jitter=st.floats(0, 1, exclude_max=True))
def test_jitter_only_shortens_and_by_a_tenth_at_most(jitter: float) -> None:
    soft, hard = ages(MORNING, jitter=jitter)
    assert 270 * SECOND <= soft <= 300 * SECOND
    assert hard == 3600 * SECOND


def test_a_price_that_was_just_invalidated_is_read_again_soon() -> None:
    """The ERP may announce a change before it commits it."""
    assert ages(MORNING, is_settling=True) == (10 * SECOND, 3600 * SECOND)


@pytest.mark.parametrize(
    ("began_at", "zone", "left"),
    [
        (datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC), BERLIN, timedelta(seconds=1)),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), BERLIN, timedelta(hours=24)),
        # Summer time begins: midnight to midnight is 23 hours.
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), BERLIN, timedelta(hours=23)),
        # It ends: 25 hours.
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), BERLIN, timedelta(hours=25)),
        # Midnight itself is skipped: the next day begins at one o'clock.
        (
            datetime(2026, 3, 28, 12, 0, tzinfo=UTC),
            ZoneInfo("Asia/Beirut"),
            timedelta(hours=10),
        ),
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), ZoneInfo("Pacific/Kiritimati"), timedelta(0)),
    ],
)
def test_no_price_outlives_the_day_of_the_erp(
    began_at: datetime, zone: ZoneInfo, left: timedelta
) -> None:
    """Another trade agreement may begin at midnight."""
    if not left:
        left = timedelta(hours=11)  # 13:00 on the next day there
    soft, hard = ages(began_at, lifetimes=LONG, zone=zone)
    assert (soft, hard) == (left // timedelta(microseconds=1),) * 2


@given(
    began_at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- made aware by `timezones`
    zone=st.sampled_from(["Europe/Berlin", "America/Havana", "Asia/Beirut", "Pacific/Apia"]),
    jitter=st.floats(0, 1, exclude_max=True),
    is_settling=st.booleans(),
)
def test_ages_are_ordered_positive_and_end_with_the_day(
    began_at: datetime, zone: str, jitter: float, *, is_settling: bool
) -> None:
    place = ZoneInfo(zone)
    soft, hard = ages(began_at, lifetimes=LONG, zone=place, jitter=jitter, is_settling=is_settling)
    last_instant = began_at + timedelta(microseconds=hard - 1)
    assert 0 < soft <= hard
    assert erp_day(last_instant, place) == erp_day(began_at, place)
    assert erp_day(last_instant + timedelta(microseconds=1), place) > erp_day(began_at, place)


def test_the_day_of_the_erp_is_that_of_its_zone() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert erp_day(late, BERLIN) == date(2026, 11, 24)
    assert erp_day(late, ZoneInfo("America/Havana")) == date(2026, 11, 23)
