import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.configuration.api_keys import ApiKey, KeyRing, hash_of, new_key


def api_key(name: str, key: str, *, revoked: bool = False) -> ApiKey:
    return ApiKey(name=name, sha256=hash_of(key), scopes=frozenset({"prices"}), revoked=revoked)


def test_a_key_is_found_by_its_text_whichever_of_several_it_is() -> None:
    ring = KeyRing([api_key("old", "one"), api_key("new", "two"), api_key("other", "three")])

    for text, name in (("one", "old"), ("two", "new"), ("three", "other")):
        found = ring.find(text)
        assert found is not None
        assert found.name == name


def test_a_revoked_key_is_found_so_that_its_caller_can_be_told() -> None:
    found = KeyRing([api_key("shop", "one", revoked=True)]).find("one")

    assert found is not None
    assert found.revoked


@given(st.text(max_size=300).filter(lambda text: text != "one"))
def test_no_other_text_opens_anything(text: str) -> None:
    """Also text that came in as bytes of no encoding, or a hash in place of its key."""
    ring = KeyRing([api_key("shop", "one")])

    assert ring.find(text) is None
    assert ring.find(hash_of("one")) is None


@pytest.mark.parametrize("text", ["", "\udcff\udcfe", "one" * 86, " one", "One"])
def test_what_is_no_key_is_no_key(text: str) -> None:
    assert KeyRing([api_key("shop", "one")]).find(text) is None


def test_a_very_long_header_is_no_key_even_if_its_hash_were_known() -> None:
    text = "x" * 257

    assert KeyRing([api_key("shop", text)]).find(text) is None


def test_no_keys_open_nothing() -> None:
    assert KeyRing([]).find("one") is None


def test_new_keys_differ_and_have_enough_random_bits() -> None:
    keys = {new_key() for _ in range(200)}

    assert len(keys) == 200
    assert all(key.startswith("pp_") and len(key) >= 3 + 32 for key in keys)
