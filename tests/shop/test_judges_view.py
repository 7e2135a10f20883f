"""What a judge of a large shop is told: what was written, and pages of all that it has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from pricing_proxy.sandbox.wire import from_json
from tests.patience import PATIENCE_SECONDS
from tests.shop.conftest import Wire
from tests.shop.stock import lies

SKU = "LAMP-06"
ROUTE = "/rest/all/V1/inventory/source-items"


async def ask(wire: Wire, method: str, path: str, members: Any = None) -> tuple[int, Any]:
    address = f"{wire.sandbox.control_url}/systems/{path}"
    async with wire.session.request(method, address, json=members) as answer:
        body = await answer.read()
        return answer.status, from_json(body) if body else None


async def writes(wire: Wire, route: str) -> Any:
    return (await ask(wire, "GET", "magento/writes"))[1]["routes"].get(route, {})


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 -- a server tells nobody
            await asyncio.sleep(0.01)


def items(*quantities: int) -> dict[str, Any]:
    rows = [
        {"sku": f"LAMP-0{number}", "source_code": "berlin", "quantity": quantity, "status": 1}
        for number, quantity in enumerate(quantities, start=6)
    ]
    return {"sourceItems": rows}


async def test_requests_and_rows_are_counted_by_route(wire: Wire) -> None:
    await wire.send("GET", "/rest/V1/products/LAMP-06")
    await wire.send("POST", ROUTE, items(3, 4))
    await wire.send("POST", ROUTE, items(5))
    name = {"product": {"sku": SKU, "name": "Lampe"}}
    await wire.send("PUT", "/rest/all/async/bulk/V1/products/bySku", [name, name])

    found = await writes(wire, "save_source_items")
    assert (found["requests"], found["rows"], found["cut"], found["most"]) == (2, 3, 0, 1)
    assert (await writes(wire, "bulk_save_product"))["rows"] == 2
    assert (await ask(wire, "DELETE", "magento/writes"))[0] == 204
    assert await writes(wire, "save_source_items") == {}


async def test_a_write_goes_on_when_its_client_is_gone(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PHP writes to the end: who was killed meanwhile must look before it writes again."""
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def taking(_: float) -> AsyncIterator[None]:
        has_begun.set()
        await may_end.wait()
        yield

    monkeypatch.setattr(wire.sandbox.shop.writes, "taking", taking)
    asking = asyncio.create_task(wire.send("POST", ROUTE, items(7)))
    await has_begun.wait()
    before = await lies(wire, SKU, "berlin")
    asking.cancel()

    async def is_cut() -> bool:
        return bool((await writes(wire, "save_source_items"))["cut"] == 1)

    async def is_written() -> bool:
        return await lies(wire, SKU, "berlin") == 7

    await until(is_cut)
    assert before != 7
    assert (await ask(wire, "GET", "magento/writes"))[1]["open"] == {"save_source_items": 1}
    may_end.set()
    await until(is_written)
    assert (await ask(wire, "GET", "magento/writes"))[1]["open"] == {}


