"""The client's own decisions: what is absence, what is refused before it is sent, how pages go."""

import json
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamUnavailableError
from pricing_proxy.sandbox.shop.criteria import find, parse_criteria
from sync.engine.verdict import trouble_of
from sync.engine.windows import Window
from sync.magento.answers import MagentoRejectedError
from sync.magento.customer_models import ShopCustomer
from sync.magento.order_models import OrderHead
from sync.magento.search import Search, SearchCondition, SearchFilter, any_text, wire_instant
from tests.magento.loopback import Play, always, client_of
from tests.magento.recordings import recordings

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)
ALL = Window(since=T0)
ORDER = recordings("orders")["01_get_one_guest_order"]
CUSTOMER = ShopCustomer.model_validate(recordings("customers")["13_customer_get"].answer)


def head(entity_id: int, second: int) -> dict[str, Any]:
    at = wire_instant(T0 + timedelta(seconds=second))
    return {
        "entity_id": entity_id,
        "increment_id": f"{entity_id:09}",
        "store_id": 1,
        "state": "new",
        "created_at": at,
        "updated_at": at,
    }


def orders_table(rows: list[dict[str, Any]], *, broken: Collection[int] = ()) -> Play:
    """Play an orders list that knows conditions, sorting and pages, and fails at some rows."""

    async def play(request: web.Request) -> web.Response:
        criteria = parse_criteria(request.query.items())
        page, total = find(rows, criteria, dict.get)
        if any(row["entity_id"] in broken for row in page):
            return web.json_response({"message": "Internal Error. Report ID: webapi-1"}, status=500)
        return web.json_response({"items": page or None, "total_count": total})

    return play


async def read(rows: list[dict[str, Any]], *, page_size: int, broken: Collection[int] = ()) -> Any:
    async with client_of(orders_table(rows, broken=broken)) as (client, shop):
        pages = client.orders.order_heads_changed(ALL, page_size=page_size)
        ids = [row.entity_id async for page in pages for row in page.rows]
    return ids, len(shop.requests)


@pytest.mark.parametrize(
    "seconds",
    [
        [],
        [0],
        [0, 0, 0],
        [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 3],
        range(12),
        [5] * 9,
    ],
)
@pytest.mark.parametrize("page_size", [1, 2, 3])
async def test_each_change_is_read_once(seconds: Iterable[int], page_size: int) -> None:
    rows = [head(number, second) for number, second in enumerate(seconds, start=1)]
    ids, _ = await read(rows, page_size=page_size)
    assert ids == [row["entity_id"] for row in rows]


async def test_an_order_that_moves_while_it_is_read_hides_no_other() -> None:
    """By page number, the row after the one that left page 1 would never be seen."""
    rows = [head(number, number) for number in range(1, 7)]
    async with client_of(orders_table(rows)) as (client, _):
        ids = []
        async for page in client.orders.order_heads_changed(ALL, page_size=2):
            ids += [row.entity_id for row in page.rows]
            if len(ids) == 2:
                rows[0] |= {"updated_at": head(1, 9)["updated_at"]}
    assert set(ids) == {1, 2, 3, 4, 5, 6}
    assert ids[-1] == 1


async def test_a_shop_that_ignores_the_page_number_is_found_out() -> None:
    body = {"items": [head(1, 0), head(2, 0)], "total_count": 2}
    async with client_of(always(body)) as (client, _):
        with pytest.raises(UpstreamContractError, match="same page"):
            [page async for page in client.orders.order_heads_changed(ALL, page_size=2)]


async def test_no_such_order_is_none_and_no_such_route_is_an_error() -> None:
    async with client_of(always(recordings("orders")["04_get_missing"].answer, 404)) as (client, _):
        assert await client.orders.order(9) is None
    async with client_of(always(recordings("errors")["01_route_missing"].answer, 404)) as (
        client,
        _,
    ):
        with pytest.raises(MagentoRejectedError):
            await client.orders.order(9)


async def test_an_order_is_found_by_its_exact_number() -> None:
    """The database compares without regard to case and outer spaces."""
    answer = json.loads(ORDER.answer_bytes)
    async with client_of(always({"items": [answer], "total_count": 1})) as (client, shop):
        (found,) = await client.orders.orders_by_increment_id("000000001")
        assert found.entity_id == 1
        assert await client.orders.orders_by_increment_id("000000001 ") == []
    assert "increment_id" in shop.requests[0].query_string


@pytest.mark.parametrize("number", ["", "S" * 33])
async def test_an_erp_number_that_would_be_cut_is_refused(number: str) -> None:
    async with client_of(always({})) as (client, shop):
        with pytest.raises(ValueError, match="32 characters"):
            await client.orders.set_ext_order_id(7, number)
    assert shop.requests == []


async def test_an_erp_number_that_was_not_taken_is_noticed() -> None:
    async with client_of(always({"entity_id": 7, "ext_order_id": "SO-1001"})) as (client, shop):
        await client.orders.set_ext_order_id(7, "SO-1001")
        with pytest.raises(UpstreamContractError):
            await client.orders.set_ext_order_id(7, "SO-1002")
    sent = json.loads(shop.bodies[0])
    assert sent == {"entity": {"entity_id": 7, "ext_order_id": "SO-1001"}}


async def test_an_attribute_that_the_shop_drops_is_seen_in_its_answer() -> None:
    answer = json.loads(recordings("customers")["13_customer_get"].answer_bytes)
    async with client_of(always(answer)) as (client, _):
        saved = await client.customers.set_customer_attribute(CUSTOMER, "erp_account", "C-1001")
    assert saved.attribute("erp_account") is None


