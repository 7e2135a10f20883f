"""Both forms of Retry-After, read without trusting two machines' clocks."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.resilience.retry_after import read_retry_after

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


@pytest.mark.parametrize("text", ["99999999", "9" * 400, "Mon, 23 Nov 2099 07:30:00 GMT"])
def test_nonsense_cannot_close_the_gate_for_ever(text: str) -> None:
    assert read_retry_after({"Retry-After": text}, now=NOW) == timedelta(hours=24)


@pytest.mark.parametrize(
    "text", ["", "soon", "-3", "1.5", "\u0663", "Mon, 99 Nov 2026 07:30:00 GMT"]
)
def test_what_cannot_be_read_is_no_wish(text: str) -> None:
    assert read_retry_after({"Retry-After": text}, now=NOW) is None


@given(text=st.text(), date=st.text())
def test_no_header_breaks_the_reader(text: str, date: str) -> None:
    wait = read_retry_after({"Retry-After": text, "Date": date}, now=NOW)
    assert wait is None or timedelta() <= wait <= timedelta(hours=24)
