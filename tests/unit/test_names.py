"""Spellings of one name meet, and two names stay two."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.names import Spellings, is_same_name, same_name_key

_LETTERS = st.text(st.sampled_from("aAbBäÄßẞΣ\u03c3ςİ\u0131µ\u0308\u0345\u212a -\t"), max_size=8)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LAMP-01", "lamp-01"),
        ("LAMP-01", " Lamp-01 \t"),
        ("TÜR-1", "tür-1"),
        ("TÜR-1", "tu\u0308r-1"),
        ("\u212aELVIN", "kelvin"),
        ("ΛΟΓΟΣ", "λογος"),
        ("", "  "),
    ],
)
def test_spellings_that_both_systems_take_for_one_name_are_one(one: str, other: str) -> None:
    """A shop that renames LAB-S1 to lab-s1 still means the ERP's LAB-S1."""
    assert is_same_name(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LAMP-01", "LAMP-1"),
        ("LAMP-01", "LAMP 01"),
        ("TÜR", "TUR"),
        ("MASSE", "MAßE"),
        ("ﬁ-1", "fi-1"),
        ("\uff21-1", "A-1"),
        ("I-1", "\u0131-1"),
        ("A", "A\u00a0"),
    ],
)
def test_names_that_one_system_tells_apart_stay_two(one: str, other: str) -> None:
    """Another item's price is worse than an unknown SKU."""
    assert not is_same_name(one, other)


@given(_LETTERS | st.text(max_size=20))
def test_a_key_is_its_own_key_whatever_the_spelling(text: str) -> None:
    """What is stored by its key is found by it, composed or not, in either case."""
    key = same_name_key(text)
    assert same_name_key(key) == key
    assert same_name_key(unicodedata.normalize("NFD", text)) == key
    assert same_name_key(f"\t{text} ") == key


@given(st.text(st.characters(max_codepoint=0x24F, categories=["L", "N"]), max_size=20))
def test_a_name_is_the_same_in_small_letters(text: str) -> None:
    """Whoever lowers a name the usual way finds it."""
    lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    assert is_same_name(text, lowered)


@given(st.lists(_LETTERS, max_size=12))
def test_every_name_is_found_by_its_own_spelling_in_any_order(names: list[str]) -> None:
    """Replicas that read the rows in different orders answer alike."""
    found = Spellings(names)
    reversed_found = Spellings(reversed(names))
    for name in names:
        assert found.find(name) == name
        other = f" {name}"
        assert found.find(other) == reversed_found.find(other)
    assert found.clashes == reversed_found.clashes
    assert len(found.clashes) == len(set(names)) - len(set(map(same_name_key, names)))


def test_the_spelling_that_sorts_first_answers_for_the_others() -> None:
    """Two rows of the ERP may differ in nothing but case; one of them has to be meant."""
    names = Spellings(["lamp", "Lamp", "LAMP", "OTHER"])

    assert [names.find(name) for name in ("lamp", "Lamp", "LAMP")] == ["lamp", "Lamp", "LAMP"]
    assert names.find("lAMP") == "LAMP"
    assert names.find("LAMP-1") is None
    assert names.clashes == {"lamp", "Lamp"}
