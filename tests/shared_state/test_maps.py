"""The kept maps over fakeredis, a real Redis and a real Cluster."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from redis.asyncio import Redis

from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.shared_state.customer_map import CUSTOMERS
from pricing_proxy.shared_state.item_map import ITEMS, Item
from pricing_proxy.shared_state.kept_map import KeptMap, MapHead
from pricing_proxy.shared_state.map_rows import ROWS_AT_ONCE, by_name, let_go
from pricing_proxy.shared_state.maps import (
    IdAnswer,
    IdsState,
    SharedMaps,
    SharedStateError,
    Turn,
    former_ids_key,
    news_key,
)
from pricing_proxy.shared_state.shop_claim import OtherShopError, require_own_shop
from tests.fakes.master_data import make_customer, make_item
from tests.fakes.redis_server import fake_redis_port

__all__ = ["fake_redis_port"]

AS_OF = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
PROVENANCE = "https://erp.example.com|demf|{}"


def maps_on(redis: Redis, market: str, url: str = "https://erp.example.com") -> SharedMaps:
    """Return the maps of one process, with an ERP at that address."""
    markets = (market, f"{market}-other")
    return SharedMaps(redis, {each: f"{url}|demf|{each}" for each in markets})


def large_map() -> KeptMap[Item]:
    rows = {f"S-{number}": make_item(f"S-{number}") for number in range(5000)}
    return KeptMap(rows, AS_OF, {"Products": 5})


async def test_maps_come_back_as_they_were_kept(redis: Redis, unique: str) -> None:
    maps = maps_on(redis, unique)
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
    maps = maps_on(redis, unique)
    await maps.keep(ITEMS, unique, KeptMap({"S-1": make_item("S-1")}, AS_OF))
    await maps.keep(ITEMS, unique, KeptMap({"S-2": make_item("S-2")}, AS_OF))
    kept = await maps.read(ITEMS, unique)
    assert kept is not None
    assert list(kept.rows) == ["S-2"]


async def test_a_damaged_map_is_none(redis: Redis, unique: str) -> None:
    await redis.set(ITEMS.key(PROVENANCE.format(unique)), b"nothing of ours")
    assert await maps_on(redis, unique).read(ITEMS, unique) is None


async def test_shop_ids_are_added_to_those_known(redis: Redis, unique: str) -> None:
    maps = maps_on(redis, unique)
    await maps.map_accounts(unique, {1: "C-1", 2: "C-2"})
    await maps.map_accounts(unique, {2: "C-9"})
    await maps.map_accounts(unique, {})
    answers = [(await maps.account_of(unique, number)).account for number in (1, 2, 3)]
    assert answers == ["C-1", "C-9", None]
    assert await maps.mapped_ids(unique) == {1, 2}
    await maps.unmap_accounts(unique, [1, 3])
    await maps.unmap_accounts(unique, [])
    assert (await maps.account_of(unique, 1)).account is None
    assert await maps.mapped_ids(unique) == {2}


async def test_how_complete_the_ids_are_goes_with_them(redis: Redis, unique: str) -> None:
    """An evicted key is no statement about customers."""
    maps = maps_on(redis, unique)
    everybody = {number: f"C-{number}" for number in range(1, 2501)}
    assert await maps.all_accounts(unique) == ({}, IdsState.NONE)
    await maps.map_accounts(unique, everybody)
    assert await maps.ids_state(unique) is IdsState.NONE
    await maps.note_ids_state(unique, IdsState.COMPLETE)
    assert await maps.all_accounts(unique) == (everybody, IdsState.COMPLETE)
    assert await maps.account_of(unique, 3) == ("C-3", IdsState.COMPLETE)
    assert await maps.account_of(unique, 9999) == (None, IdsState.COMPLETE)
    assert await maps.mapped_ids(unique) == set(everybody)
    await redis.delete(f"customer_ids:{{{PROVENANCE.format(unique)}}}")
    assert await maps.account_of(unique, 3) == (None, IdsState.NONE)
    await maps.map_accounts(unique, {0: "a later version's"})
    assert await maps.ids_state(unique) is IdsState.NONE


async def test_a_turn_is_one_replicas_until_it_ends(redis: Redis, unique: str) -> None:
    maps, minute = maps_on(redis, unique), timedelta(minutes=1)
    assert await maps.take_turn(unique, minute) is Turn.MINE
    assert await maps.take_turn(unique, minute) is Turn.READING
    await maps.hold_turn(unique, Turn.RESTING, minute)
    assert await maps.take_turn(unique, minute) is Turn.RESTING
    turn = f"maps_turn:{{{PROVENANCE.format(unique)}}}"
    assert 0 < await redis.pttl(turn) <= 60_000
    await redis.delete(turn)
    assert await maps.take_turn(unique, minute) is Turn.MINE
    # To Redis, a mark from before its clock stepped back ends that much later.
    await redis.expire(turn, 3660)
    assert await maps.take_turn(unique, minute) is Turn.READING
    assert 0 < await redis.pttl(turn) <= 60_000


async def test_a_large_map_is_known_by_its_head_and_comes_back_whole(
    redis: Redis, unique: str
) -> None:
    maps, kept = maps_on(redis, unique), large_map()
    assert await maps.head(ITEMS, unique) is None
    await maps.keep(ITEMS, unique, kept)
    assert await maps.head(ITEMS, unique) == MapHead(AS_OF, {"Products": 5}, 5000)
    assert await maps.read(ITEMS, unique) == kept
    value = bytes(await redis.get(ITEMS.key(PROVENANCE.format(unique))))
    ends = value[:-9] + b"123456789"
    for damaged in (value[:-100], value[:300], ends, value.replace(b"2", b"3")):
        await redis.set(ITEMS.key(PROVENANCE.format(unique)), damaged)
        assert await maps.read(ITEMS, unique) is None


async def test_rows_that_say_the_same_are_the_rows_held() -> None:
    kept = large_map()
    held = {name: row for name, row in kept.rows.items() if name != "S-7"}
    held["S-8"] = make_item("S-8", list_price="1.00")
    read = await ITEMS.decode(await ITEMS.encode(kept), held)
    assert read == kept
    same = [name for name, row in read.rows.items() if held.get(name) is row]
    assert set(kept.rows) - set(same) == {"S-7", "S-8"}


async def test_a_large_map_holds_the_loop_for_no_more_than_some_rows() -> None:
    """With 250,000 rows each page waited for seconds, every quarter of an hour."""
    kept, turns = large_map(), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    answering = asyncio.create_task(others())
    value = await ITEMS.encode(kept)
    encoded, turns = turns, 0
    read = await ITEMS.decode(value)
    decoded, turns = turns, 0
    assert read is not None
    rows = await by_name(read.rows)
    named, turns = turns, 0
    await let_go([*rows.values()])
    gone = turns
    answering.cancel()
    assert min(encoded, decoded, named, gone) >= len(kept.rows) / ROWS_AT_ONCE


async def test_a_map_that_has_not_changed_is_the_one_held() -> None:
    kept = large_map()
    held = await by_name(kept.rows)
    assert await by_name(dict(kept.rows), held) is held
    changed = await by_name({**kept.rows, "S-1": make_item("S-1", list_price="1")}, held)
    assert changed is not held
    assert changed.spellings is held.spellings
    fewer = await by_name({name: row for name, row in kept.rows.items() if name != "S-1"}, held)
    assert fewer.find("s-1") is None
    other = await by_name({**fewer, "T-1": make_item("T-1")}, held)
    assert other.find("t-1") == make_item("T-1")


async def test_an_account_that_is_newer_than_the_map_is_told_of(redis: Redis, unique: str) -> None:
    maps = maps_on(redis, unique)
    assert await maps.noted_customer(unique, "C-9") is None
    await maps.note_customer(unique, make_customer("C-9", price_group="G"))
    for spelled in ("C-9", "c-9", " C-9"):
        assert await maps.noted_customer(unique, spelled) == make_customer("C-9", price_group="G")
    assert await maps.noted_customer(unique, "c-9 ") == make_customer("C-9", price_group="G")
    # Any map that is read lives shorter, so whoever lacks the account has read one since.
    assert 0 < await redis.ttl(news_key(PROVENANCE.format(unique), "C-9")) <= 86_400


async def test_what_another_erp_holds_is_not_found(redis: Redis, unique: str) -> None:
    """Two deployments on one Redis, whose markets are called alike."""
    ours, theirs = maps_on(redis, unique), maps_on(redis, unique, "https://test.example.com")
    await theirs.keep(ITEMS, unique, KeptMap({"S-1": make_item("S-1")}, AS_OF))
    await theirs.map_accounts(unique, {1: "C-1"})
    await theirs.note_customer(unique, make_customer("C-9", price_group="G"))

    assert await ours.read(ITEMS, unique) is None
    assert await theirs.take_turn(unique, timedelta(minutes=1)) is Turn.MINE

    assert await ours.account_of(unique, 1) == (None, IdsState.NONE)
    assert await ours.take_turn(unique, timedelta(minutes=1)) is Turn.MINE
    assert await ours.noted_customer(unique, "C-9") is None


async def test_whoever_was_not_updated_yet_follows_links_where_they_look(
    redis: Redis, unique: str
) -> None:
    """An account that was taken away must not stay with a shopper while an update lasts."""
    maps = maps_on(redis, unique)
    await maps.map_accounts(unique, {1: "C-1", 2: "C-2"})
    await maps.unmap_accounts(unique, [1])
    found = cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(former_ids_key(unique)))
    assert await found == {b"2": b"C-2"}


SHOP, OTHER_SHOP = "https://shop.example.com", "https://outlet.example.com"


async def test_two_shops_of_one_market_code_share_no_ids(redis: Redis, unique: str) -> None:
    """Both number their customers alike: the first one's stand, and the second writes none."""
    read_from = {unique: f"https://erp.example.com|demf|{unique}"}
    one, same, other = (
        SharedMaps(redis, read_from, shop=url)
        for url in (SHOP, "HTTPS://Shop.example.com:443/", OTHER_SHOP)
    )
    await one.map_accounts(unique, {7: "C-7"})
    await same.note_ids_state(unique, IdsState.COMPLETE)
    for refused in (
        other.map_accounts(unique, {7: "C-8"}),
        other.unmap_accounts(unique, [7]),
        other.note_ids_state(unique, IdsState.NONE),
    ):
        with pytest.raises(SharedStateError, match=r"are those of https://shop\.example\.com"):
            await refused

    assert await other.account_of(unique, 7) == IdAnswer("C-7", IdsState.COMPLETE)


async def test_who_would_read_another_shop_s_ids_does_not_start(
    fake_redis_port: int, unique: str
) -> None:
    section = RedisSection(url=f"redis://127.0.0.1:{fake_redis_port}/0", timeout_ms=5000)
    read_from = {unique: f"https://erp.example.com|demf|{unique}"}
    await require_own_shop(section, read_from, SHOP)
    await require_own_shop(section, read_from, f"{SHOP}/")
    with pytest.raises(OtherShopError, match="market codes of their own") as caught:
        await require_own_shop(section, read_from, OTHER_SHOP)

    assert f"redis-cli DEL 'shop:{{https://erp.example.com|demf|{unique}}}'" in str(caught.value)
    await require_own_shop(section, {f"{unique}2": f"{unique}2"}, OTHER_SHOP)
    await require_own_shop(RedisSection(), read_from, OTHER_SHOP)
    silent = RedisSection(url="redis://127.0.0.1:9/0")
    await require_own_shop(silent, read_from, OTHER_SHOP)
