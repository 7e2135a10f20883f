"""Recorded chains of invoices, shipments, refunds and cancellations, to the cent."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.magento.recordings import recordings
from tests.shop.conftest import Wire
from tests.shop.replay import replay

SHAPES = recordings("order_shapes")
# The recorded cart: its prices and quantities, on products of the sandbox taxed alike.
CART: list[dict[str, Any]] = [
    {"sku": "LAMP-04", "quantity": 4, "price": "10"},
    {"sku": "LAMP-05", "quantity": 3, "price": "1.49"},
    {"sku": None, "quantity": 2, "price": "30"},
    {"sku": "SERVICE-01", "quantity": 1, "price": "25"},
]
ZERO = Decimal(0)
AMOUNTS = (
    "subtotal",
    "discount_amount",
    "shipping_amount",
    "shipping_tax_amount",
    "tax_amount",
    "grand_total",
    "subtotal_invoiced",
    "tax_invoiced",
    "discount_invoiced",
    "shipping_invoiced",
    "total_invoiced",
    "total_paid",
    "total_due",
    "subtotal_refunded",
    "tax_refunded",
    "discount_refunded",
    "shipping_refunded",
    "total_refunded",
    "subtotal_canceled",
    "tax_canceled",
    "total_canceled",
    "discount_canceled",
    "adjustment_positive",
    "adjustment_negative",
)
QUANTITIES = ("qty_ordered", "qty_invoiced", "qty_shipped", "qty_refunded", "qty_canceled")


def numbers(body: Any, names: tuple[str, ...], *, cent: Decimal = ZERO) -> dict[str, Decimal]:
    """Return members as decimals; `cent` is added to those that shipping's tax is in."""
    found = {name: Decimal(str(body[name])) for name in names if body.get(name) is not None}
    if not found.get("shipping_tax_amount"):
        return found
    taxed = ("tax_amount", "tax_invoiced", "shipping_tax_amount")
    return {name: value + cent * (name in taxed) for name, value in found.items()}


@pytest.mark.parametrize(
    ("chain", "order", "first", "invoice"),
    [("documents_excl_tax__", 127, 308, 20), ("documents_incl_tax__", 126, 303, 18)],
)
async def test_the_recorded_chain_of_documents_comes_to_the_recorded_cents(
    wire: Wire, chain: str, order: int, first: int, invoice: int
) -> None:
    shade = wire.sandbox.shop.catalog.named("SHADE-0001")
    variant = wire.sandbox.shop.catalog.by_id(next(iter(shade.variants))).sku
    lines = [line | {"sku": line["sku"] or variant} for line in CART]
    includes = chain == "documents_incl_tax__"
    await wire.place(
        kind="simple",
        guest=True,
        website="base",
        lines=lines,
        discount_percent=10,
        includes_tax=includes,
    )
    # The order's id and its lines', and that of its first invoice.
    items = {str(first + place): str(1 + place) for place in range(5)}
    items |= {str(order): "1", str(invoice): "1"}
    # Shipping is taxed piece by piece there: a cent more, where prices include tax.
    cent = Decimal("0.01") if includes else ZERO
    for name, recording in SHAPES.items():
        step = name.removeprefix(chain)
        # What is searched for is compared below.
        if step == name or not step[:2].isdigit() or "?" in recording.path:
            continue
        if recording.method == "POST":
            await replay(wire, recording, items)
            continue
        answer = await wire.send("GET", "/rest/V1/orders/1")
        recorded = recording.answer
        assert numbers(answer.body, AMOUNTS, cent=cent) == numbers(recorded, AMOUNTS), name
        assert answer.body["state"] == recorded["state"], name
        for line, like in zip(answer.body["items"], recorded["items"], strict=True):
            assert numbers(line, QUANTITIES) == numbers(like, QUANTITIES), (name, line["sku"])
    await compare_documents(wire, "invoices", chain + "05_invoices", cent=cent)
    await compare_documents(wire, "creditmemos", chain + "12_creditmemos")


@pytest.mark.parametrize("discount", ["goods_discount", "shipping_discount"])
@pytest.mark.parametrize("taxes", ["excl_tax", "incl_tax"])
async def test_three_thirds_and_a_refund_of_one_of_each_come_to_the_recorded_cents(
    wire: Wire, taxes: str, discount: str
) -> None:
    """With a discount on shipping the memo's own is wrong, and the rest is refused."""
    chain = f"documents_{taxes}__{discount}_"
    placed = SHAPES[chain + "0_order_placed"].answer
    await wire.place(
        kind="simple",
        guest=True,
        website="base",
        lines=[
            {"sku": "LAMP-04", "quantity": 3, "price": "10"},
            {"sku": "LAMP-05", "quantity": 3, "price": "1.49"},
        ],
        discount_percent=10,
        discounts_shipping=discount == "shipping_discount",
        includes_tax=taxes == "incl_tax",
    )
    thirds = [{"order_item_id": number, "qty": 1} for number in (1, 2)]
    for _ in range(3):
        await wire.send("POST", "/rest/V1/order/1/invoice", {"items": thirds})
    await wire.send("POST", "/rest/V1/order/1/ship", {})
    words = {str(line["item_id"]): str(1 + at) for at, line in enumerate(placed["items"])}
    words[str(placed["entity_id"])] = "1"
    for step in ("3_refund_one_of_each", "4_refund_rest"):
        await replay(wire, SHAPES[chain + step], words)
    answer = (await wire.send("GET", "/rest/V1/orders/1")).body
    recorded = SHAPES[chain + "6_order_at_the_end"].answer
    assert numbers(answer, AMOUNTS) == numbers(recorded, AMOUNTS)
    assert answer["state"] == recorded["state"]
    await compare_documents(wire, "invoices", chain + "1_invoices_three_thirds")
    await compare_documents(wire, "creditmemos", chain + "5_creditmemos")


