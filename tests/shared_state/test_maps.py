"""The kept maps over fakeredis, a real Redis and a real Cluster."""

from datetime import UTC, datetime

from redis.asyncio import Redis

from pricing_proxy.shared_state.customer_map import CUSTOMERS
from pricing_proxy.shared_state.item_map import ITEMS
from pricing_proxy.shared_state.kept_map import KeptMap
from pricing_proxy.shared_state.maps import SharedMaps, news_key
from tests.fakes.master_data import make_customer, make_item

AS_OF = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


async def test_maps_come_back_as_they_were_kept(redis: Redis, unique: str) -> None:
    maps = SharedMaps(redis)
    items = KeptMap({"S-1": make_item("S-1"), "S-2": make_item("S-2", list_price=None)}, AS_OF)
    customers = KeptMap({"C-1": make_customer("C-1", price_group="G")}, AS_OF)
    assert await maps.read(ITEMS, unique) is None
    assert await maps.read(CUSTOMERS, unique) is None
    await maps.keep(ITEMS, unique, items)
    await maps.keep(CUSTOMERS, unique, customers)
    assert await maps.read(ITEMS, unique) == items
    assert await maps.read(CUSTOMERS, unique) == customers
    assert await maps.read(ITEMS, f"{unique}-other") is None


async def test_a_map_is_replaced_whole(redis: Redis, unique: str) -> None:
    maps = SharedMaps(redis)
    await maps.keep(ITEMS, unique, KeptMap({"S-1": make_item("S-1")}, AS_OF))
    await maps.keep(ITEMS, unique, KeptMap({"S-2": make_item("S-2")}, AS_OF))
    kept = await maps.read(ITEMS, unique)
    assert kept is not None
    assert list(kept.rows) == ["S-2"]


async def test_a_damaged_map_is_none(redis: Redis, unique: str) -> None:
    await redis.set(ITEMS.key(unique), b"nothing of ours")
    assert await SharedMaps(redis).read(ITEMS, unique) is None


async def test_shop_ids_are_added_to_those_known(redis: Redis, unique: str) -> None:
    maps = SharedMaps(redis)
    await maps.map_accounts(unique, {1: "C-1", 2: "C-2"})
    await maps.map_accounts(unique, {2: "C-9"})
    await maps.map_accounts(unique, {})
    assert [await maps.account_of(unique, number) for number in (1, 2, 3)] == ["C-1", "C-9", None]
    assert await maps.mapped_ids(unique) == {1, 2}
    await maps.unmap_accounts(unique, [1, 3])
    await maps.unmap_accounts(unique, [])
    assert await maps.account_of(unique, 1) is None
    assert await maps.mapped_ids(unique) == {2}


async def test_an_account_that_is_newer_than_the_map_is_told_of(redis: Redis, unique: str) -> None:
    maps = SharedMaps(redis)
    assert await maps.noted_customer(unique, "C-9") is None
    await maps.note_customer(unique, make_customer("C-9", price_group="G"))
    for spelled in ("C-9", "c-9", " C-9"):
        assert await maps.noted_customer(unique, spelled) == make_customer("C-9", price_group="G")
    assert await maps.noted_customer(unique, "c-9 ") == make_customer("C-9", price_group="G")
    # Any map that is read lives shorter, so whoever lacks the account has read one since.
    assert 0 < await redis.ttl(news_key(unique, "C-9")) <= 86_400
