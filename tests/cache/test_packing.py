"""Whatever is packed comes back as it was; what prices look like becomes small."""

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from pricing_proxy.cache.packing import pack, unpack

PRICE: dict[str, Any] = {
    "sku": "LAMP-01",
    "unit": "PCS",
    "unit_price": "17.1000",
    "line_total": "171.00",
    "price": "19.00",
    "price_unit": "1",
    "discount_percent": "10",
    "charges": "0",
    "list_price": "19.90",
    "source": "agreements",
    "loaded_at": "2026-11-23T07:30:11Z",
}
BREAKS = [
    {"from_quantity": "1", "unit_price": "19.0000"},
    {"from_quantity": "10", "unit_price": "17.1000"},
]


def fragment(members: dict[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))[:-1]


def with_breaks() -> dict[str, Any]:
    *most, (source, named), (loaded_at, instant) = PRICE.items()
    more = {"breaks": BREAKS, "valid_until": "2026-12-31"}
    return {**dict(most), **more, source: named, loaded_at: instant}


@given(st.one_of(st.text(), st.dictionaries(st.text(), st.text()).map(fragment)))
@example("")
@example("[1")
@example(fragment(PRICE).replace(":", ": "))
@example(fragment(PRICE | {"sku": '100%s\\"\x1f\x01Ü'}))
@example(fragment(PRICE | {"list_price": None}))
@example(fragment(PRICE | {"price": 19}))
def test_every_text_comes_back(text: str) -> None:
    assert unpack(pack(text)) == text


@pytest.mark.parametrize(
    ("members", "most"), [(PRICE, 100), (PRICE | {"list_price": None}, 100), (with_breaks(), 200)]
)
def test_a_price_becomes_small(members: dict[str, Any], most: int) -> None:
    packed = pack(fragment(members))
    assert len(packed.encode()) < most
    assert unpack(packed) == fragment(members)


@pytest.mark.parametrize("packed", ["", "\x01", "\x01a\x1fb", "\x7fx"])
def test_what_was_never_packed_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        unpack(packed)
