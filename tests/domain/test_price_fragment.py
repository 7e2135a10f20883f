import json

from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.price import (
    NoPriceReason,
    Price,
    no_price_fragment,
    price_fragment,
)
from pricing_proxy.money import NumberText

LOADED_AT = "2026-11-23T07:30:11Z"


def fragment(*, discount_amount: str = "0", list_price: str | None = "19.90") -> str:
    return price_fragment(
        Price(
            price=NumberText("19.00"),
            price_unit=NumberText("1"),
            discount_percent=NumberText("10"),
            discount_amount=NumberText(discount_amount),
            charges=NumberText("0"),
            line_total=NumberText("171.00"),
        ),
        sku='LAMP "Ä"',
        unit="PCS",
        quantity=NumberText("10"),
        list_price=list_price,
        decimals=4,
        source="fo_service",
        loaded_at=LOADED_AT,
    )


def test_a_price_becomes_an_open_json_object_of_texts() -> None:
    assert json.loads(fragment() + "}") == {
        "sku": 'LAMP "Ä"',
        "unit": "PCS",
        "unit_price": "17.1000",
        "line_total": "171.00",
        "price": "19.00",
        "price_unit": "1",
        "discount_percent": "10",
        "charges": "0",
        "list_price": "19.90",
        "source": "fo_service",
        "loaded_at": LOADED_AT,
    }


def test_a_discount_amount_is_told_only_where_there_is_one() -> None:
    """Without it, price and percentage would not explain the total."""
    assert "discount_amount" not in fragment(discount_amount="0.00")
    assert json.loads(fragment(discount_amount="0.50") + "}")["discount_amount"] == "0.50"


def test_an_unknown_list_price_is_null() -> None:
    assert json.loads(fragment(list_price=None) + "}")["list_price"] is None


def test_no_price_says_why() -> None:
    text = no_price_fragment(
        NoPriceReason.UNKNOWN_UNIT, sku="S", unit="BOX", source="fo_service", loaded_at=LOADED_AT
    )
    assert json.loads(text + "}") == {
        "sku": "S",
        "unit": "BOX",
        "reason": "unknown_unit",
        "source": "fo_service",
        "loaded_at": LOADED_AT,
    }


def test_an_entry_tells_when_it_was_read_out_of_its_fragment() -> None:
    for text in (
        fragment(),
        no_price_fragment(
            NoPriceReason.NOT_SOLD, sku="S", unit="", source="x", loaded_at=LOADED_AT
        ),
    ):
        assert Entry(Kind.PRICE, text, 0, 0, 1, 1).loaded_at == LOADED_AT
