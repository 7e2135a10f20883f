"""What a real shop does to whoever believes that numbers, SKUs and accounts stay and are unique."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from sync.magento.shop import Shop
from tests.magento.recordings import recordings
from tests.shop.conftest import Wire
from tests.shop.replay import replay


async def control(
    wire: Wire, method: str, path: str, members: dict[str, Any] | None = None
) -> tuple[int, Any]:
    address = f"{wire.sandbox.control_url}/systems/magento/{path}"
    async with wire.session.request(method, address, json=members) as answer:
        return answer.status, await answer.json(content_type=None)


async def happened(
    wire: Wire, method: str, path: str, members: dict[str, Any] | None = None
) -> Any:
    status, body = await control(wire, method, path, members)
    assert status in {200, 201}, body
    return body


async def test_each_store_view_counts_its_own_orders(wire: Wire) -> None:
    """Two views of one website, and another website."""
    numbers = [
        (await wire.place(kind="simple", store=store))[0]["increment_id"]
        for store in ("b2b_de", "b2b_de_en", 4, 2)
    ]
    assert numbers == ["3000000001", "4000000001", "4000000002", "2000000001"]


async def test_stores_may_number_alike_and_only_the_entity_id_tells_orders_apart(
    wire: Wire, client: Shop
) -> None:
    await wire.turn(number_prefix="4")
    placed = [
        order
        for store in ("b2b_de", "b2b_de_en", "b2b_en")
        for order in await wire.place(kind="simple", count=2, store=store)
    ]
    assert [one["increment_id"] for one in placed] == ["4000000001", "4000000002"] * 3
    assert len({one["entity_id"] for one in placed}) == 6
    orders = [await client.orders.order(one["entity_id"]) for one in placed]
    assert [order.store_id for order in orders if order] == [3, 3, 4, 4, 2, 2]
    assert len({item.item_id for order in orders if order for item in order.items}) == 18
    named = "/rest/V1/orders?searchCriteria[filter_groups][0][filters][0][field]=increment_id"
    found = await wire.send(
        "GET", f"{named}&searchCriteria[filter_groups][0][filters][0][value]=4000000001"
    )
    assert [one["store_id"] for one in found.body["items"]] == [3, 4, 2]


async def test_documents_of_each_kind_and_store_count_for_themselves(wire: Wire) -> None:
    """An order, an invoice and a credit memo of one number are nothing unusual."""
    await wire.turn(number_prefix="")
    for store in ("b2b_de", "b2b_en"):
        (order,) = await wire.place(kind="simple", store=store)
        number = order["entity_id"]
        await wire.send("POST", f"/rest/V1/order/{number}/invoice", {"capture": True})
        await wire.send("POST", f"/rest/V1/order/{number}/ship", {})
        memo = await wire.send("POST", f"/rest/V1/order/{number}/refund", {})
        assert memo.status == 200
    shop = wire.sandbox.shop
    tables = (shop.orders, shop.invoices, shop.shipments, shop.credit_memos)
    assert [[one["increment_id"] for one in table.values()] for table in tables] == [
        ["000000001", "000000001"]
    ] * 4
    assert [sorted(table) for table in tables] == [[1, 2]] * 4


async def test_anybody_registers_with_any_tax_number_and_any_account(
    wire: Wire, client: Shop
) -> None:
    """Magento's anonymous registration stores what is sent, the ERP's account included."""
    await wire.turn(account_attribute=True)
    answer = await wire.send(
        "POST",
        "/rest/V1/customers",
        {
            "customer": {
                "email": "thief@elsewhere.example",
                "firstname": "T",
                "lastname": "Hief",
                "website_id": 3,
                "taxvat": "DE100000001",
                "custom_attributes": [{"attribute_code": "erp_account", "value": "C-1001"}],
            },
            "password": "Passw0rd-x1",
        },
        credentials=None,
    )
    assert answer.status == 200
    thief = await client.customers.customer(answer.body["id"])
    known = await client.customers.customer(1)
    assert thief is not None
    assert known is not None
    assert thief.taxvat == known.taxvat
    # Whoever was there before the attribute was made has none.
    assert (thief.attribute("erp_account"), known.attribute("erp_account")) == ("C-1001", None)


async def test_people_register_and_change_what_they_say_of_themselves(
    wire: Wire, client: Shop
) -> None:
    await wire.turn(account_attribute=True)
    made = await happened(
        wire,
        "POST",
        "customers",
        {"taxvat": "DE999888777", "company": "Neu GmbH", "store": "b2b_de_en"},
    )
    assert (made["store_id"], made["website_id"], made["id"]) == (4, 3, 4)
    changed = {"taxvat": "de 999 888 777", "account": "C-1002", "company": "Elektro Group AG"}
    await happened(wire, "PATCH", "customers/4", changed)
    customer = await client.customers.customer(4)
    assert customer is not None
    assert customer.taxvat == "de 999 888 777"
    assert customer.attribute("erp_account") == "C-1002"
    assert customer.addresses[0].company == "Elektro Group AG"
    told = await happened(wire, "GET", "customers")
    assert [one["id"] for one in told] == [1, 2, 3, 4]


async def test_a_stock_shop_drops_the_account_and_moves_the_customer(
    wire: Wire, client: Shop
) -> None:
    """A write that did not take is answered 200; the recording is of a stock shop."""
    wire.sandbox.shop.customers.get(1)["updated_at"] = "2026-01-01 00:00:00"
    recording = recordings("customers")["19_customer_put_unknown_custom_attribute"]
    await replay(
        wire,
        recording,
        {"ann@dealer.test": "buyer1@c-1001.example", "erp_no": "erp_account", '"C001"': '"C-9"'},
    )
    customer = await client.customers.customer(1)
    assert customer is not None
    assert customer.attribute("erp_account") is None
    assert str(customer.updated_at) > "2026-01-02"
    assert await client.customers.has_customer_attribute("erp_account") is False
    await wire.turn(account_attribute=True)
    assert await client.customers.has_customer_attribute("erp_account") is True


async def test_orders_of_a_deleted_customer_are_nobodys_and_no_guests(
    wire: Wire, client: Shop
) -> None:
    (placed,) = await wire.place(kind="simple", customer=1)
    deleted = await wire.send("DELETE", "/rest/V1/customers/1")
    assert deleted.body is True
    again = await wire.send("DELETE", "/rest/V1/customers/1")
    assert again.status == 404
    order = await client.orders.order(placed["entity_id"])
    assert order is not None
    assert order.customer_id is None
    (told,) = await happened(wire, "GET", "orders")
    assert (told["customer_id"], told["is_guest"]) == (None, False)
    raw = await wire.send("GET", f"/rest/V1/orders/{placed['entity_id']}")
    assert raw.body["customer_is_guest"] == 0
    assert raw.body["customer_email"] == "buyer1@c-1001.example"
    # Whoever registers next does not get the id; orders go on of those who are left.
    made = await happened(wire, "POST", "customers", {})
    assert made["id"] == 4
    assert (await wire.place(kind="simple", count=4))[0]["customer_is_guest"] == 0


async def test_a_renamed_product_leaves_its_orders_the_old_sku(wire: Wire, client: Shop) -> None:
    lines = [{"sku": "LAMP-13"}, {"sku": "LAMP-03", "text": "A", "choice": 1}]
    (placed,) = await wire.place(lines=lines)
    await happened(wire, "PATCH", "products/lamp-13", {"sku": "Lamp-99"})
    order = await client.orders.order(placed["entity_id"])
    assert order is not None
    assert order.items[0].sku == "LAMP-13"
    (product,) = (await client.products.products_by_id([order.items[0].product_id or 0])).values()
    assert product.sku == "Lamp-99"
    (told,) = await happened(wire, "GET", "orders")
    assert [line["sku"] for line in told["lines"]] == ["LAMP-13", "LAMP-03"]
    assert (await wire.send("GET", "/rest/V1/products/LAMP-13")).status == 404


async def test_a_sku_may_be_stored_in_other_letters_than_the_erps(wire: Wire, client: Shop) -> None:
    await happened(wire, "PATCH", "products/LAMP-13", {"sku": "Lamp-13"})
    (placed,) = await wire.place(lines=[{"sku": "LAMP-13"}])
    order = await client.orders.order(placed["entity_id"])
    assert order is not None
    assert order.items[0].sku == "Lamp-13"


async def test_a_deleted_product_is_gone_from_the_shop_but_not_from_orders(
    wire: Wire, client: Shop
) -> None:
    variant = next(one for one in wire.sandbox.shop.catalog.all() if one.variants)
    child = wire.sandbox.shop.catalog.by_id(next(iter(variant.variants)))
    (placed,) = await wire.place(lines=[{"sku": "LAMP-02"}, {"sku": child.sku}])
    before = await client.orders.order(placed["entity_id"])
    for sku in ("LAMP-02", child.sku):
        assert (await wire.send("DELETE", f"/rest/all/V1/products/{quote(sku)}")).body is True
    again = await replay(
        wire,
        recordings("catalog")["37b_delete_again"],
        {"LAB-NT": "LAMP-02"},
    )
    assert again.status == 404
    assert await client.orders.order(placed["entity_id"]) == before
    assert before is not None
    assert await client.products.products_by_id([before.items[0].product_id or 0]) == {}
    (told,) = await happened(wire, "GET", "orders")
    assert [line["sku"] for line in told["lines"]] == ["LAMP-02", child.sku]
    # The rest of the assortment goes on being sold.
    assert len(await wire.place(count=16, kind="configurable")) == 16
    assert len(await wire.place(kind="bundle")) == 1


async def test_an_order_may_come_with_somebody_elses_number(wire: Wire, client: Shop) -> None:
    (placed,) = await wire.place(kind="simple", ext_order_id="AMZ-302-1234567")
    order = await client.orders.order(placed["entity_id"])
    assert order is not None
    assert order.ext_order_id == "AMZ-302-1234567"


@pytest.mark.parametrize(
    ("method", "path", "members", "status", "named"),
    [
        ("POST", "customers", {"nonsense": 1}, 422, "/nonsense"),
        ("POST", "customers", {"taxvat": 1}, 422, "/taxvat"),
        ("POST", "customers", {"address": "x"}, 422, "/address"),
        ("POST", "customers", {"store": 9}, 422, "/store"),
        ("POST", "customers", {"website": "nowhere"}, 422, "/website"),
        ("POST", "customers", {"website": "b2b", "store": 3}, 422, "/store"),
        ("POST", "customers", {"email": "buyer1@c-1001.example"}, 400, None),
        ("PATCH", "customers/9", {"taxvat": "X"}, 404, None),
        ("PATCH", "customers/1", {"website": "b2b"}, 422, "/website"),
        ("DELETE", "customers/9", None, 404, None),
        ("PATCH", "products/NONE", {"sku": "X"}, 404, None),
        ("PATCH", "products/LAMP-01", {"sku": " "}, 422, "/sku"),
        ("DELETE", "products/NONE", None, 404, None),
        ("POST", "orders", {"store": "nowhere"}, 422, "/store"),
    ],
)
async def test_mistakes_are_named(
    wire: Wire,
    method: str,
    path: str,
    *,
    members: dict[str, Any] | None,
    status: int,
    named: str | None,
) -> None:
    answered, body = await control(wire, method, path, members)
    assert answered == status, body
    assert body["detail"]
    if named is not None:
        assert [one["pointer"] for one in body["errors"]] == [named]


async def test_the_numbers_of_a_dial_may_be_written_without_quotes(wire: Wire) -> None:
    await wire.turn(number_prefix=26)
    (order,) = await wire.place(kind="simple")
    assert order["increment_id"] == "26000000001"
    await wire.turn(number_prefix=None)
    (order,) = await wire.place(kind="simple")
    assert order["increment_id"] == "3000000002"
    assert order["grand_total"] > Decimal(0)
