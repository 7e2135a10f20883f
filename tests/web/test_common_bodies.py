"""What is read without pydantic is what pydantic would have read, or is left to it."""

import json
import tracemalloc
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given
from multidict import MultiDict
from pydantic import ValidationError
from yarl import URL

from pricing_proxy.prices.query import Columns
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web.asking import body_of
from pricing_proxy.web.common_bodies import CommonQueries, columns_of, common_body
from pricing_proxy.web.schemas import PRICES, PricesBody

PAGE = {"market": "m", "customer": "C-1", "lines": [{"sku": "LAMP", "quantity": "2"}]}
_PLAIN = ("", "1", "0", "0.0", "01.50", "1e3", "1000000000", "browse", "checkout", "sold", "C-1")
_ODD = ("a b", "\x7f", "Ä", "\x00", "x" * 11, "x" * 33, "x" * 65, "flagged", "&", "%41", "+", "=")
TEXTS = st.sampled_from((*_PLAIN, *_ODD))
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    TEXTS,
    st.sampled_from([None, True, 0, 1, 5000, 5001, -1, 1.0, 2**70, [], {}, {"magento_id": 7}]),
)
LINE = st.one_of(
    st.fixed_dictionaries({"sku": TEXTS}, optional={"quantity": ANYTHING, "unit": ANYTHING}),
    st.dictionaries(st.sampled_from(["sku", "quantity", "unit", "extra"]), ANYTHING),
    ANYTHING,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "market": ANYTHING,
        "customer": ANYTHING,
        "lines": st.one_of(st.lists(LINE, max_size=4), ANYTHING),
        "mode": ANYTHING,
        "currency": ANYTHING,
        "wait_ms": ANYTHING,
        "accept": ANYTHING,
        "extra": ANYTHING,
    },
)


def members(columns: Columns) -> list[tuple[str, str, str | None]]:
    return [(line.sku, line.quantity, line.unit) for line in columns]


@given(st.one_of(BODIES, st.builds(lambda changes: PAGE | changes, BODIES), ANYTHING))
@example(PAGE)
@example(PAGE | {"lines": [{"sku": "A", "quantity": "1"}, {"sku": "B", "unit": "BOX"}]})
@example(PAGE | {"lines": [{"sku": "A", "quantity": None}, {"sku": "B"}]})
@example(PAGE | {"lines": [{"sku": "A"}] * 201})
def test_what_is_common_is_valid_and_read_alike(body: Any) -> None:
    text = json.dumps(body).encode()
    common = common_body(text)
    if common is None:
        return
    read: dict[str, Any] = {**PRICES.validate_json(text)}
    lines = columns_of(read.pop("lines"))
    assert members(common.lines) == members(lines)
    assert common.lines.shortest == lines.shortest
    assert "0" not in common.lines.shortest
    assert common.body == read


@pytest.mark.parametrize(
    "lines",
    [
        [{"sku": "A"}, {"sku": "B"}],
        [{"sku": "A", "quantity": "1"}, {"sku": "B", "quantity": "2.50"}],
        [{"sku": "A", "quantity": "1", "unit": "BOX"}, {"sku": "Ü"}],
    ],
)
def test_the_bodies_that_callers_send_are_common(lines: list[dict[str, str]]) -> None:
    body = {"market": "m", "customer": "C-1", "mode": "cart", "wait_ms": 5, "lines": lines}
    assert common_body(json.dumps(body).encode()) is not None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b"1", b'{"market": "\xed\xa0\x80"}'])
def test_what_is_no_object_is_left_to_pydantic(text: bytes) -> None:
    assert common_body(text) is None


def known(_: PricesBody) -> bool:
    """Take every market and customer for one that is there."""
    return True


NAMES = ["market", "customer", "mode", "currency", "wait_ms", "accept", "sku", "unit", "quantity"]
WHOLE = [("market", "m"), ("customer", "C-1")]
PARAMETERS = st.lists(st.tuples(st.sampled_from([*NAMES, "lines", "x"]), TEXTS), max_size=5)


