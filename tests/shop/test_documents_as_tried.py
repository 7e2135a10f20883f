"""Documents side by side with a real Magento 2.4.7: what recordings do not show."""

import asyncio
from typing import Any

import pytest

from tests.shop.conftest import Wire

ORDER = "/rest/V1/order/1"
DOCUMENTS = {"ship": "Shipment", "invoice": "Invoice", "refund": "Creditmemo"}
HELD = "A {} be created when an order has a status of holded"
NO_MONEY = "The most money available to refund is 0."
TOO_MANY = "The quantity to refund must not be greater than the unrefunded quantity."
NOT_ALLOWED = "The order does not allow an invoice to be created."
NOTHING_INVOICED = "The invoice can't be created without products. Add products and try again."
NOTHING_SHIPPED = "You can't create a shipment without products."


async def order_of(wire: Wire) -> dict[str, Any]:
    body: dict[str, Any] = (await wire.send("GET", "/rest/V1/orders/1")).body
    return body


async def documents(wire: Wire, route: str) -> list[dict[str, Any]]:
    answer = await wire.send("GET", f"/rest/V1/{route}?searchCriteria=")
    found: list[dict[str, Any]] = answer.body["items"]
    return found


def named(order: dict[str, Any], *quantities: float) -> dict[str, Any]:
    """Name rows of an order, from its second one on where there are several."""
    rows = order["items"][1:] or order["items"]
    pairs = zip(rows, quantities, strict=True)
    return {"items": [{"order_item_id": row["item_id"], "qty": each} for row, each in pairs]}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/rest/V1/orders/1/comments", {"statusHistory": {"comment": "picked"}}),
        ("/rest/V1/orders", {"entity": {"entity_id": 1, "ext_order_id": "000697"}}),
    ],
)
async def test_what_a_document_writes_while_an_order_is_saved_is_lost(
    wire: Wire, route: str, body: dict[str, Any]
) -> None:
    """Tried three times each: the invoice and its sums were there, its quantities were not."""
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 2}])
    await wire.turn(order_save_ms=200)
    saving = asyncio.create_task(wire.send("POST", route, body))
    await asyncio.sleep(0.05)
    assert (await wire.send("POST", f"{ORDER}/invoice", {})).status == 200
    assert (await order_of(wire))["items"][0]["qty_invoiced"] == 2
    assert (await saving).status == 200
    order = await order_of(wire)
    assert order["items"][0]["qty_invoiced"] == 0
    assert order["total_invoiced"] == order["grand_total"]
    assert "amount_paid" not in order["payment"]
    assert len(await documents(wire, "invoices")) == 1
    await wire.turn(order_save_ms=0)
    assert (await wire.send("POST", route, body)).status == 200


async def test_a_bundles_parent_is_listed_whole_with_any_of_its_parts(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-SET", "quantity": 2}])
    parts = named(await order_of(wire), 1, 1, 1)
    for times in (1, 2):
        await wire.send("POST", f"{ORDER}/invoice", parts if times == 1 else {})
        invoice = (await documents(wire, "invoices"))[-1]
        pieces = 3 if times == 1 else 5
        assert (invoice["items"][0]["qty"], invoice["total_qty"]) == (2, 2 + pieces)
        assert (await order_of(wire))["items"][0]["qty_invoiced"] == 2 * times
    for refunded in (4, 8):
        await wire.send("POST", f"{ORDER}/refund", parts)
        assert (await documents(wire, "creditmemos"))[-1]["items"][0]["qty"] == 4
        assert (await order_of(wire))["items"][0]["qty_refunded"] == refunded


async def test_an_invoice_counts_the_rows_without_value_too(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "SHADE-0001 : : S : Black :", "quantity": 3}])
    await wire.send("POST", f"{ORDER}/invoice", {})
    [invoice] = await documents(wire, "invoices")
    assert invoice["total_qty"] == 6