async def test_writes_at_once_are_told(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    all_begun = asyncio.Barrier(3)

    @asynccontextmanager
    async def taking(_: float) -> AsyncIterator[None]:
        await all_begun.wait()
        yield

    monkeypatch.setattr(wire.sandbox.shop.writes, "taking", taking)
    await asyncio.gather(*(wire.send("POST", ROUTE, items(number)) for number in range(3)))

    found = await writes(wire, "save_source_items")
    assert (found["requests"], found["most"]) == (3, 3)
    assert found["seconds"] >= 0


async def test_products_and_source_items_are_told_by_the_page(wire: Wire) -> None:
    everything = (await ask(wire, "GET", "magento/products"))[1]
    first = (await ask(wire, "GET", "magento/products?after=0&most=5"))[1]
    after = first[-1]["id"]
    rest = (await ask(wire, "GET", f"magento/products?after={after}&most=100000"))[1]
    assert len(first) == 5
    assert [*first, *rest] == everything

    rows = "magento/source-items?source=berlin"
    some = (await ask(wire, "GET", f"{rows}&after=0&most=3"))[1]
    more = (await ask(wire, "GET", f"{rows}&after=3&most=100000"))[1]
    assert len(some) == 3
    assert len({row["sku"] for row in (*some, *more)}) == 3 + len(more)


@pytest.mark.parametrize("path", ["products?after=x&most=5", "source-items?source=berlin&most=-1"])
async def test_a_page_is_asked_for_in_whole_numbers(wire: Wire, path: str) -> None:
    assert (await ask(wire, "GET", f"magento/{path}"))[0] == 422


async def test_a_source_begins_with_what_a_warehouse_has(wire: Wire) -> None:
    """In the units that are sold: what is sold in boxes of ten counts boxes."""
    place = "fo/stock/SPOT-0001"
    held = (await ask(wire, "GET", place))[1]["warehouses"]["13"]["on_hand"]
    status, told = await ask(wire, "POST", "magento/sources/wh2/stocked", {"warehouse": "13"})

    assert status == 200
    assert told["rows"] > 0
    assert await lies(wire, SKU, "wh2") == 120
    assert await lies(wire, "SPOT-0001", "wh2") == held // 10
    page = (await ask(wire, "GET", "magento/source-items?source=wh2&most=100000"))[1]
    assert not [row for row in page if row["sku"].startswith("NEW-")]  # never received
    for source, warehouse in (("nowhere", "13"), ("wh2", "99")):
        path = f"magento/sources/{source}/stocked"
        assert (await ask(wire, "POST", path, {"warehouse": warehouse}))[0] == 422


async def test_what_warehouses_hold_is_changed_at_once(wire: Wire) -> None:
    changes = {SKU: {"13": 5, "14": -3}, "LAMP-07": {"13": 1}}
    before = (await ask(wire, "GET", f"fo/stock/{SKU}"))[1]["warehouses"]
    assert (await ask(wire, "PATCH", "fo/stock", changes))[0] == 200

    after = (await ask(wire, "GET", f"fo/stock/{SKU}"))[1]["warehouses"]
    moved = {one: after[one]["on_hand"] - before[one]["on_hand"] for one in before}
    assert moved == {"13": Decimal(5), "14": Decimal(-3), "24": Decimal(0)}
    assert (await ask(wire, "PATCH", "fo/stock", {"LAMP-07": 5}))[0] == 422
    assert (await ask(wire, "PATCH", "fo/stock", {"NOPE": {"13": 5}}))[0] == 422


async def test_judges_are_told_what_was_billed_and_credited_of_an_order(wire: Wire) -> None:
    [order] = await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 4}])
    comment = {"comment": "demf/CIV-1/2026-11-29/SO-1", "is_visible_on_front": 0}
    items = [{"order_item_id": 1, "qty": 4}]
    await wire.send("POST", "/rest/V1/order/1/invoice", {"items": items, "comment": comment})
    refund = {"items": [{"order_item_id": 1, "qty": 1}], "arguments": {"shipping_amount": 0}}
    await wire.send("POST", "/rest/V1/order/1/refund", refund)

    _, told = await ask(wire, "GET", "magento/orders/1")
    [bill], [memo] = told["invoices"], told["credit_memos"]
    assert (bill["lines"], bill["comments"]) == ({"1": 4}, [comment["comment"]])
    assert bill["grand_total"] == Decimal(str(order["grand_total"]))
    assert (memo["lines"], memo["comments"]) == ({"1": 1}, [])


async def test_judges_are_told_what_was_shipped_and_what_stands_on_an_order(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 4}])
    track = {"track_number": "JD01", "title": "DHL", "carrier_code": "dhl"}
    body = {
        "items": [{"order_item_id": 1, "qty": 3}],
        "tracks": [track],
        "comment": {"comment": "demf/SO-1/PS-1/2026-11-29/default", "is_visible_on_front": 0},
    }
    await wire.send("POST", "/rest/V1/order/1/ship", body)
    noted = {"statusHistory": {"comment": "packed", "is_visible_on_front": 0}}
    await wire.send("POST", "/rest/V1/orders/1/comments", noted)
    _, told = await ask(wire, "GET", "magento/orders/1")
    [shipment] = told["shipments"]
    assert (told["state"], told["comments"]) == ("processing", ["packed"])
    assert (shipment["lines"], shipment["tracks"]) == ({"1": 3}, ["JD01"])
    assert shipment["comments"] == ["demf/SO-1/PS-1/2026-11-29/default"]
    await ask(wire, "POST", "magento/orders", {"count": 2})
    assert await ask(wire, "GET", "magento/papers") == (200, {"1": told})
    assert (await ask(wire, "GET", "magento/orders/77"))[0] == 404
