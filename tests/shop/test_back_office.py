"""What a real shop makes of orders that are edited, half cancelled, free, or placed in one go."""

from typing import Any

import pytest

from sync.magento.shop import Shop
from tests.cases import case
from tests.magento.recordings import recordings
from tests.shop.conftest import Wire
from tests.shop.replay import differences

ONE_LAMP = [{"sku": "LAMP-01", "quantity": 3}]


async def act(
    wire: Wire, number: int, action: str, members: dict[str, Any] | None = None
) -> tuple[int, Any]:
    address = f"{wire.sandbox.control_url}/systems/magento/orders/{number}/{action}"
    async with wire.session.post(address, json=members) as answer:
        return answer.status, await answer.json()


async def shown(wire: Wire, number: int) -> Any:
    return (await wire.send("GET", f"/rest/V1/orders/{number}")).body


async def test_an_edited_order_is_cancelled_and_replaced_under_a_number_with_a_suffix(
    wire: Wire,
) -> None:
    [first] = await wire.place(guest=True, store=1, lines=ONE_LAMP)
    like = case("magento/no_itemized_taxes_000000091-1.order")
    for times in (1, 2):
        status, body = await act(wire, first["entity_id"] + times - 1, "edit", {})
        assert (status, body["done"]["increment_id"]) == (200, f"000000001-{times}")
    old, middle, new = [await shown(wire, number) for number in (1, 2, 3)]
    assert [one["state"] for one in (old, middle, new)] == ["canceled", "canceled", "new"]
    assert old["relation_child_real_id"] == "000000001-1"
    assert old["relation_child_id"] == "2"
    members = ("edit_increment", "original_increment_id", "relation_parent_id")
    assert [middle[name] for name in members] == [1, "000000001", "1"]
    assert [new[name] for name in members] == [2, "000000001", "2"]
    assert new["relation_parent_real_id"] == "000000001-1"
    for name in (*members, "relation_parent_real_id"):
        assert type(middle[name]) is type(like[name])
    # The next order goes on with the store's own numbers.
    [after] = await wire.place(guest=True, store=1, lines=ONE_LAMP)
    assert after["increment_id"] == "000000002"


async def test_an_edit_changes_what_it_names(wire: Wire) -> None:
    [first] = await wire.place(customer=2, lines=ONE_LAMP)
    _, body = await act(wire, 1, "edit", {"lines": [{"sku": "LAMP-02", "quantity": 2}]})
    new = await shown(wire, body["done"]["entity_id"])
    assert [(item["sku"], item["qty_ordered"]) for item in new["items"]] == [("LAMP-02", 2)]
    assert new["customer_id"] == 2
    assert first["entity_id"] == int(new["relation_parent_id"])
    assert (await act(wire, 1, "edit", {}))[0] == 400
    assert (await act(wire, 2, "edit", {"nonsense": 1}))[0] == 422
    assert (await act(wire, 9, "edit", {}))[0] == 404
    assert (await act(wire, 2, "explode"))[0] == 422


async def test_the_rest_of_a_partly_invoiced_order_is_cancelled(wire: Wire) -> None:
    await wire.place(guest=True, lines=ONE_LAMP)
    invoiced = {"capture": True, "items": [{"order_item_id": 1, "qty": 1}]}
    assert (await act(wire, 1, "invoice", invoiced))[0] == 200
    assert await act(wire, 1, "cancel") == (200, {"done": True})
    like, order = case("magento/partly_cancelled_000000033.order"), await shown(wire, 1)
    quantities = ("qty_ordered", "qty_invoiced", "qty_canceled", "qty_shipped", "qty_refunded")
    assert [order["items"][0][name] for name in quantities] == [3, 1, 2, 0, 0]
    assert (order["state"], order["status"]) == (like["state"], like["status"])
    told = {name for name in like if "cancel" in name or "invoiced" in name}
    assert told <= order.keys()
    assert order["total_canceled"] == pytest.approx(order["grand_total"] - order["total_invoiced"])
    # Both go on as if nothing had been cancelled.
    assert await act(wire, 1, "cancel") == (200, {"done": False})
    assert (await act(wire, 1, "ship", {}))[0] == 200


async def test_an_order_placed_in_one_go_names_its_taxes_without_lines(wire: Wire) -> None:
    lines = [{"sku": "LAMP-04", "quantity": 2}]
    await wire.place(guest=True, store=1, lines=lines, bare_taxes=True)
    like, order = case("magento/no_itemized_taxes_000000091-1.order"), await shown(wire, 1)
    assert order["items"][0]["extension_attributes"] == like["items"][0]["extension_attributes"]
    assert order["items"][0]["tax_percent"] == 19
    taxes = ("applied_taxes", "item_applied_taxes", "taxes", "additional_itemized_taxes")
    for name in taxes:
        found, meant = order["extension_attributes"][name], like["extension_attributes"][name]
        assert list(differences(meant, found, {}, name)) == []
        assert len(found) == len(meant)
    kinds = [
        one["taxable_item_type"]
        for one in order["extension_attributes"]["additional_itemized_taxes"]
    ]
    assert kinds == ["product", "shipping"]


async def test_a_share_of_the_orders_names_no_taxes(wire: Wire, client: Shop) -> None:
    await wire.turn(bare_taxes=0.5)
    placed = await wire.place(kind="simple", count=20)
    orders = [await client.orders.order(one["entity_id"]) for one in placed]
    bare = [one for one in orders if one and not one.items[0].extension_attributes.itemized_taxes]
    assert 2 < len(bare) < 18


@pytest.mark.parametrize("includes_tax", [False, True])
async def test_nothing_is_due_of_an_order_with_a_coupon_of_a_hundred_percent(
    wire: Wire, *, includes_tax: bool
) -> None:
    await wire.place(
        guest=True,
        lines=ONE_LAMP,
        discount_percent=100,
        discounts_shipping=True,
        includes_tax=includes_tax,
    )
    name = f"discount_{'in' if includes_tax else 'ex'}cl_tax__hundred_percent_free_payment"
    like, order = recordings("order_shapes")[name].answer, await shown(wire, 1)
    [item], meant = order["items"], like["items"][0]
    for member in ("tax_percent", "tax_amount", "row_total_incl_tax", "extension_attributes"):
        assert item[member] == meant[member]
    for member in ("applied_taxes", "item_applied_taxes", "taxes", "additional_itemized_taxes"):
        assert order["extension_attributes"][member] == like["extension_attributes"][member] == []
    assert order["payment"]["method"] == like["payment"]["method"] == "free"


async def test_a_free_line_among_others_still_names_its_tax(wire: Wire) -> None:
    await wire.place(guest=True, lines=[{"sku": "LAMP-01", "price": "0"}, *ONE_LAMP])
    [free, _] = (await shown(wire, 1))["items"]
    assert [one["amount"] for one in free["extension_attributes"]["itemized_taxes"]] == [0]
