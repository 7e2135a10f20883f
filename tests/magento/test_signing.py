"""Signatures are those that a real Magento accepted, and its odd sorting is PHP's."""

import hashlib
import hmac
import itertools
import re
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.magento.auth import Credentials, authorization, natural_order, signature_base
from tests.magento.recordings import signing_vectors

VECTORS = signing_vectors()
CREDENTIALS = Credentials(
    consumer_key=VECTORS["consumer_key"],
    consumer_secret=VECTORS["consumer_secret"],
    token=VECTORS["token"],
    token_secret=VECTORS["token_secret"],
)
NAMES = st.text(alphabet="a%B019", max_size=8)


def fields_of(vector: Any) -> dict[str, str]:
    return {
        "oauth_consumer_key": CREDENTIALS.consumer_key,
        "oauth_nonce": vector["nonce"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(vector["timestamp"]),
        "oauth_token": CREDENTIALS.token,
        "oauth_version": "1.0",
    }


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["note"])
def test_a_recorded_vector_is_signed_as_the_server_signed_it(vector: Any) -> None:
    base = signature_base(method=vector["method"], url=vector["url"], fields=fields_of(vector))
    assert base == vector["signature_base_string"]
    header = authorization(
        CREDENTIALS,
        method=vector["method"],
        url=vector["url"],
        nonce=vector["nonce"],
        timestamp=vector["timestamp"],
    )
    escaped = vector["signature"].replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert header.startswith("OAuth ")
    assert f'oauth_signature="{escaped}"' in header


def test_there_are_as_many_vectors_as_were_recorded() -> None:
    assert len(VECTORS["vectors"]) == 23
    assert all(vector["accepted"] for vector in VECTORS["vectors"])


def test_secrets_are_escaped_in_the_key_and_kept_out_of_texts() -> None:
    odd = Credentials(consumer_key="k", consumer_secret="a&b", token="t", token_secret="c d")
    url = "https://shop.test/rest/V1/orders"
    header = authorization(odd, method="GET", url=url, nonce="n", timestamp=1)
    fields = {
        "oauth_consumer_key": "k",
        "oauth_nonce": "n",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1",
        "oauth_token": "t",
        "oauth_version": "1.0",
    }
    base = signature_base(method="GET", url=url, fields=fields)
    expected = b64encode(hmac.digest(b"a%26b&c%20d", base.encode(), hashlib.sha256)).decode()
    found = re.search(r'oauth_signature="([^"]+)"', header)
    assert found is not None
    assert found[1].replace("%2F", "/").replace("%2B", "+").replace("%3D", "=") == expected
    assert "a&b" not in repr(odd)
    assert "c d" not in repr(odd)


@pytest.mark.parametrize(
    ("in_order"),
    [
        ["a010", "a2", "a10"],
        ["[2]", "[10]"],
        ["a", "a0", "a1"],
        ["a1", "a1b", "a2"],
        ["0", "01x", "2"],
        ["a1.05", "a1.5"],
        ["searchCriteria%5B9%5D", "searchCriteria%5B10%5D", "searchCriteria%5Ba%5D"],
        ["A", "a"],
        ["", "0"],
    ],
)
def test_names_sort_as_php_sorts_them(in_order: list[str]) -> None:
    for earlier, later in itertools.pairwise(in_order):
        assert natural_order(earlier, later) < 0
        assert natural_order(later, earlier) > 0


@given(left=NAMES, right=NAMES)
def test_the_order_is_the_same_from_both_sides(left: str, right: str) -> None:
    assert natural_order(left, right) == -natural_order(right, left)
    assert natural_order(left, left) == 0


@given(prefix=st.text(alphabet="ab%[", max_size=4), numbers=st.lists(st.integers(1, 10**6)))
def test_numbers_in_names_sort_by_their_value(prefix: str, numbers: list[int]) -> None:
    for one in numbers:
        for other in numbers:
            order = natural_order(f"{prefix}{one}]", f"{prefix}{other}]")
            assert order == (one > other) - (one < other)


@given(pairs=st.lists(st.tuples(NAMES, NAMES), unique_by=lambda pair: pair[0], max_size=12))
def test_the_order_of_the_pairs_on_the_wire_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    """The server sorts, so a client that sorts differently before signing would be refused."""
    safe = [(f"n{name.replace('%', '')}", value.replace("%", "")) for name, value in pairs]
    named = dict(safe)
    forth = "&".join(f"{name}={value}" for name, value in named.items())
    back = "&".join(f"{name}={value}" for name, value in reversed(named.items()))
    bases = {
        signature_base(method="GET", url=f"http://a/b?{query}", fields={})
        for query in (forth, back)
    }
    # Names that PHP takes for equal, such as "n01" and "n001", keep the order they came in.
    equal = any(natural_order(a, b) == 0 for a in named for b in named if a != b)
    assert len(bases) == 1 or equal
