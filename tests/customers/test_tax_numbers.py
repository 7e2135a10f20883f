"""One tax number, however people write it; and never another one."""

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sync.customers.tax_numbers import is_same_number, number_core, search_pattern

PREFIXES = ("DE", "FR", "AT", "EL", "XI")
DIGITS = st.from_regex(r"[0-9]{5,12}", fullmatch=True)
BETWEEN = st.sampled_from(["", " ", ".", "-", " / ", "\u00a0"])


@st.composite
def spelled(draw: st.DrawFn, text: str) -> str:
    """Return a text with blanks and dots anywhere, in any letter case."""
    letters = (draw(BETWEEN) + draw(st.sampled_from([one, one.lower()])) for one in text)
    return "".join(letters) + draw(BETWEEN)


@given(st.data(), st.sampled_from(PREFIXES), DIGITS)
def test_every_spelling_of_a_number_is_the_number(
    data: st.DataObject, prefix: str, digits: str
) -> None:
    one = data.draw(spelled(prefix + digits))
    other = data.draw(spelled(data.draw(st.sampled_from([prefix + digits, digits]))))
    country = {"EL": "GR"}.get(prefix, prefix)

    assert is_same_number(one, other)
    assert is_same_number(other, one, country=country)
    assert number_core(one) == digits
    # And the ERP's own search finds it among others.
    pattern = search_pattern(other)
    assert pattern is not None
    fits = ".*".join(map(re.escape, pattern.split("*")))
    assert re.fullmatch(fits, one, re.IGNORECASE | re.DOTALL)


@given(DIGITS, DIGITS, st.sampled_from(PREFIXES), st.sampled_from(PREFIXES))
def test_another_number_is_another(one: str, other: str, prefix: str, other_prefix: str) -> None:
    is_one = (one, prefix) == (other, other_prefix)
    assert is_same_number(prefix + one, other_prefix + other) is is_one


@pytest.mark.parametrize(
    ("one", "other", "country", "is_same"),
    [
        ("DE999888777", "999 888 777", "", True),
        ("999 888 777", "DE999888777", "DE", True),
        ("999 888 777", "DE999888777", "FR", False),
        ("U12345678", "ATU12345678", "AT", True),
        ("\uff24\uff25999888777", "DE999888777", "", True),
        # A French number may begin with letters that are a country's elsewhere.
        ("BE123456789", "FRBE123456789", "FR", True),
        ("CHE-123.456.789", "CHE123456789", "CH", True),
        # Northern Ireland's prefix stands before the British number, and many write GR for EL.
        ("XI123456789", "GB123456789", "", True),
        ("123456789", "XI123456789", "GB", True),
        ("GR123456789", "EL123456789", "GR", True),
        ("GR123456789", "123456789", "", True),
        ("CHE-123.456.789 MWST", "CHE123456789", "CH", True),
        ("CHE-123.456.789 TVA", "CHE123456789MWST", "CH", True),
        ("NO 999 888 777 MVA", "NO999888777", "", True),
        ("DE\u0669\u0669\u0669888777", "DE999888777", "", True),
        # Letters that only look alike are none of a country.
        ("D\u0415999888777", "DE999888777", "DE", False),
        ("0999888777", "DE999888777", "DE", False),
        ("MWST", "TVA", "CH", False),
        ("", "", "DE", False),
        ("n/a", "", "", False),
    ],
)
def test_numbers_as_they_are_typed(one: str, other: str, country: str, *, is_same: bool) -> None:
    assert is_same_number(one, other, country=country) is is_same


@pytest.mark.parametrize("text", ["", "1", "DE1", "n/a", "9" * 21])
def test_what_is_no_number_is_no_pattern_that_fits_everybody(text: str) -> None:
    assert search_pattern(text) is None