async def test_refunds_that_name_nothing_take_everything(wire: Wire) -> None:
    """No lines and an adjustment: all that is invoiced; no shipping amount: all of it."""
    lamps = {"sku": "LAMP-04", "quantity": 2, "price": "10"}
    reduced = {"sku": "LAMP-05", "quantity": 1, "price": "5"}
    for lines in ([lamps], [lamps, reduced], [lamps]):
        await wire.place(kind="simple", guest=True, website="base", lines=lines)
    for number in (1, 2):
        await wire.send("POST", f"/rest/V1/order/{number}/invoice", {})
    chain = "documents_excl_tax__"
    words = {"132": "1", "321": "1", "133": "2", "322": "2", "323": "3"}
    await wire.send("POST", "/rest/V1/order/2/ship", {})
    await replay(wire, SHAPES[chain + "empty_items_list_with_adjustment_refund"], words)
    await compare_documents(
        wire, "creditmemos", chain + "empty_items_list_with_adjustment_creditmemos"
    )
    await replay(wire, SHAPES[chain + "refund_without_arguments_refund"], words)
    await compare_documents(
        wire, "creditmemos", chain + "refund_without_arguments_creditmemos", order=2
    )
    one = {"items": [{"order_item_id": 4, "qty": 1}]}
    await wire.send("POST", "/rest/V1/order/3/invoice", one)
    await wire.send("POST", "/rest/V1/order/3/refund", one)
    for step in ("1_order_after_refund", "2_order_after_cancel"):
        recorded = SHAPES[f"{chain}refund_all_then_cancel_rest_{step}"].answer
        order = (await wire.send("GET", "/rest/V1/orders/3")).body
        assert numbers(order, AMOUNTS) == numbers(recorded, AMOUNTS), step
        assert order["state"] == recorded["state"]
        await wire.send("POST", "/rest/V1/orders/3/cancel")


async def test_a_second_currency_is_computed_by_itself(wire: Wire) -> None:
    """Neither currency's amounts follow from the other's; a refund names the shop's own."""
    chain = "documents_currency_base_EUR_order_USD__"
    lines = [
        {"sku": "LAMP-04", "quantity": 3, "price": "10"},
        {"sku": "LAMP-05", "quantity": 3, "price": "9.99"},
    ]
    await wire.place(
        kind="simple", guest=True, website="base", lines=lines, discount_percent=10, currency="USD"
    )
    placed = SHAPES[chain + "0_order_placed"].answer
    order = (await wire.send("GET", "/rest/V1/orders/1")).body
    # The shipping's tax is a cent more there, and all sums that it is in.
    unlike = ("tax_amount", "shipping_tax_amount", "grand_total", "total_due")
    both = tuple(name for name in AMOUNTS if name not in unlike)
    both += tuple(f"base_{name}" for name in AMOUNTS)
    assert numbers(order, both) == numbers(placed, both)
    assert numbers(order, ("base_to_order_rate",)) == numbers(placed, ("base_to_order_rate",))
    for name in ("order_currency_code", "base_currency_code"):
        assert order[name] == placed[name]
    amounts = ("price", "row_total", "row_total_incl_tax", "tax_amount", "discount_amount")
    of_lines = (*amounts, *(f"base_{name}" for name in amounts))
    for line, like in zip(order["items"], placed["items"], strict=True):
        assert numbers(line, of_lines) == numbers(like, of_lines)
    for quantity in (1, 2):
        rows = [{"order_item_id": number, "qty": quantity} for number in (1, 2)]
        await wire.send("POST", "/rest/V1/order/1/invoice", {"items": rows})
    await wire.send("POST", "/rest/V1/order/1/ship", {})
    words = {"138": "1", "336": "1", "337": "2"}
    await replay(wire, SHAPES[chain + "2_refund_shipping_amount_5"], words)
    one = "searchCriteria[filter_groups][0][filters][0]"
    for route, step, names in (
        ("invoices", "1_invoices", both),
        ("creditmemos", "3_creditmemos", (*both, "adjustment", "base_adjustment")),
    ):
        body = (
            await wire.send("GET", f"/rest/V1/{route}?{one}[field]=order_id&{one}[value]=1")
        ).body
        for document, like in zip(body["items"], SHAPES[chain + step].answer["items"], strict=True):
            assert numbers(document, names) == numbers(like, names), step
            for line, line_like in zip(document["items"], like["items"], strict=True):
                assert numbers(line, of_lines) == numbers(line_like, of_lines), step


