"""Numbers keep their texts through our JSON, in and out."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.json_numbers import NOT_A_NUMBER, read_json, read_odd_json, write_json
from pricing_proxy.money import ImplausibleNumber, NumberText

numbers = st.decimals(
    min_value=-(10**15), max_value=10**15, places=4, allow_nan=False, allow_infinity=False
)
leaves = (
    st.none() | st.booleans() | st.text() | numbers.map(lambda number: NumberText(f"{number:f}"))
)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def test_a_long_body_is_read_as_a_short_one() -> None:
    """It is read in a thread, which gives way after each object."""
    rows = [{"ItemNumber": f"S-{number}", "SalesPrice": number} for number in range(5000)]
    body = json.dumps({"value": rows}).encode()
    assert len(body) > 128 * 1024
    assert read_json(body) == {
        "value": [{**row, "SalesPrice": NumberText(str(row["SalesPrice"]))} for row in rows]
    }


@given(tree=trees)
def test_what_is_written_is_read_back_digit_by_digit(tree: Any) -> None:
    assert read_json(write_json(tree)) == tree


@given(number=numbers)
def test_a_decimal_leaves_as_its_plain_text(number: Decimal) -> None:
    assert write_json({"quantity": number}) == f'{{"quantity":{number:f}}}'.encode()


@pytest.mark.parametrize(
    "text", ["19.90", "0.000000", "-0.10", "1E+2", "74.99", "9007199254740993"]
)
def test_a_number_is_kept_as_it_was_written(text: str) -> None:
    value = read_json(f"[{text}]".encode())[0]
    assert isinstance(value, NumberText)
    assert value == text


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[NaN]", b"[-Infinity]", b"[1e400]", b"[1" + b"0" * 30 + b"]", b'"\xff"'],
)
def test_what_is_not_exact_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'"\xff"', b"[" * 200_000])
def test_what_is_no_json_is_refused_whatever_is_asked_of_numbers(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_odd_json(body)


def test_what_is_no_number_spoils_only_its_own_place() -> None:
    body = b'{"a":1.50,"b":NaN,"c":-Infinity,"d":1e99,"e":1' + b"0" * 80 + b"}"
    read = read_odd_json(body)
    assert isinstance(read["a"], NumberText)
    assert (read["b"], read["c"]) == (NOT_A_NUMBER, NOT_A_NUMBER)
    assert read["d"] == ImplausibleNumber("1e99")
    assert read["e"] == ImplausibleNumber("1" + "0" * 39)
    for value in ("b", "d"):
        with pytest.raises(TypeError, match="cannot be written exactly"):
            write_json(read[value])


@given(tree=trees)
def test_what_is_exact_is_read_alike(tree: Any) -> None:
    assert read_odd_json(write_json(tree)) == tree


def test_nesting_without_end_is_refused_and_does_not_break_the_stack() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(b"[" * 200_000)


@pytest.mark.parametrize("number", [NumberText("007"), NumberText(".5"), Decimal("NaN")])
def test_a_number_that_json_cannot_say_is_not_written(number: Any) -> None:
    with pytest.raises(ValueError, match="not a JSON number"):
        write_json([number])


@pytest.mark.parametrize("value", [0.1, b"bytes", object()])
def test_a_float_is_never_written(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be written exactly"):
        write_json({"quantity": value})


def test_other_json_readers_agree() -> None:
    value = {"a": [True, None, 7, "ä\n"], "b": Decimal("0.10")}
    assert json.loads(write_json(value)) == {"a": [True, None, 7, "ä\n"], "b": 0.1}