async def test_adjustments_are_in_a_memo_where_they_are_named_and_zero_too(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 2}])
    await wire.send("POST", f"{ORDER}/invoice", {})
    one = named(await order_of(wire), 1)
    adjusted = {"arguments": {"shipping_amount": 0, "adjustment_positive": 0}}
    await wire.send("POST", f"{ORDER}/refund", one | adjusted)
    assert (await order_of(wire))["customer_note_notify"] == 0
    await wire.send("POST", f"{ORDER}/refund", one | {"notify": True})
    assert (await order_of(wire))["customer_note_notify"] == 1
    first, second = await documents(wire, "creditmemos")
    assert (first["adjustment_positive"], first["base_adjustment_positive"]) == (0, 0)
    assert "adjustment_negative" not in first
    assert "adjustment_positive" not in second


@pytest.mark.parametrize(
    ("before", "deed", "problems"),
    [
        ("hold", "ship", [HELD.format("shipment cannot")]),
        ("hold", "refund", [HELD.format("creditmemo can not"), NO_MONEY, TOO_MANY]),
        ("", "refund", [NO_MONEY, TOO_MANY]),
        ("invoice", "invoice", [NOTHING_INVOICED, NOT_ALLOWED]),
    ],
)
async def test_refusals_name_all_that_is_wrong(
    wire: Wire, before: str, deed: str, problems: list[str]
) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 2}])
    if before:
        path = "/rest/V1/orders/1" if before == "hold" else ORDER
        await wire.send("POST", f"{path}/{before}", {})
    answer = await wire.send("POST", f"{ORDER}/{deed}", named(await order_of(wire), 1))
    message = "\n".join([f"{DOCUMENTS[deed]} Document Validation Error(s):", *problems])
    assert (answer.status, answer.body["message"]) == (400, message)


async def test_nothing_of_a_service_is_shipped_whatever_is_named(wire: Wire) -> None:
    await wire.place(kind="virtual")
    answer = await wire.send("POST", f"{ORDER}/ship", named(await order_of(wire), 1))
    text = "A shipment cannot be created when an order has a status of pending"
    heading = "Shipment Document Validation Error(s):"
    assert answer.body["message"] == f"{heading}\n{text}\n{NOTHING_SHIPPED}"


@pytest.mark.parametrize("currency", ["EUR", "USD"])
async def test_a_refund_of_everything_gives_back_the_tax_in_the_discount_on_shipping(
    wire: Wire, currency: str
) -> None:
    """A memo has no member of its own for it: it is in that of the goods."""
    await wire.place(
        kind="simple",
        lines=[{"sku": "LAMP-01", "quantity": 3}],
        discount_percent=10,
        discounts_shipping=True,
        includes_tax=True,
        currency=currency,
    )
    await wire.send("POST", f"{ORDER}/invoice", {})
    order = await order_of(wire)
    assert order["shipping_discount_tax_compensation_amount"] > 0
    await wire.send("POST", f"{ORDER}/refund", {})
    [memo] = await documents(wire, "creditmemos")
    for name in ("grand_total", "base_grand_total"):
        assert memo[name] == order[name]
    both = ("discount_tax_compensation_amount", "shipping_discount_tax_compensation_amount")
    assert memo[both[0]] == pytest.approx(sum(order[name] for name in both))
    assert (await order_of(wire))["state"] == "closed"


@pytest.mark.parametrize(
    ("quantity", "price", "unit", "row"),
    [("3", "0.333", 0.33, 0.99), ("0.333", "3.37", 3.37, 1.1222), ("2.5", "3.37", 3.37, 8.425)],
)
async def test_prices_are_in_cents_and_rows_of_fractions_keep_four_decimals(
    wire: Wire, quantity: str, price: str, unit: float, row: float
) -> None:
    line = {"sku": "CABLE-0001", "quantity": quantity, "price": price}
    await wire.place(kind="simple", lines=[line])
    [item] = (await order_of(wire))["items"]
    assert (item["price"], item["row_total"]) == (unit, row)
