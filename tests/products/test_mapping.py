"""From the ERP's item to rows of the shop: exact, in the right scope, and never a guess."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.products.erp_product import ErpProduct, Part, ProductKind
from sync.products.mapped import UnmappedError
from sync.products.mapping import born, map_product
from sync.products.market import ProductMarket
from sync.products.plain_numbers import plain
from sync.products.rules import ProductRules
from sync.store.mirror_records import Values

PARTS: tuple[Part, ...] = ("orders", "names", "attributes", "barcode", "variants")
TODAY = date(2026, 11, 29)
RULES = {
    "languages": {"1": "en-us", "3": "de"},
    "tax_classes": {"FULL": 2, "RED": 4},
    "unit_attribute": "sales_unit",
    "units": {"PCS": "piece"},
    "barcode_attribute": "ean",
    "attributes": {"brand": "Brand"},
    "dimensions": {"color": "color", "size": "size"},
}
LAMP = ErpProduct(
    sku="LAMP-1",
    names={"en-us": "Lamp", "de": "Lampe"},
    price=Decimal(10),
    unit="PCS",
    inventory_unit="PCS",
    tax_group="FULL",
    net_weight=Decimal("1.200"),
    tare_weight=Decimal("0.3"),
    attributes={"Brand": "Acme"},
    barcode="4006381333931",
)


def market(*, is_master: bool = True, **rules: Any) -> ProductMarket:
    return ProductMarket(
        code="de",
        company="usmf",
        website_id=1,
        store_ids=[1, 3],
        rules=ProductRules.model_validate({**RULES, **rules}),
        is_master=is_master,
        has_masters=True,
        websites=[1, 2],
    )


def rows(product: ErpProduct, of: ProductMarket | None = None) -> dict[str, Values]:
    mapped = map_product(product, of or market(), today=TODAY)
    return {row.scope: row.values for row in mapped.rows}


def refusal(product: ErpProduct, of: ProductMarket | None = None) -> tuple[str, str, str]:
    row = map_product(product, of or market(), today=TODAY).held
    assert row is not None
    assert row.key == product.sku
    return row.field, row.text, row.advice


def test_each_field_is_in_its_own_scope() -> None:
    assert rows(LAMP) == {
        "global": {
            "type": "simple",
            "weight": "1.2",
            "tax_class_id": "2",
            "sales_unit": "piece",
            "ean": "4006381333931",
            "brand": "Acme",
            "price": "10",
        },
        "view/1": {"name": "Lamp"},
        "view/3": {"name": "Lampe"},
        "website/1": {"blocked": "0"},
    }


def test_another_market_owns_its_names_and_status_alone() -> None:
    found = rows(LAMP, market(is_master=False))
    assert found.keys() == {"view/1", "view/3", "website/1"}
    priced = rows(LAMP, market(is_master=False, price_scope="website"))
    assert priced["website/1"] == {"blocked": "0", "price": "10"}


def test_under_website_price_scope_the_master_has_no_global_price() -> None:
    found = rows(LAMP, market(price_scope="website"))
    assert "price" not in found["global"]
    assert found["website/1"]["price"] == "10"


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        ("10", "50", "0.2"),
        ("74.99", "1", "74.99"),
        ("10", "3", "3.3333"),
        ("0.05", "1000", "0.0001"),
    ],
)
def test_the_price_unit_is_divided_out(price: str, quantity: str, expected: str) -> None:
    screw = replace(LAMP, price=Decimal(price), price_quantity=Decimal(quantity))
    assert rows(screw)["global"]["price"] == expected


@given(
    st.decimals("0", "1000000", places=6, allow_nan=False),
    st.decimals("0.01", "100000", places=2, allow_nan=False),
)
def test_the_price_of_one_is_right_to_half_of_its_last_decimal(
    price: Decimal, quantity: Decimal
) -> None:
    found = rows(replace(LAMP, price=price, price_quantity=quantity))["global"]["price"]
    exact = Fraction(price) / Fraction(quantity)
    assert abs(Fraction(Decimal(str(found))) - exact) <= Fraction(1, 2 * 10**4)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-999, max_value=999))
def test_equal_numbers_are_equal_texts(number: Decimal) -> None:
    assert Decimal(plain(number)) == number
    assert plain(number) == plain(number.quantize(Decimal("0.00000000")))


def test_no_price_is_no_field_and_zero_is_zero() -> None:
    assert "price" not in rows(replace(LAMP, price=None))["global"]
    assert rows(replace(LAMP, price=Decimal("0.00")))["global"]["price"] == "0"


@pytest.mark.parametrize(
    ("members", "is_sold"),
    [
        ({}, True),
        ({"is_stopped": True}, False),
        ({"begins_on": TODAY}, True),
        ({"begins_on": date(2026, 11, 30)}, False),
        ({"ends_on": TODAY}, True),
        ({"ends_on": date(2026, 11, 28)}, False),
        ({"state": "Obsolete"}, False),
        ({"state": "obsolete"}, False),
        ({"state": "Active"}, True),
    ],
)
def test_what_is_not_sold_is_disabled(members: Any, *, is_sold: bool) -> None:
    item = replace(LAMP, **members)
    blocks = market(inactive_states=["Obsolete"])
    assert rows(item, blocks)["website/1"]["blocked"] == ("0" if is_sold else "1")
    both = market(inactive_states=["Obsolete"], status="erp")
    assert rows(item, both)["website/1"]["status"] == ("1" if is_sold else "2")


@pytest.mark.parametrize(
    ("members", "field", "entry"),
    [
        ({"unit": "BOX"}, "SalesUnitSymbol", 'add "BOX" to sync.markets.de.products.units'),
        (
            {"tax_group": "EXP"},
            "SalesSalesTaxItemGroupCode",
            'add "EXP" to sync.markets.de.products.tax_classes',
        ),
        (
            {"dimensions": {"style": "Old"}, "is_variant": True},
            "ProductStyleId",
            'add "style" to sync.markets.de.products.dimensions',
        ),
    ],
)
def test_what_stands_in_no_map_holds_its_sku_and_names_the_entry(
    members: Any, field: str, entry: str
) -> None:
    at_fault, _, advice = refusal(replace(LAMP, **members))
    assert at_fault == field
    assert advice.startswith(entry)


ODD: dict[str, Any] = {
    "names": {"en-us": "<b>Lamp</b>", "de": "x" * 300},
    "tax_group": "EXP",
    "unit": "BOX",
    "dimensions": {"style": "Old"},
}


@pytest.mark.parametrize("rules", [{}, {"status": "erp"}, {"price_scope": "website"}])
def test_what_is_blocked_is_withdrawn_whatever_else_is_wrong_with_it(rules: Any) -> None:
    """A name that nobody may show kept what the ERP had blocked on sale."""
    broken = replace(LAMP, is_stopped=True, price=Decimal(-1), **ODD)
    of = market(**rules)
    website = rows(broken, of)["website/1"]
    assert website == ({"status": "2"} if "status" in rules else {"blocked": "1"})
    unread = replace(broken, unread=dict.fromkeys(PARTS, "is not as agreed"), is_stopped=False)
    ended = replace(unread, ends_on=date(2026, 11, 28))
    assert rows(ended, of)["website/1"] == website
    assert "website/1" not in rows(unread, of), "nobody knows whether it is blocked"


@pytest.mark.parametrize("name", sorted(ODD))
def test_one_odd_field_is_held_by_name_and_the_others_go_on(name: str) -> None:
    mapped = map_product(replace(LAMP, **{name: ODD[name]}), market(), today=TODAY)
    assert mapped.held is not None
    assert mapped.held.is_part
    left = {row.scope: row.values for row in mapped.rows}
    gone = {
        "names": {"view/1", "view/3"},
        "tax_group": {"tax_class_id"},
        # A price for a box must not stand beside "piece".
        "unit": {"sales_unit", "price"},
        "dimensions": set(),
    }[name]
    whole = rows(LAMP)
    assert left == {
        scope: {field: value for field, value in values.items() if field not in gone}
        for scope, values in whole.items()
        if scope not in gone
    }


def test_several_odd_fields_are_one_record_that_names_each() -> None:
    fields, texts, advice = refusal(replace(LAMP, **ODD))
    assert fields == ("ProductName; SalesSalesTaxItemGroupCode; SalesUnitSymbol; ProductStyleId")
    assert ("HTML" in texts, "300" in texts, "tax_classes" in advice) == (True, True, True)


def test_nothing_is_made_while_a_field_is_held() -> None:
    with pytest.raises(UnmappedError, match="stands for nothing"):
        born(replace(LAMP, tax_group="EXP"), market(), today=TODAY)


def test_codes_of_the_maps_know_no_case() -> None:
    assert rows(replace(LAMP, unit="pcs", tax_group="Full"))["global"]["sales_unit"] == "piece"


def test_a_name_of_300_characters_is_held_or_cut_by_rule() -> None:
    """The shop would keep 255 of them, and answer with all."""
    long = replace(LAMP, names={"en-us": "x" * 300})
    field, text, advice = refusal(long)
    assert (field, "300" in text, "long_names" in advice) == ("ProductName", True, True)
    assert rows(long, market(long_names="cut"))["view/1"]["name"] == "x" * 255
    assert rows(replace(LAMP, names={"en-us": "x" * 255}))["view/1"]["name"] == "x" * 255


@pytest.mark.parametrize(
    ("name", "stripped"),
    [
        ("<b>Lamp</b> red", "Lamp red"),
        ("Lamp<script>alert(1)</script>", "Lamp alert(1)"),
        ("Lamp &amp; shade", "Lamp shade"),
        ("Lamp <img src=x onerror=alert(1)", "Lamp"),
        ("3<x and y>2", "3 2"),
        ("Lamp<x<5 onclick=alert(1)", "Lamp"),
        ("Lamp<script", "Lamp"),
        ("Lamp<br/>red", "Lamp red"),
        ("Lamp<!-- red", "Lamp"),
        ("Lamp &#60;b&#x3e;", "Lamp b"),
    ],
)
def test_a_name_with_html_is_held_or_stripped_by_rule(name: str, stripped: str) -> None:
    item = replace(LAMP, names={"de": name})
    field, text, _ = refusal(item)
    assert (field, text) == ("ProductName", "has HTML in its name")
    assert rows(item, market(markup_names="strip"))["view/3"]["name"] == stripped


@pytest.mark.parametrize(
    "name",
    [
        "M < 5 mm > 3",
        "Nuts & bolts",
        "Cable 3 < 4",
        "R&D; kit",
        "3<x<5",
        "Ring, d<b",
        "A < B > C",
        "Bolt &dia; 4",
        "x=3 <y",
    ],
)
def test_signs_are_no_html(name: str) -> None:
    assert rows(replace(LAMP, names={"de": name}))["view/3"]["name"] == name


def test_blanks_of_names_are_one_and_a_missing_language_is_left_alone() -> None:
    found = rows(replace(LAMP, names={"de": "  Lampe \n rot "}))
    assert found["view/3"] == {"name": "Lampe rot"}
    assert "view/1" not in found


def test_a_sku_that_the_shop_would_refuse_is_held() -> None:
    assert refusal(replace(LAMP, sku="x" * 65))[0] == "ItemNumber"


def test_a_master_is_a_configurable_with_its_variants() -> None:
    shade = replace(
        LAMP,
        sku="SHADE",
        kind=ProductKind.CONFIGURABLE,
        variants=["SHADE-RED", "SHADE-BLUE"],
        axes=["color"],
    )
    found = rows(shade)
    assert found["links"] == {"axes": ["color"], "variants": ["SHADE-BLUE", "SHADE-RED"]}
    assert "price" not in found["global"]
    assert refusal(replace(shade, axes=["version"]))[0] == "ProductVersionId"
    variant = rows(
        replace(LAMP, dimensions={"color": "RD"}), market(labels={"color": {"RD": "Red"}})
    )
    assert variant["global"]["color"] == "Red"


def test_order_quantities_are_owned_when_mapped_and_in_the_unit_that_is_sold() -> None:
    fields = market(fields=["quantities"])
    crate = replace(LAMP, minimum=Decimal(6), multiple=Decimal("6.000"))
    assert rows(crate, fields)["global"] == {
        "type": "simple",
        "min_sale_qty": "6",
        "max_sale_qty": "0",
        "qty_increments": "6",
    }
    assert refusal(replace(crate, inventory_unit="BOX"), fields)[0] == "MinimumSalesOrderQuantity"
    assert "min_sale_qty" in rows(replace(LAMP, inventory_unit="BOX"), fields)["global"]


def test_weights_are_net_or_gross_and_none_is_left_alone() -> None:
    assert rows(LAMP, market(weight="gross"))["global"]["weight"] == "1.5"
    assert "weight" not in rows(replace(LAMP, net_weight=Decimal(0)))["global"]


def test_what_a_product_is_made_with_is_in_the_first_language_or_its_own() -> None:
    assert born(LAMP, market(), today=TODAY) == ("Lamp", "10", False)
    assert born(replace(LAMP, names={}, own_name="Lamp 1"), market(), today=TODAY).name == "Lamp 1"
    with pytest.raises(UnmappedError, match="no name"):
        born(replace(LAMP, names={}), market(), today=TODAY)
