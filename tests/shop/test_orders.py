"""The simulated shop's orders of every kind are read by the real client, and add up."""

import json
from decimal import Decimal

import pytest

from sync.magento.order_models import Order
from sync.magento.shop import Shop
from sync.orders.mapping import map_order, products_of
from tests.magento.test_models import check_sums
from tests.orders import recorded
from tests.shop.conftest import Wire

KINDS = (
    "simple",
    "configurable",
    "bundle",
    "options",
    "discount",
    "tax",
    "guest",
    "company",
    "fixed_bundle",
    "separate_bundle",
    "separate_fixed_bundle",
    "virtual",
)


async def placed(wire: Wire, client: Shop, **members: object) -> Order:
    (named,) = await wire.place(**members)
    order = await client.orders.order(named["entity_id"])
    assert order is not None
    return order


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("includes_tax", [False, True])
@pytest.mark.parametrize("discount", [0, 10])
async def test_every_kind_adds_up(
    wire: Wire, client: Shop, kind: str, *, includes_tax: bool, discount: int
) -> None:
    order = await placed(
        wire,
        client,
        kind=kind,
        includes_tax=includes_tax,
        discount_percent=discount,
        discounts_shipping=True,
    )
    check_sums(order)


async def test_mixed_orders_hold_every_kind(wire: Wire, client: Shop) -> None:
    orders = [await client.orders.order(one["entity_id"]) for one in await wire.place(count=16)]
    assert {line.product_type for order in orders if order for line in order.items} >= {
        "simple",
        "configurable",
        "bundle",
    }
    assert {order.customer_id for order in orders if order} == {None, 1, 2, 3}
    assert any(order.coupon_code for order in orders if order)
    assert any(line.options.custom_options for order in orders if order for line in order.items)
    for order in orders:
        assert order is not None
        check_sums(order)


async def test_a_total_can_be_made_not_to_add_up(wire: Wire, client: Shop) -> None:
    order = await placed(wire, client, kind="simple", total_off_by="0.50")
    with pytest.raises(AssertionError):
        check_sums(order)


async def test_an_order_is_what_was_asked_for(wire: Wire, client: Shop) -> None:
    order = await placed(
        wire,
        client,
        customer=2,
        website="base",
        lines=[{"sku": "LAMP-01", "quantity": "2.5", "price": "8.50"}],
        address={"country_id": "NL", "street": ["A", "", "B"]},
        payment_method="adyen_cc",
        shipping_method="dhl_express",
    )
    assert order.increment_id == "000000001"
    assert order.customer_id == 2
    (line,) = order.items
    assert (line.qty_ordered, line.price, line.tax_percent) == (
        Decimal("2.5"),
        Decimal("8.5"),
        Decimal(21),
    )
    assert order.payment.method == "adyen_cc"
    assert order.shipping.method == "dhl_express"
    assert order.shipping.address is not None
    assert order.shipping.address.street == ("A", "", "B")


async def test_an_order_that_costs_nothing_is_free(wire: Wire, client: Shop) -> None:
    order = await placed(
        wire,
        client,
        kind="simple",
        shipping_method="freeshipping_freeshipping",
        discount_percent=100,
    )
    assert order.grand_total == 0
    assert order.payment.method == "free"
    check_sums(order)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"kind": "nonsense"}, "/kind"),
        ({"count": 0}, "/count"),
        ({"count": 1001}, "/count"),
        ({"nonsense": 1}, "/nonsense"),
        ({"customer": 99}, "/customer"),
        ({"website": "nowhere"}, "/website"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"sku": "NOPE"}]}, "/lines~10~1sku"),
        ({"lines": [{"quantity": 1}]}, "/lines~10"),
        ({"lines": [{"sku": "LAMP-01", "quantity": "many"}]}, "/lines~10~1quantity"),
        ({"lines": [{"sku": "LAMP-01", "price": "Infinity"}]}, "/lines~10~1price"),
        ({"address": "Gent"}, "/address"),
        ({"includes_tax": 1}, "/includes_tax"),
        ({"payment_method": ""}, "/payment_method"),
    ],
)
async def test_what_cannot_be_placed_is_named(wire: Wire, members: object, named: str) -> None:
    address = f"{wire.sandbox.control_url}/systems/magento/orders"
    async with wire.session.post(address, json=members) as answer:
        assert answer.status == 422
        assert (await answer.json())["errors"][0]["pointer"] == named
    assert wire.sandbox.shop.orders == {}


async def test_judges_read_orders_without_a_signature_or_a_fault(wire: Wire, client: Shop) -> None:
    await wire.place(count=8)
    await wire.turn(error_rate=1.0)
    address = f"{wire.sandbox.control_url}/systems/magento/orders"
    async with wire.session.get(address) as answer:
        told = json.loads(await answer.read(), parse_float=Decimal)
    await wire.turn(error_rate=0.0)
    assert len(told) == 8
    for row in told:
        order = await client.orders.order(row["entity_id"])
        assert order is not None
        gross = sum(line["gross"] for line in row["lines"])
        assert gross + row["shipping_net"] + row["shipping_tax"] == row["grand_total"]
        assert row["grand_total"] == order.grand_total
        assert (row["website"], row["ext_order_id"]) == ("b2b_de", None)
        assert all(line["net"] + line["tax"] == line["gross"] for line in row["lines"])
    skus = {line["sku"] for row in told for line in row["lines"]}
    assert "LAMP-03" in skus, "options leave no suffix"
    assert not any(sku.startswith(("LAMP-SET", "LAMP-03-")) for sku in skus)


async def test_mixed_orders_hold_only_what_the_erp_sells(wire: Wire, client: Shop) -> None:
    """By product id, as the flow looks them up: variants and the parts of bundles."""
    book = wire.sandbox.book
    sold = {item.number for item in book.items.values() if not item.is_stopped}
    sold |= {variant.number for variant in book.variants.values()}
    for row in await wire.place(count=16, kind="mixed"):
        order = await client.orders.order(row["entity_id"])
        assert order is not None
        asked = products_of(order, recorded.rules(), {})
        ids = {one.product_id for one in asked if one.product_id is not None}
        products = await client.products.products_by_id(sorted(ids))
        assert products.keys() == ids
        assert {product.sku for product in products.values()} <= sold


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("includes_tax", [False, True])
async def test_every_kind_becomes_an_erp_order_of_the_same_total(
    wire: Wire, client: Shop, kind: str, *, includes_tax: bool
) -> None:
    """The demo's orders must not be held for what only the simulated shop does."""
    address = {"company": "Lichthaus", "telephone": "+49 30 1"}
    order = await placed(wire, client, kind=kind, includes_tax=includes_tax, address=address)
    draft = map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(
            payment={"checkmo": {"method": "CHECK"}, "purchaseorder": {"method": "PO"}}
        ),
    )
    assert draft.net + draft.charges + draft.tax + draft.charges_tax == order.grand_total