async def compare_documents(
    wire: Wire, route: str, name: str, *, order: int = 1, cent: Decimal = ZERO
) -> None:
    one = "searchCriteria[filter_groups][0][filters][0]"
    answer = await wire.send("GET", f"/rest/V1/{route}?{one}[field]=order_id&{one}[value]={order}")
    recorded = SHAPES[name].answer["items"]
    assert len(answer.body["items"]) == len(recorded)
    for document, like in zip(answer.body["items"], recorded, strict=True):
        ours = numbers(document, AMOUNTS, cent=cent)
        assert ours == numbers(like, AMOUNTS), document["increment_id"]
        names = ("qty", "row_total", "tax_amount", "discount_amount")
        for line, line_like in zip(document["items"], like["items"], strict=True):
            assert numbers(line, names) == numbers(line_like, names)


@pytest.mark.parametrize(
    ("chain", "sku", "words"),
    [
        (
            "documents_bundle_dynamic_ship_together__",
            "LAMP-SET",
            {
                "OS-BD-T-OS-STD-OS-RED": "LAMP-SET-LAMP-02-LAMP-04-LAMP-05",
                "134": "1",
                "324": "1",
                "325": "2",
                "326": "3",
            },
        ),
        (
            "documents_bundle_fixed_ship_together__",
            "LAMP-KIT",
            {"OS-BF-T": "LAMP-KIT", "136": "1", "330": "1", "331": "2", "332": "3"},
        ),
        (
            "documents_bundle_dynamic_ship_separately__",
            "LAMP-SET-SEPARATE",
            {
                "OS-BD-S-OS-STD-OS-RED": "LAMP-SET-SEPARATE-LAMP-02-LAMP-04-LAMP-05",
                "135": "1",
                "327": "1",
                "328": "3",
                "329": "2",
            },
        ),
        (
            "documents_bundle_fixed_ship_separately__",
            "LAMP-KIT-SEPARATE",
            {"OS-BF-S": "LAMP-KIT-SEPARATE", "137": "1", "333": "1", "334": "3", "335": "2"},
        ),
    ],
)
async def test_bundles_take_and_refuse_what_they_took_and_refused(
    wire: Wire, chain: str, sku: str, words: dict[str, str]
) -> None:
    await wire.place(kind="simple", lines=[{"sku": sku, "quantity": 2}], discount_percent=10)
    replayed = 0
    for name, recording in SHAPES.items():
        if name.startswith(chain) and recording.method == "POST":
            await replay(wire, recording, words)
            replayed += 1
    assert replayed == 8
    assert wire.sandbox.shop.orders[1]["state"] == "complete"


@pytest.mark.parametrize(
    ("chain", "sku", "number", "first"),
    [
        ("documents_bundle_dynamic_ship_separately__", "LAMP-SET-SEPARATE", "135", 327),
        ("documents_bundle_fixed_ship_separately__", "LAMP-KIT-SEPARATE", "137", 333),
    ],
)
async def test_a_bundle_sent_in_parts_is_listed_and_counted_as_recorded(
    wire: Wire, chain: str, sku: str, number: str, first: int
) -> None:
    """The bundle's own line is on each shipment with one piece that no total counts."""
    await wire.place(kind="simple", lines=[{"sku": sku, "quantity": 2}])
    # The recorded bundle held one and two of its parts; here these are the second and the first.
    ours = {first: 1, first + 1: 3, first + 2: 2}
    rows = [{"order_item_id": 3, "qty": 1}, {"order_item_id": 2, "qty": 2}]
    for body, name in (({"items": rows}, "5_order"), ({}, "11_order_at_the_end")):
        assert (await wire.send("POST", "/rest/V1/order/1/ship", body)).status == 200
        answer = (await wire.send("GET", "/rest/V1/orders/1")).body
        shipped = {line["item_id"]: line["qty_shipped"] for line in answer["items"]}
        for line in SHAPES[chain + name].answer["items"]:
            assert shipped[ours[line["item_id"]]] == line["qty_shipped"], (number, name)
    [one, _] = (await wire.send("GET", "/rest/V1/shipments?searchCriteria=")).body["items"]
    like = SHAPES[chain + "7_shipments"].answer["items"][0]
    assert one["total_qty"] == like["total_qty"]
    told = {line["order_item_id"]: line["qty"] for line in one["items"]}
    assert told == {ours[line["order_item_id"]]: line["qty"] for line in like["items"]}
    assert one["items"][0]["order_item_id"] == 1


@pytest.mark.parametrize("path", ["ship", "invoice"])
async def test_of_four_at_once_one_gets_through(wire: Wire, path: str) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01"}])
    sent = [wire.send("POST", f"/rest/V1/order/1/{path}", {}) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
