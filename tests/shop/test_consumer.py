"""The one consumer of bulks takes the measured time, dies, and is started again; and its like."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.shop.bulk.bulks import COMPLETE, FAILED, OPEN
from pricing_proxy.sandbox.shop.bulk.kinds import kind_of
from pricing_proxy.sandbox.shop.bulk.routes import posted
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.reading import Call
from pricing_proxy.sandbox.shop.tables import Shop
from tests.shop.conftest import Wire
from tests.virtual_time import LoopClock, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


@pytest.fixture
def shop(loop: VirtualLoop) -> Shop:
    clock = LoopClock(loop)
    return Shop(build_book(CatalogSize(skus=1), clock.utc().date()), ShopDials(), clock=clock)


def post(shop: Shop, *, count: int, path: str = "products/bySku", row: Any = None) -> str:
    """Post items; returns the bulk's id."""
    kind = kind_of("PUT" if path == "products/bySku" else "POST", tuple(path.split("/")))
    assert kind is not None
    items = [row or {"product": {"sku": "LAMP-02", "weight": number}} for number in range(count)]
    call = Call(shop=shop, query=(), places=(), body={}, store=None)
    return str(posted(call, kind, items, is_single=False)["bulk_uuid"])


def statuses(shop: Shop, uuid: str) -> list[int]:
    return [one.status for one in shop.bulks.named(uuid).operations]


def run(loop: VirtualLoop, shop: Shop, seconds: float) -> None:
    async def running() -> None:
        async with shop.consumer:
            await asyncio.sleep(seconds)

    loop.run_until_complete(running())


def test_products_go_at_the_measured_speed(loop: VirtualLoop, shop: Shop) -> None:
    """Three seconds until it looks, then sixteen a second."""
    uuid = post(shop, count=100)
    run(loop, shop, 2.9)
    assert statuses(shop, uuid) == [OPEN] * 100
    shop.consumer.wake()
    run(loop, shop, 3 + 1)
    assert 15 <= statuses(shop, uuid).count(COMPLETE) <= 17


def test_prices_go_faster(loop: VirtualLoop, shop: Shop) -> None:
    rows = [{"price": 9, "store_id": 0, "sku": "LAMP-02"}]
    uuid = post(shop, count=200, path="products/base-prices", row={"prices": rows})
    run(loop, shop, 3 + 1)
    assert 69 <= statuses(shop, uuid).count(COMPLETE) <= 84


def test_an_item_kills_it_and_somebody_starts_it_again(loop: VirtualLoop, shop: Shop) -> None:
    uuid = post(shop, count=1, row={"sku": "LAMP-02", "product": {"weight": 9}})
    after = post(shop, count=1)
    run(loop, shop, 10)
    assert shop.dials.consumer_dead
    assert statuses(shop, uuid) + statuses(shop, after) == [OPEN, OPEN]
    shop.dials.consumer_dead = False
    shop.consumer.wake()
    run(loop, shop, 10)
    assert statuses(shop, uuid) + statuses(shop, after) == [OPEN, COMPLETE]


def test_losers_of_deadlocks_have_failed_whatever_the_routes_say_of_it(shop: Shop) -> None:
    """What wraps the database's error has lost that it may be tried again: all routes do."""
    shop.dials.deadlock_rate = 1
    rows = [{"price": 9, "store_id": 0, "sku": "LAMP-02"}]
    product = post(shop, count=1)
    prices = post(shop, count=1, path="products/base-prices", row={"prices": rows})
    shop.consumer.work_off()
    assert statuses(shop, product) + statuses(shop, prices) == [FAILED, FAILED]
    [lost] = shop.bulks.named(product).detailed_status()["operations_list"]
    assert lost["result_message"] == "Database deadlock found when trying to get lock"
    assert lost["error_code"] == 1213
    assert lost["serialized_data"] is not None
    before = shop.catalog.named("LAMP-02").weight
    shop.dials.deadlock_rate = 0
    shop.dials.commit_then_refuse = 1
    refused = post(shop, count=1)
    shop.consumer.work_off()
    assert statuses(shop, refused) == [FAILED]
    assert shop.catalog.named("LAMP-02").weight != before, "stored all the same"


async def test_a_lost_search_engine_refuses_as_on_the_real_shop(wire: Wire) -> None:
    await wire.turn(search_down=True)
    path = "/rest/all/V1/products"
    answer = await wire.send("PUT", f"{path}/LAMP-02", {"product": {"name": "New"}})
    assert (answer.status, answer.body["message"]) == (
        400,
        "The stock item was unable to be saved. Please try again.",
    )
    assert wire.sandbox.shop.catalog.named("LAMP-02").name != "New"
    row = {"price": 5, "price_type": "fixed", "website_id": 0, "sku": "LAMP-02"}
    rows = [{**row, "customer_group": "General", "quantity": 1}]
    answer = await wire.send("POST", f"{path}/tier-prices", {"prices": rows})
    assert (answer.status, answer.body["parameters"]) == (
        400,
        ["No alive nodes found in your cluster"],
    )
    assert len(wire.sandbox.shop.catalog.named("LAMP-02").tiers) == 1
    base = [{"price": 5, "store_id": 0, "sku": "LAMP-02"}]
    assert (await wire.send("POST", f"{path}/base-prices", {"prices": base})).status == 200
    await wire.turn(search_down=False, commit_then_refuse=1)
    base = [{"price": 6, "store_id": 0, "sku": "LAMP-02"}]
    answer = await wire.send("POST", f"{path}/base-prices", {"prices": base})
    assert (answer.status, answer.body) == (400, {"message": "Could not save Prices."})
    assert wire.sandbox.shop.catalog.named("LAMP-02").price == 6


async def test_pages_are_slower_for_each_write_and_show_the_indexs_price(wire: Wire) -> None:
    shop = wire.sandbox.shop
    before = shop.catalog.named("LAMP-01").price
    base = [{"price": 5, "store_id": 0, "sku": "LAMP-01"}]
    await wire.send("POST", "/rest/V1/products/base-prices", {"prices": base})
    page = await wire.send("GET", "/lamp-01.html?___store=b2b_de", credentials=None)
    assert (page.status, page.content_type) == (200, "text/html; charset=UTF-8")
    assert f'content="{before.normalize():f}"' in page.body
    await wire.turn(index_seconds=0)
    page = await wire.send("GET", "/lamp-01.html", credentials=None)
    assert 'content="5"' in page.body
    assert (await wire.send("GET", "/", credentials=None)).status == 200
    assert (await wire.send("GET", "/nope.html", credentials=None)).status == 404
    assert wire.sandbox.systems["magento"].calls.counts()["operations"]["page"] == 4
