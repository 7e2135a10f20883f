"""Both forms of Retry-After, read without trusting two machines' clocks."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pricing_proxy.resilience.errors import UpstreamThrottledError
from pricing_proxy.resilience.retry_after import LONGEST_WAIT, read_retry_after

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001 - made aware here
    lambda naive: naive.replace(tzinfo=UTC, microsecond=0)
)


@given(seconds=st.integers(0, 86_400))
def test_seconds_are_taken_as_they_are(seconds: int) -> None:
    assert read_retry_after({"Retry-After": str(seconds)}, now=NOW) == timedelta(seconds=seconds)


@given(server_time=instants, seconds=st.integers(0, 3600))
def test_a_date_counts_from_the_answers_own_date(server_time: datetime, seconds: int) -> None:
    """The ERP's clock may be off by years; the wait it means is still the wait."""
    headers = {
        "Retry-After": format_datetime(server_time + timedelta(seconds=seconds), usegmt=True),
        "Date": format_datetime(server_time, usegmt=True),
    }
    wait = read_retry_after(headers, now=NOW)
    assert wait is not None
    assert timedelta(seconds=seconds) <= wait <= timedelta(seconds=seconds + 1)


def test_a_date_counts_from_our_clock_when_the_answer_has_none() -> None:
    headers = {"Retry-After": format_datetime(NOW + timedelta(seconds=7), usegmt=True)}
    assert read_retry_after(headers, now=NOW) == timedelta(seconds=8)


def test_a_date_that_has_passed_asks_for_no_wait() -> None:
    headers = {"Retry-After": "Mon, 23 Nov 2020 07:30:00 GMT"}
    assert read_retry_after(headers, now=NOW) == timedelta()


@pytest.mark.parametrize(
    "text",
    [
        "601",
        "99999999",
        "1000000000",
        "9" * 400,
        "9" * 5000,
        "Mon, 23 Nov 2099 07:30:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Sat, 01 Jan 10000 00:00:00 GMT",
        "Mon, 23 Nov 99999 07:30:00 GMT",
    ],
)
def test_nonsense_is_told_and_ten_minutes_of_it_are_obeyed(text: str) -> None:
    """A date in the year 9999 broke the reader with an OverflowError."""
    asked = read_retry_after({"Retry-After": text}, now=NOW)
    assert asked is not None
    assert asked > LONGEST_WAIT
    error = UpstreamThrottledError("429", system="fo", retry_after=asked)
    assert (error.asked_for, error.retry_after) == (asked, timedelta(minutes=10))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-3",
        "1.5",
        "1e9",
        "inf",
        "\u0663",
        "Mon, 99 Nov 2026 07:30:00 GMT",
        "Mon, 23 Nov 2026 07:30:00 +99999999999999",
        f"Mon, 23 Nov {'9' * 5000} 07:30:00 GMT",
    ],
)
def test_what_cannot_be_read_is_no_wish(text: str) -> None:
    assert read_retry_after({"Retry-After": text}, now=NOW) is None


NUMBERS = st.one_of(st.integers(-5, 40), st.integers(), st.sampled_from(["", "x", "9" * 50]))
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Fri", ""]),
    NUMBERS,
    st.sampled_from(["Nov", "Dec", "Feb", "Foo"]),
    st.one_of(NUMBERS, st.sampled_from([0, 1, 9998, 9999, 10_000])),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(["GMT", "+2359", "-2359", "-0000", "+99999", "CEST"]),
)
TEXTS = st.one_of(st.text(), DATES, st.integers().map(str))


@given(text=TEXTS, date=TEXTS)
@example(text="Fri, 31 Dec 9999 23:59:59 GMT", date="Sat, 01 Jan 0001 00:00:00 +0100")
def test_no_header_breaks_the_reader_or_what_is_done_with_it(text: str, date: str) -> None:
    wait = read_retry_after({"Retry-After": text, "Date": date}, now=NOW)
    assert wait is None or wait >= timedelta()
    obeyed = UpstreamThrottledError("429", system="fo", retry_after=wait).retry_after
    assert (obeyed is None) == (wait is None)
    assert obeyed is None or timedelta() <= obeyed <= timedelta(minutes=10)
