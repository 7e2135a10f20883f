"""Rows that a real shop has and nobody expects: without a store, dated ahead, unreadable."""

from typing import Any

import pytest

from tests.magento.recordings import recordings
from tests.shop.conftest import Answer, Wire

PAGE = "searchCriteria[pageSize]=2&searchCriteria[currentPage]={page}"
SINCE = (
    "searchCriteria[filter_groups][0][filters][0][field]=updated_at"
    "&searchCriteria[filter_groups][0][filters][0][value]={since}"
    "&searchCriteria[filter_groups][0][filters][0][condition_type]=gteq"
)


async def make_odd(wire: Wire, table: str, number: int, **odd: Any) -> tuple[int, Any]:
    address = f"{wire.sandbox.control_url}/systems/magento/rows/{table}/{number}"
    async with wire.session.patch(address, json=odd) as answer:
        return answer.status, await answer.json()


async def listed(wire: Wire, table: str, query: str = "searchCriteria") -> Answer:
    return await wire.send("GET", f"/rest/V1/{table}?{query}")


async def memo_of(wire: Wire) -> int:
    [order] = await wire.place(kind="simple", customer=1)
    await wire.send("POST", f"/rest/V1/order/{order['entity_id']}/invoice", {"capture": True})
    refunded = await wire.send("POST", f"/rest/V1/order/{order['entity_id']}/refund", {})
    return int(refunded.body)


async def test_an_order_is_odd_before_anybody_can_read_it(wire: Wire) -> None:
    members = {"store_id": None, "increment_id": None, "order_currency_code": None}
    [placed] = await wire.place(kind="simple", row={"members": members})
    assert (placed["increment_id"], placed["store_id"]) == (None, None)
    shown = (await wire.send("GET", f"/rest/V1/orders/{placed['entity_id']}")).body
    assert not members.keys() & shown.keys()
    [row] = (await listed(wire, "orders")).body["items"]
    assert row == shown
    assert wire.sandbox.shop.odd_rows.told("orders", placed["entity_id"]) == list(members)


async def test_orders_come_late_ahead_or_without_a_date(wire: Wire) -> None:
    for row in (
        {"dated_seconds": -90},
        {"dated_seconds": 7200},
        {"members": {"created_at": "0000-00-00 00:00:00", "updated_at": "0000-00-00 00:00:00"}},
        {"members": {"updated_at": None}},
        {"dated_seconds": 0},
    ):
        await wire.place(kind="simple", row=row)
    now = wire.sandbox.shop.now()
    fresh = (await listed(wire, "orders", SINCE.format(since=now.replace(" ", "+")))).body
    assert [one["entity_id"] for one in fresh["items"]] in ([2, 5], [2])
    whole = (await listed(wire, "orders")).body["items"]
    assert [one.get("updated_at", "none")[:4] for one in whole[2:4]] == ["0000", "none"]
    assert whole[0]["created_at"] < now < whole[1]["created_at"]


@pytest.mark.parametrize("table", ["orders", "creditmemos", "customers/search"])
async def test_a_list_stumbles_over_one_row_and_other_pages_do_not(wire: Wire, table: str) -> None:
    """The answer is the shop's internal error, for the row and every page that holds it."""
    for _ in range(3):
        await memo_of(wire)
    stored = {"creditmemos": "credit_memos", "customers/search": "customers"}.get(table, table)
    status, odd = await make_odd(wire, stored, 3, unreadable=True)
    assert (status, odd) == (200, {"odd": ["unreadable"]})
    assert (await listed(wire, table, PAGE.format(page=1))).status == 200
    broken = await listed(wire, table, PAGE.format(page=2) + "&fields=items[entity_id]")
    recorded = recordings("orders")["03d_list_unknown_field"]
    assert broken.status == recorded.status == 500
    assert broken.body["message"].startswith(recorded.answer["message"][:20])
    one = {"creditmemos": "creditmemo", "customers/search": "customers"}.get(table, table)
    assert (await wire.send("GET", f"/rest/V1/{one}/3")).status == 500
    assert (await wire.send("GET", f"/rest/V1/{one}/2")).status == 200
    await make_odd(wire, stored, 3, unreadable=False)
    assert (await listed(wire, table)).status == 200


async def test_documents_and_customers_lack_members_as_well(wire: Wire) -> None:
    number = await memo_of(wire)
    nothing = {"store_id": None, "updated_at": None, "order_currency_code": None}
    await make_odd(wire, "credit_memos", number, members=nothing)
    await make_odd(wire, "customers", 1, members={"updated_at": None, "addresses/0/city": None})
    since = SINCE.format(since="2000-01-01")
    assert (await listed(wire, "creditmemos", since)).body["items"] == []
    [memo] = (await listed(wire, "creditmemos")).body["items"]
    assert not nothing.keys() & memo.keys()
    found = (await listed(wire, "customers/search", since)).body["items"]
    assert [one["id"] for one in found] == [2, 3]
    customer = (await wire.send("GET", "/rest/V1/customers/1")).body
    assert "city" not in customer["addresses"][0]


async def test_an_odd_order_of_no_store_can_be_held_and_written_to(wire: Wire) -> None:
    [placed] = await wire.place(
        kind="simple", row={"members": {"store_id": None, "payment": None, "created_at": None}}
    )
    number = placed["entity_id"]
    saved = await wire.send(
        "POST", "/rest/V1/orders", {"entity": {"entity_id": number, "ext_order_id": "000001"}}
    )
    assert saved.status == 200
    told = await (
        await wire.session.get(f"{wire.sandbox.control_url}/systems/magento/orders")
    ).json()
    assert (told[0]["store_id"], told[0]["odd"]) == (None, ["store_id", "payment", "created_at"])


@pytest.mark.parametrize(
    ("table", "number", "odd", "status", "named"),
    [
        ("orders", 1, {"nonsense": 1}, 422, "/nonsense"),
        ("orders", 1, {"members": []}, 422, "/members"),
        ("orders", 1, {"members": {"entity_id": 7}}, 422, "/members"),
        ("orders", 1, {"members": {"items/9/sku": "X"}}, 422, "/members"),
        ("orders", 1, {"members": {"items/0/sku/x": "X"}}, 422, "/members"),
        ("orders", 1, {"members": {"nothing/here": "X"}}, 422, "/members"),
        ("orders", 1, {"dated_seconds": "-90"}, 422, "/dated_seconds"),
        ("orders", 1, {"unreadable": 1}, 422, "/unreadable"),
        ("orders", 9, {"unreadable": True}, 404, None),
        ("customers", 9, {"unreadable": True}, 404, None),
        ("quotes", 1, {"unreadable": True}, 422, "/table"),
    ],
)
async def test_mistakes_are_named(
    wire: Wire, table: str, number: int, *, odd: dict[str, Any], status: int, named: str | None
) -> None:
    await wire.place(kind="simple")
    answered, body = await make_odd(wire, table, number, **odd)
    assert answered == status, body
    if named is not None:
        assert [one["pointer"] for one in body["errors"]] == [named]


async def test_a_list_entry_may_become_null(wire: Wire) -> None:
    [placed] = await wire.place(kind="simple")
    await make_odd(wire, "orders", placed["entity_id"], members={"billing_address/street/0": None})
    shown = (await wire.send("GET", f"/rest/V1/orders/{placed['entity_id']}")).body
    assert shown["billing_address"]["street"] == [None]
