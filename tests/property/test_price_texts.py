"""The ERP's number texts reach our JSON unchanged; what is derived is exact."""

import json
import re
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.cache import codec
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.d365.json_numbers import read_json
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.price import Price, price_fragment
from pricing_proxy.money import NumberText
from tests.property.test_money import PLAUSIBLE, rounded_half_up

MEMBERS = ("price", "price_unit", "discount_percent", "discount_amount", "charges", "line_total")
QUANTITIES = st.from_regex(re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII), fullmatch=True).filter(
    lambda text: Decimal(text) > 0
)


@given(
    texts=st.tuples(*[PLAUSIBLE] * len(MEMBERS)),
    quantity=QUANTITIES,
    sku=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    decimals=st.integers(0, 8),
)
def test_number_texts_pass_through_and_the_unit_price_is_rounded_once(
    texts: tuple[str, ...], quantity: str, sku: str, decimals: int
) -> None:
    body = (
        "{" + ",".join(f'"{name}":{text}' for name, text in zip(MEMBERS, texts, strict=True)) + "}"
    )
    price = Price(**read_json(body.encode()))
    fragment = price_fragment(
        price,
        sku=sku,
        unit="PCS",
        quantity=NumberText(quantity),
        list_price=None,
        decimals=decimals,
        source="fo_service",
        loaded_at="2026-11-23T07:30:11Z",
    )
    line = json.loads(fragment + "}")
    sent = dict(zip(MEMBERS, texts, strict=True))
    if not Decimal(sent["discount_amount"]):
        del sent["discount_amount"]
    assert {name: line[name] for name in sent} == sent
    assert line["sku"] == sku
    expected = Fraction(sent["line_total"]) / Fraction(quantity)
    assert line["unit_price"] == rounded_half_up(expected, decimals)
    # Nor does a way through Redis change a digit.
    time = SharedTime(3, 1)
    entry = Entry(Kind.PRICE, fragment, 5, 7, 1_000_000, 2_000_000)
    assert codec.decode(codec.encode(entry, time=time), time=time, now_us=0) == entry
