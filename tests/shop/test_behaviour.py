"""What the shop does that a careless client would stumble over, with the time in hand."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from pricing_proxy.clock import SystemClock
from pricing_proxy.resilience.errors import UpstreamDeniedError, UpstreamError
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from sync.engine.windows import Window
from sync.magento.search import Search, equals
from sync.magento.shop import Shop
from sync.magento.way import shop_way
from tests.magento.loopback import section
from tests.shop.conftest import SALES_ONLY, Wire
from tests.virtual_time import ManualClock

OF_ORDER_1 = Search(groups=[equals("order_id", 1)]).query()
RECORDED_MOVES = [
    ("comments", {"statusHistory": {"comment": "x"}}, False),
    ("comments", {"statusHistory": {"comment": "x", "status": "pending"}}, False),
    ("ext_order_id", "SO-1001", True),
    ("ext_order_id", "SO-1001", False),
    ("hold", {}, True),
    ("unhold", {}, True),
    ("ship", 1, True),
    ("ship", 1, False),
    ("track", {}, False),
    ("invoice", 1, True),
    ("invoice", 1, True),
    ("refund", 1, True),
    ("cancel", {}, True),
]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def timed(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Wire]:
    """A shop whose time stands still until it is moved."""
    settings = SandboxSettings(state_dir=tmp_path, latency_ms=0, entra_latency_ms=0)
    async with Sandbox(settings, clock=clock) as sandbox, ClientSession() as session:
        yield Wire(sandbox, session, clock)


async def do(wire: Wire, number: int, what: str, how: Any) -> None:
    rows = {"items": [{"order_item_id": 1, "qty": how}]}
    paths: dict[str, tuple[str, Any]] = {
        "comments": (f"orders/{number}/comments", how),
        "ext_order_id": ("orders", {"entity": {"entity_id": number, "ext_order_id": how}}),
        "hold": (f"orders/{number}/hold", {}),
        "unhold": (f"orders/{number}/unhold", {}),
        "cancel": (f"orders/{number}/cancel", {}),
        "ship": (f"order/{number}/ship", rows),
        "invoice": (f"order/{number}/invoice", rows),
        "refund": (f"order/{number}/refund", {**rows, "arguments": {"shipping_amount": 0}}),
        "track": (
            "shipment/track",
            {
                "entity": {
                    "parent_id": 1,
                    "track_number": "T",
                    "title": "P",
                    "carrier_code": "custom",
                }
            },
        ),
    }
    path, body = paths[what]
    answer = await wire.send("POST", f"/rest/V1/{path}", body)
    assert answer.status == 200, (what, answer.body)


async def test_updated_at_moves_where_the_real_one_moves(timed: Wire, clock: ManualClock) -> None:
    """A poller that trusts it misses comments, tracks and further parcels."""
    lines = [{"sku": "LAMP-01", "quantity": 3}]
    await timed.place(kind="simple", lines=lines)
    order = timed.sandbox.shop.orders[1]
    for what, how, moves in RECORDED_MOVES:
        before = order["updated_at"]
        clock.advance(timedelta(seconds=1))
        await do(timed, 1, what, how)
        assert (order["updated_at"] != before) == moves, what
    assert order["state"] == "complete"


async def documents(wire: Wire, kind: str) -> list[dict[str, Any]]:
    """Return the invoices or shipments of order 1."""
    answer = await wire.send("GET", f"/rest/V1/{kind}?{OF_ORDER_1}")
    found: list[dict[str, Any]] = answer.body["items"]
    return found


async def rows(wire: Wire, path: str, member: str) -> dict[Any, Any]:
    """Return one member of each row, by its id."""
    return {row["id"]: row[member] for row in (await wire.send("GET", f"/rest/V1/{path}")).body}


def total(found: list[dict[str, Any]], member: str) -> Decimal:
    return sum((Decimal(str(one[member])) for one in found), Decimal(0))


async def test_the_same_shipment_twice_is_two_shipments(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 4}])
    track = {"track_number": "SAME", "title": "P", "carrier_code": "custom"}
    body = {"items": [{"order_item_id": 1, "qty": 1}], "tracks": [track]}
    for _ in range(2):
        assert (await wire.send("POST", "/rest/V1/order/1/ship", body)).status == 200
    too_many = {"items": [{"order_item_id": 1, "qty": 50}]}
    await wire.send("POST", "/rest/V1/order/1/ship", too_many)
    shipments = await documents(wire, "shipments")
    assert [shipment["items"][0]["qty"] for shipment in shipments] == [1, 1, 2]
    assert [len(shipment["tracks"]) for shipment in shipments] == [1, 1, 0]


async def test_an_empty_list_refunds_everything(wire: Wire, client: Shop) -> None:
    await wire.place(kind="simple")
    await wire.send("POST", "/rest/V1/order/1/invoice", {"capture": True})
    await wire.send("POST", "/rest/V1/order/1/refund", {"items": []})
    (head,) = await client.credit_memos.credit_memos_of(1)
    memo, order = (
        await client.credit_memos.credit_memo(head.entity_id),
        await client.orders.order(1),
    )
    assert memo is not None
    assert order is not None
    assert memo.grand_total == order.grand_total
    told = (await wire.send("GET", "/rest/V1/orders/1")).body
    assert total([told], "total_refunded") == order.grand_total
    assert order.state == "closed"
    assert memo.increment_id == head.increment_id
    assert await client.credit_memos.credit_memo(99) is None


async def test_invoices_add_up_to_the_order(wire: Wire, client: Shop) -> None:
    """Odd cents fall to the last one, the shipping to the first."""
    lines = [{"sku": "LAMP-01", "quantity": 3, "price": "0.99"}, {"sku": "LAMP-05", "quantity": 7}]
    await wire.place(kind="simple", lines=lines, discount_percent=10)
    for _ in range(3):
        rows = {"items": [{"order_item_id": 1, "qty": 1}]}
        assert (await wire.send("POST", "/rest/V1/order/1/invoice", rows)).status == 200
    assert (await wire.send("POST", "/rest/V1/order/1/invoice", {})).status == 200
    invoices = await documents(wire, "invoices")
    order = await client.orders.order(1)
    assert order is not None
    assert total(invoices, "grand_total") == order.grand_total
    assert total(invoices, "tax_amount") == order.tax_amount
    assert [one.get("shipping_amount", 0) > 0 for one in invoices] == [True, False, False, False]
    assert (await wire.send("GET", "/rest/V1/orders/1")).body["total_due"] == 0


async def test_a_part_of_a_bundle_is_not_shipped_alone(wire: Wire) -> None:
    await wire.place(kind="bundle")
    body = {"items": [{"order_item_id": 2, "qty": 1}]}
    answer = await wire.send("POST", "/rest/V1/order/1/ship", body)
    assert answer.status == 400
    assert "Cannot create shipment as bundle product" in answer.body["message"]
    assert (await wire.send("POST", "/rest/V1/order/1/invoice", {})).status == 200
    parent = {"items": [{"order_item_id": 1, "qty": 2}]}
    assert (await wire.send("POST", "/rest/V1/order/1/ship", parent)).status == 200
    assert wire.sandbox.shop.orders[1]["state"] == "complete"


async def test_the_parent_of_a_bundle_stands_for_its_parts(wire: Wire) -> None:
    await wire.place(kind="bundle")
    body = {"items": [{"order_item_id": 1, "qty": 1}]}
    assert (await wire.send("POST", "/rest/V1/order/1/invoice", body)).status == 200
    invoiced = [item["qty_invoiced"] for item in wire.sandbox.shop.orders[1]["items"]]
    assert invoiced == [1, 2, 1, 1]


async def test_too_much_is_refused_by_name(wire: Wire) -> None:
    await wire.place(kind="simple")
    await wire.send("POST", "/rest/V1/order/1/invoice", {})
    body = {"items": [], "arguments": {"shipping_amount": 10_000}}
    answer = await wire.send("POST", "/rest/V1/order/1/refund", body)
    assert answer.body["message"] == "Maximum shipping amount allowed to refund is: %1"
    body = {"arguments": {"adjustment_positive": 10_000}}
    answer = await wire.send("POST", "/rest/V1/order/1/refund", body)
    assert "The most money available to refund is" in answer.body["message"]
    for path in ("shipment/track", "orders"):
        assert (await wire.send("POST", f"/rest/V1/{path}", {})).status == 400
    track = {"entity": {"parent_id": 99}}
    assert (await wire.send("POST", "/rest/V1/shipment/track", track)).status == 404


async def test_the_client_writes_what_the_shop_keeps(wire: Wire, client: Shop) -> None:
    await wire.place(count=3)
    waiting = client.orders.order_heads_without_erp_number(after_entity_id=0)
    assert [head.entity_id async for page in waiting for head in page.rows] == [1, 2, 3]
    await client.orders.set_ext_order_id(2, "SO-1001")
    waiting = client.orders.order_heads_without_erp_number(after_entity_id=1)
    assert [head.entity_id async for page in waiting for head in page.rows] == [3]
    (order,) = await client.orders.orders_by_increment_id("3000000002")
    assert order.ext_order_id == "SO-1001"
    assert await client.orders.order_count() == 3
    assert await client.orders.order(99) is None


async def test_addresses_are_compared_without_accents(wire: Wire, client: Shop) -> None:
    """So does MariaDB in `utf8mb4_general_ci`: whoever asks compares once more."""
    members = {"firstname": "Eve", "lastname": "Evil", "website_id": 1, "store_id": 1}
    made = wire.sandbox.shop.customers.create({**members, "email": "info@m\u00fcller.example"})

    found = await client.customers.customers_by_email("info@muller.example")

    assert [customer.id for customer in found] == [made["id"]]


async def test_the_client_reads_and_marks_customers(wire: Wire, client: Shop) -> None:
    await wire.turn(account_attribute=True)
    customer = await client.customers.customer(1)
    assert customer is not None
    assert customer.attribute("erp_account") is None
    saved = await client.customers.set_customer_attribute(customer, "erp_account", "C-9001")
    assert saved.attribute("erp_account") == "C-9001"
    assert saved.addresses[0].company == customer.addresses[0].company
    found = await client.customers.customers_by_email(customer.email.upper())
    assert [one.id for one in found] == [1]
    since = customer.updated_at - timedelta(days=9)
    pages = [page async for page in client.customers.customers_changed(Window(since=since))]
    assert sorted(one.id for page in pages for one in page.rows) == [1, 2, 3]
    assert await client.customers.customer(99) is None


async def test_orders_belong_to_websites(wire: Wire, client: Shop) -> None:
    await wire.place(website="b2b_de")
    order = await client.orders.order(1)
    assert order is not None
    views = await rows(wire, "store/storeViews", "website_id")
    websites = await rows(wire, "store/websites", "code")
    assert websites[views[order.store_id]] == "b2b_de"
    assert {"base", "b2b"} <= set(websites.values())


async def test_an_integration_without_rights_is_told_which_one(sandbox: Sandbox) -> None:
    async with shop_way(section(sandbox.magento_url, SALES_ONLY), clock=SystemClock()) as client:
        with pytest.raises(UpstreamDeniedError, match="Magento_Customer::customer"):
            await client.customers.customer(1)


async def test_dials_work_on_the_shop(wire: Wire, client: Shop) -> None:
    await wire.place()
    await wire.turn(commit_then_drop=1.0)
    with pytest.raises(UpstreamError):
        await client.orders.set_ext_order_id(1, "SO-1")
    assert wire.sandbox.shop.orders[1]["ext_order_id"] == "SO-1"
    await wire.turn(commit_then_drop=0.0, error_rate=1.0)
    with pytest.raises(UpstreamError, match="500"):
        await client.orders.set_ext_order_id(1, "SO-2")
    await wire.turn(error_rate=0.0, retry_after=7)
    answer = await wire.send("GET", "/rest/V1/orders/1")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    counts = wire.sandbox.systems["magento"].calls.counts()["operations"]
    assert counts == {"save_order": 2, "order": 1}


async def test_every_order_is_told_to_the_intake(tmp_path: Path) -> None:
    """By the signature that the intake checks: timestamp, id and body under one secret."""
    told: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        told.append((dict(request.headers), await request.read()))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/v1/events/magento", take)
    async with TestServer(app, host="127.0.0.1") as server:
        settings = SandboxSettings(
            state_dir=tmp_path,
            latency_ms=0,
            intake_url=f"http://127.0.0.1:{server.port}/v1/events/magento",
            intake_secret="quite a secret",
        )
        async with Sandbox(settings) as sandbox, ClientSession() as session:
            wire = Wire(sandbox, session, SystemClock())
            await wire.place(count=2)
            while len(told) < 2:
                await wire.send("GET", "/rest/V1/orders/1")
    bodies = [json.loads(body) for _, body in told]
    assert bodies == [
        {"type": "order.placed", "entity_id": "1", "increment_id": "3000000001"},
        {"type": "order.placed", "entity_id": "2", "increment_id": "3000000002"},
    ]
    head, body = told[0]
    signed = f"{head['X-Timestamp']}.{head['X-Event-Id']}.".encode() + body
    expected = hmac.digest(b"quite a secret", signed, hashlib.sha256).hex()
    assert head["X-Signature"] == f"sha256={expected}"
    assert len({head["X-Event-Id"] for head, _ in told}) == 2


async def test_an_intake_that_is_down_delays_no_order(tmp_path: Path) -> None:
    settings = SandboxSettings(
        state_dir=tmp_path, latency_ms=0, intake_url="http://127.0.0.1:9/v1/events/magento"
    )
    async with Sandbox(settings) as sandbox, ClientSession() as session:
        wire = Wire(sandbox, session, SystemClock())
        assert len(await wire.place(count=3)) == 3
