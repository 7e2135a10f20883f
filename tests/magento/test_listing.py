"""One row that cannot be read, or that the shop fails at, hides no other of its list."""

import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamUnavailableError
from sync.magento.odd_rows import OddRow
from sync.magento.search import wire_instant
from tests.cases import case
from tests.magento.loopback import always, client_of
from tests.magento.test_client import ALL, T0, head, orders_table

# Members as older programs and broken modules leave them, and what is told of it.
ODD = {
    "store_id": (None, "store_id is null"),
    "increment_id": (None, "increment_id is null"),
    "state": (None, "state is null"),
    "created_at": ("0000-00-00 00:00:00", "created_at is a date of zeros"),
    "updated_at": ("yesterday", "updated_at is no instant such as 2026-11-29 02:29:40"),
}


async def changed(
    rows: list[dict[str, Any]], *, broken: Collection[int] = (), size: int = 100, **asked: Any
) -> tuple[list[int], list[OddRow], int]:
    """Return the ids that are read, what is odd, and how often the shop was asked."""
    async with client_of(orders_table(rows, broken=broken)) as (client, shop):
        pages = [
            page async for page in client.orders.order_heads_changed(ALL, page_size=size, **asked)
        ]
    ids = [row.entity_id for page in pages for row in page.rows]
    return ids, [row for page in pages for row in page.odd], len(shop.requests)


@pytest.mark.parametrize("member", ODD)
async def test_a_row_that_cannot_be_read_is_named_and_the_others_are_read(member: str) -> None:
    rows = [head(number, number) for number in range(1, 6)]
    value, text = ODD[member]
    rows[2][member] = value

    ids, odd, _ = await changed(rows, size=2)

    assert ids == [1, 2, 4, 5]
    [(entity_id, found, told)] = [(row.entity_id, row.member, row.text) for row in odd]
    assert (entity_id, found, told) == (3, member, text)


async def test_an_order_without_a_store_is_told_with_its_number() -> None:
    """As a shop answered it."""
    row = case("orders/order_without_store")["order"]
    _, odd, _ = await changed([row])

    assert odd == [
        OddRow(
            entity_id=51,
            number="3000000051",
            member="store_id",
            text="store_id is missing",
            updated_at=datetime(2026, 11, 29, 2, 29, 40, tzinfo=UTC),
        )
    ]


async def test_what_stands_in_a_row_is_not_told() -> None:
    """It may be anybody's, and ends up in logs and alerts."""
    row = {**head(7, 0), "store_id": "ann@example.com", "increment_id": "", "created_at": "Ann"}
    _, odd, _ = await changed([row])

    [told] = odd
    assert "nn" not in told.text.replace("cannot", "")
    assert told.number == ""
    assert told.text.count(";") == 2