async def test_a_shop_that_cannot_say_whether_it_has_an_attribute_is_believed_to() -> None:
    """The answer to a write tells; without the route nobody would ever be written."""
    no_route = {"message": "Request does not match any route."}
    async with client_of(always(no_route, 404)) as (client, _):
        assert await client.customers.has_customer_attribute("erp_account")
    # What is before the shop says nothing about it.
    async with client_of(always({}, 404)) as (client, _):
        with pytest.raises(MagentoRejectedError):
            await client.customers.has_customer_attribute("erp_account")


async def test_an_address_without_its_id_is_not_sent() -> None:
    async with client_of(always({})) as (client, shop):
        with pytest.raises(ValueError, match="its id"):
            await client.customers.save_customer(CUSTOMER, {"addresses": [{"city": "Gent"}]})
    assert shop.requests == []


async def test_a_write_is_never_repeated_and_a_read_is() -> None:
    async def play(_: web.Request) -> web.Response:
        return web.Response(status=500, text="An error has happened during application run.")

    async with client_of(play) as (client, shop):
        with pytest.raises(Exception, match="500"):
            await client.orders.set_ext_order_id(1, "x")
        assert len(shop.requests) == 1
        with pytest.raises(Exception, match="500"):
            await client.orders.order(1)
    assert len(shop.requests) > 2
    nonces = re.findall(r'oauth_nonce="(\w+)"', str([one.headers for one in shop.requests]))
    assert len(set(nonces)) == len(shop.requests), "a nonce that was seen is refused"


@pytest.mark.parametrize("body", [[], {"items": 3}, "x"])
async def test_a_list_of_another_shape_breaks_the_contract(body: Any) -> None:
    async with client_of(always(body)) as (client, _):
        with pytest.raises(UpstreamContractError):
            [page async for page in client.orders.order_heads_without_erp_number(after_entity_id=0)]


async def test_a_count_is_a_number() -> None:
    async with client_of(always({"items": [], "total_count": 41})) as (client, _):
        assert await client.orders.order_count() == 41
    async with client_of(always({"items": []})) as (client, _):
        with pytest.raises(UpstreamContractError):
            await client.orders.order_count()
    async with client_of(always({"no": "list"})) as (client, _):
        with pytest.raises(UpstreamContractError):
            await client.orders.order_count()


def test_texts_with_commas_are_alternatives_and_not_a_list() -> None:
    """An "in" list would be taken apart at the comma."""
    query = Search(groups=[any_text("sku", ["A,B", "C&D"])], page_size=1).query()
    assert "A%2CB" in query
    assert "C%26D" in query
    assert "=in" not in query


def test_a_filter_for_nothing_has_no_value() -> None:
    query = Search(
        groups=[(SearchFilter("ext_order_id", SearchCondition.MISSING),)], page_size=1
    ).query()
    assert "value" not in query
    assert "=null" in query


def test_an_instant_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        wire_instant(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test
    east = datetime.fromisoformat("2026-01-01T01:30:00.9+01:00")
    assert wire_instant(east) == "2026-01-01 00:30:00"


def test_a_head_is_part_of_every_order() -> None:
    read_head = OrderHead.model_validate(ORDER.answer)
    assert (read_head.entity_id, read_head.increment_id) == (1, "000000001")
    assert read_head.ext_order_id == ""


ORDER_BODY = json.loads(ORDER.answer_bytes)


@pytest.mark.parametrize(
    ("member", "told"),
    [("order_currency_code", "is missing"), ("store_id", "is missing"), ("items", "is missing")],
)
async def test_a_document_that_cannot_be_read_names_itself_and_the_member(
    member: str, told: str
) -> None:
    body = {name: value for name, value in ORDER_BODY.items() if name != member}
    async with client_of(always(body)) as (client, _):
        with pytest.raises(UpstreamContractError, match=f"Order #1: {member} {told}") as caught:
            await client.orders.order(1)
    assert caught.value.field == member
    trouble = trouble_of(caught.value)
    assert (trouble.field, trouble.kind) == (member, "UpstreamContract")
    assert "in the shop" in trouble.advice


async def test_a_product_that_cannot_be_read_is_named() -> None:
    """An order of a hundred lines is held for it, and nobody knew for which."""
    rows: list[dict[str, Any]] = [{"entity_id": n, "id": n, "sku": f"S-{n}"} for n in (7, 8, 9)]
    async with client_of(orders_table(rows)) as (client, _):
        assert set(await client.products.products_by_id([7, 8, 9, 10])) == {7, 8, 9}
        del rows[1]["sku"]
        with pytest.raises(UpstreamContractError, match="ShopProduct #8: sku is missing"):
            await client.products.products_by_id([7, 8, 9])
    async with client_of(orders_table(rows, broken=[9])) as (client, _):
        with pytest.raises(UpstreamUnavailableError, match="ShopProduct #9: the shop fails"):
            await client.products.products_by_id([7, 9])


async def test_an_odd_order_of_a_number_hides_no_other_of_it() -> None:
    """Whoever looks for the number needs neither its dates nor a store view that it has not."""
    rows = [head(1, 0), head(2, 0) | {"increment_id": "000000001", "created_at": "0000-00-00"}]
    del rows[0]["store_id"]
    async with client_of(orders_table(rows)) as (client, _):
        found = await client.orders.orders_numbered(["000000001"])
        newest = await client.orders.newest_orders(1, most=20)
        memos = await client.credit_memos.credit_memos_numbered(["000000001"])

    assert [(each.entity_id, each.store_id) for each in found] == [(1, None), (2, 1)]
    assert [each.entity_id for each in newest] == [2]
    assert [each.entity_id for each in memos] == [1, 2]