@given(st.sampled_from([[], WHOLE]), PARAMETERS, st.lists(TEXTS, max_size=3))
@example(WHOLE, [], ["A"] * 201)
def test_a_common_query_is_valid_and_read_alike(
    begin: list[tuple[str, str]], more: list[tuple[str, str]], skus: list[str]
) -> None:
    parameters = [*begin, *more]
    url = URL("/v1/prices").with_query([*parameters, *(("sku", sku) for sku in skus)])
    common = CommonQueries(known).read(url.raw_query_string)
    if common is None:
        return
    read: dict[str, Any] = {**PRICES.validate_python(body_of(MultiDict(url.query)))}
    assert members(common.lines) == members(columns_of(read.pop("lines")))
    assert common.body == read


def test_the_query_that_callers_send_is_common() -> None:
    common = CommonQueries(known).read("market=m&customer=C-1&mode=cart&wait_ms=50&sku=A&sku=B")
    assert common is not None
    assert common.body == {"market": "m", "customer": "C-1", "mode": "cart", "wait_ms": 50}
    assert members(common.lines) == [("A", "1", None), ("B", "1", None)]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sku=A&market=m&customer=C-1",
        "market=m&customer=C-1",
        "market=m&market=m&customer=C-1&sku=A",
        "market=m&customer=C-1&sku=A&quantity=2",
        "market=m&customer=C-1&sku=A%20B",
        "market=m&customer=C-1&sku=A+B",
        "market=m&customer=C%2D1&sku=A",
        "market=m&customer=C-1&wait_ms=99999&sku=A",
        "market=m&customer=C-1&wait_ms=soon&sku=A",
        "market=m&customer=C-1&sku=",
    ],
)
def test_a_query_with_anything_special_is_left_to_pydantic(query: str) -> None:
    assert CommonQueries(known).read(query) is None


def test_a_query_that_is_wrong_is_wrong_either_way() -> None:
    """The slow way is still what names mistakes."""
    with pytest.raises((ValidationError, ProblemError)):
        PRICES.validate_python(body_of(MultiDict([("market", "m"), ("sku", "")])))


def test_what_is_kept_of_queries_is_bounded_in_bytes() -> None:
    queries = CommonQueries(known, most_bytes=20_000)
    for number in range(1000):
        assert queries.read(f"market=m&customer=C-{number}&sku=A") is not None
    assert 10_000 < queries._kept.used_bytes <= 20_000


def test_nothing_is_kept_of_a_market_or_customer_that_is_not_there() -> None:
    queries = CommonQueries(lambda body: body["customer"] == "C-1")
    for number in range(2, 50):
        assert queries.read(f"market=m&customer=C-{number}&sku=A") is not None
    assert queries._kept.used_bytes == 0
    assert queries.read("market=m&customer=C-1&sku=A") is not None
    assert queries._kept.used_bytes > 0


@pytest.mark.parametrize(
    "query",
    [
        f"market={'m' * 60_000}&customer=C-1&sku=A",
        f"market=m&customer=C-1&{'x' * 60_000}=1&sku=A",
        "market=m&customer=C-1&sku=" + "A" * 60_000,
        "market=m&market=m&customer=C-1&sku=A",
    ],
)
def test_nothing_is_kept_of_a_query_that_is_not_common(query: str) -> None:
    """A long one would cost what its caller likes."""
    queries = CommonQueries(known)
    assert queries.read(query) is None
    assert queries._kept.used_bytes < 2000


def test_no_text_is_remembered_as_no_quantity() -> None:
    """Thirty kilobytes each, some thousands of them."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100):
            lines = [{"sku": "A", "quantity": f"{number}{'0' * 30_000}"}]
            body = {"market": "m", "customer": "C-1", "lines": lines}
            assert common_body(json.dumps(body).encode()) is None
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 500_000
