"""Orders of the sandbox have the members of recorded orders of their kind, type for type."""

from typing import Any

import pytest

from tests.magento.recordings import recordings
from tests.shop.conftest import Wire
from tests.shop.replay import differences

SHAPES = recordings("order_shapes")
BERLIN = {"region": "Berlin", "region_code": "BER", "region_id": 82}
LAMP = {"sku": "LAMP-04", "quantity": 3}
REDUCED = {"sku": "LAMP-05", "quantity": 7}
METRES = {"sku": "CABLE-0001", "quantity": "2.5"}
DISCOUNTED = {"discount_percent": 10, "discounts_shipping": True}


@pytest.mark.parametrize(
    ("name", "cart"),
    [
        ("discount_excl_tax__percent_also_on_shipping", {"lines": [LAMP], **DISCOUNTED}),
        (
            "discount_incl_tax__percent_also_on_shipping",
            {"lines": [LAMP], "includes_tax": True, **DISCOUNTED},
        ),
        ("tax_excl_row__mixed_rates", {"lines": [LAMP, LAMP, LAMP, LAMP, REDUCED, LAMP]}),
        (
            "tax_incl_row__mixed_rates",
            {"lines": [LAMP, LAMP, LAMP, LAMP, REDUCED, LAMP], "includes_tax": True},
        ),
        (
            "types_bundle_dynamic_price_ship_together_excl_tax",
            {"lines": [{"sku": "LAMP-SET", "quantity": 2}], **DISCOUNTED},
        ),
        (
            "types_bundle_fixed_price_ship_together_excl_tax",
            {"lines": [{"sku": "LAMP-KIT", "quantity": 2}], **DISCOUNTED},
        ),
        (
            "types_custom_options_select_and_text",
            {"lines": [{"sku": "LAMP-03", "quantity": 2, "text": "Łódź", "choice": 2}]},
        ),
        ("types_virtual_only_no_shipping_address", {"lines": [{"sku": "SERVICE-01"}]}),
        (
            "qty_fractional",
            {"lines": [{"sku": "CABLE-0001", "quantity": "2.5"}, LAMP], **DISCOUNTED},
        ),
        ("zero_total_free_shipping", {"lines": [LAMP], "discount_percent": 100}),
    ],
)
async def test_an_order_has_the_recorded_members(wire: Wire, name: str, cart: Any) -> None:
    (placed,) = await wire.place(kind="simple", guest=True, website="base", address=BERLIN, **cart)
    answer = await wire.send("GET", f"/rest/V1/orders/{placed['entity_id']}")
    assert list(differences(SHAPES[name].answer, answer.body, {})) == []


async def test_documents_have_the_recorded_members(wire: Wire) -> None:
    lines = [{"sku": "LAMP-04", "quantity": 4}, {"sku": "LAMP-05", "quantity": 3}]
    (placed,) = await wire.place(
        kind="simple", guest=True, website="base", lines=lines, discount_percent=10
    )
    number = placed["entity_id"]
    item = wire.sandbox.shop.orders[number]["items"][0]["item_id"]
    second = wire.sandbox.shop.orders[number]["items"][1]["item_id"]
    rows = [{"order_item_id": item, "qty": 1}, {"order_item_id": second, "qty": 1}]
    track = {"track_number": "T1", "title": "DHL", "carrier_code": "custom"}
    refund = {"shipping_amount": 2, "adjustment_positive": 1, "adjustment_negative": 0.5}
    for path, body in (
        ("invoice", {"capture": True, "items": rows}),
        ("invoice", {"capture": True, "items": rows[:1]}),
        ("ship", {"items": [{"order_item_id": item, "qty": 3}], "tracks": [track]}),
        ("refund", {"items": rows[:1], "arguments": refund}),
    ):
        answer = await wire.send("POST", f"/rest/V1/order/{number}/{path}", body)
        assert answer.status == 200, answer.body
    one = f"searchCriteria[filter_groups][0][filters][0][field]=order_id&{VALUE}={number}"
    for route, name in (
        ("invoices", "documents_excl_tax__05_invoices"),
        ("creditmemos", "documents_excl_tax__12_creditmemos"),
        ("shipments", "documents_excl_tax__17_shipments"),
    ):
        answer = await wire.send("GET", f"/rest/V1/{route}?{one}")
        recorded = SHAPES[name].answer
        like = {**recorded, "items": recorded["items"][: len(answer.body["items"])]}
        assert list(differences(like, answer.body, {})) == [], route


VALUE = "searchCriteria[filter_groups][0][filters][0][value]"


async def test_an_order_after_refunds_has_the_recorded_members(wire: Wire) -> None:
    (placed,) = await wire.place(
        kind="simple",
        guest=True,
        website="base",
        address=BERLIN,
        lines=[LAMP, REDUCED],
        discount_percent=10,
    )
    number = placed["entity_id"]
    items = [item["item_id"] for item in wire.sandbox.shop.orders[number]["items"]]
    rows = [{"order_item_id": item, "qty": 2} for item in items]
    back = {"shipping_amount": 1, "adjustment_positive": 1, "adjustment_negative": 0.5}
    for path, body in (
        ("invoice", {"items": rows}),
        (
            "refund",
            {"items": [row | {"qty": 1} for row in rows], "arguments": back},
        ),
        ("ship", {"items": rows}),
    ):
        answer = await wire.send("POST", f"/rest/V1/order/{number}/{path}", body)
        assert answer.status == 200, answer.body
    answer = await wire.send("GET", f"/rest/V1/orders/{number}")
    recorded = SHAPES["documents_excl_tax__13_order_after_refunds"].answer
    found = [
        one
        for one in differences(recorded, answer.body, {})
        # Other lines than those recorded: a configurable was among them.
        if "product_option" not in one and "parent_item" not in one
    ]
    assert found == []