@pytest.mark.parametrize("broken", [[1], [7], [20], [1, 2], [3, 4, 20], range(1, 21)])
@pytest.mark.parametrize("seconds", [range(20), [5] * 20, [n // 3 for n in range(20)]])
async def test_a_row_that_the_shop_fails_at_is_found_and_passed(
    broken: Sequence[int], seconds: Sequence[int]
) -> None:
    rows = [head(number, second) for number, second in enumerate(seconds, start=1)]

    ids, odd, _ = await changed(rows, broken=broken, size=8)

    assert ids == [number for number in range(1, 21) if number not in broken]
    assert [row.entity_id for row in odd] == list(broken)
    assert all(row.updated_at == T0 + timedelta(seconds=seconds[row.entity_id - 1]) for row in odd)
    assert {(row.member, "500" in row.text) for row in odd} == {("", True)}


async def test_ids_in_any_order_are_found_by_counting() -> None:
    ids = random.Random(11).sample(range(1, 5_000_000), 30)
    rows = [head(entity_id, number // 2) for number, entity_id in enumerate(ids)]
    broken = ids[::7]

    read, odd, requests = await changed(rows, broken=broken, size=10)

    assert set(read) == set(ids) - set(broken)
    assert {row.entity_id for row in odd} == set(broken)
    assert requests < 80 * len(broken)


async def test_a_row_that_is_known_is_not_asked_for() -> None:
    rows = [head(number, number) for number in range(1, 6)]

    ids, odd, requests = await changed(rows, broken=[3], without={3})

    assert (ids, odd, requests) == ([1, 2, 4, 5], [], 1)


async def test_the_sweep_goes_past_it_too() -> None:
    rows = [head(number, 0) | {"ext_order_id": None} for number in (5, 9, 1000)]
    async with client_of(orders_table(rows, broken=[9])) as (client, _):
        pages = client.orders.order_heads_without_erp_number(after_entity_id=0)
        found = [page async for page in pages]

    assert [row.entity_id for page in found for row in page.rows] == [5, 1000]
    assert [row.entity_id for page in found for row in page.odd] == [9]


async def test_a_shop_that_is_down_has_no_odd_rows() -> None:
    """It fails also at what loads no row."""
    async with client_of(always({"message": "Internal Error"}, 500)) as (client, shop):
        with pytest.raises(UpstreamUnavailableError):
            [page async for page in client.orders.order_heads_changed(ALL)]
    assert all("pageSize" in str(request.url) for request in shop.requests)


async def test_a_failure_that_passes_makes_no_row_odd() -> None:
    """A shop under load fails at some calls, whatever they ask for."""
    rows, failing = [head(number, number) for number in range(1, 30)], random.Random(3)
    play = orders_table(rows)

    async def at_times(request: web.Request) -> web.StreamResponse:
        if failing.random() < 0.2:
            return web.json_response({"message": "Internal Error"}, status=500)
        return await play(request)

    async with client_of(at_times) as (client, _):
        for size in (4, 10, 100):
            pages = client.orders.order_heads_changed(ALL, page_size=size)
            found = [page async for page in pages]
            ids = [row.entity_id for page in found for row in page.rows]
            odd = [row.entity_id for page in found for row in page.odd]
            assert sorted(ids + odd) == list(range(1, 30))
            assert len(odd) <= 1


async def test_a_list_whose_rows_do_not_say_which_they_are_is_no_list() -> None:
    async with client_of(always({"items": [{"store_id": 1}], "total_count": 1})) as (client, _):
        with pytest.raises(UpstreamContractError, match="which it is"):
            [page async for page in client.orders.order_heads_changed(ALL)]


async def test_single_rows_are_asked_for_again() -> None:
    rows = [head(number, 0) for number in (1, 2, 3)]
    del rows[1]["store_id"]
    async with client_of(orders_table(rows, broken=[3])) as (client, _):
        [page] = [page async for page in client.orders.heads.of([1, 2, 9])]
        alone = await client.orders.heads.alone(3)
        gone = await client.orders.heads.alone(9)

    assert [row.entity_id for row in page.rows] == [1]
    assert [row.entity_id for row in page.odd] == [2]
    assert [row.entity_id for row in alone.odd] == [3]
    assert (gone.rows, gone.odd) == ([], [])


async def test_a_count_loads_no_row() -> None:
    """So it is answered also where the first row is one that the shop fails at."""
    async with client_of(orders_table([head(1, 0), head(2, 0)], broken=[1])) as (client, _):
        assert await client.orders.order_count() == 2


async def test_customers_and_credit_memos_are_read_alike() -> None:
    at = wire_instant(T0)
    row = {"website_id": 1, "increment_id": "1", "created_at": at, "updated_at": at}
    row |= {"store_id": 1, "state": 2}
    rows: list[dict[str, Any]] = [{**row, "entity_id": n, "id": n} for n in (1, 2, 3)]
    del rows[0]["increment_id"], rows[0]["website_id"]
    async with client_of(orders_table(rows, broken=[2])) as (client, _):
        customers = [page async for page in client.customers.customers_changed(ALL)]
        memos = [page async for page in client.credit_memos.credit_memos_changed(ALL)]

    assert [row.entity_id for page in customers for row in page.rows] == [3]
    assert [row.entity_id for page in memos for row in page.rows] == [3]
    odd = [row for pages in (customers, memos) for page in pages for row in page.odd]
    assert [(row.entity_id, row.member) for row in odd] == [
        (1, "website_id"),
        (2, ""),
        (1, "increment_id"),
        (2, ""),
    ]


async def test_a_customer_of_an_import_without_a_date_of_creation_is_read() -> None:
    """Nobody asks when they came; for a tenth of a shop's customers nobody knows."""
    at = wire_instant(T0)
    row = {"id": 1, "entity_id": 1, "website_id": 1, "updated_at": at}
    rows = [{**row, "created_at": "0000-00-00 00:00:00"}, {**row, "id": 2, "entity_id": 2}]
    async with client_of(orders_table(rows)) as (client, _):
        pages = [page async for page in client.customers.customers_changed(ALL)]

    assert [one.created_at for page in pages for one in page.rows] == [None, None]
    assert not any(page.odd for page in pages)
