"""Access is asked before anything is parsed or kept: a stranger decides nothing of our memory."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
from aiohttp.test_utils import TestClient

from pricing_proxy.web.app import admin_app, public_app
from tests.fakes.price_world import price_service
from tests.web.conftest import ProgramServer
from tests.web.shop import BODY_LIMIT, KEY, READER_KEY, REVOKED_KEY, UNTRACED, shop_routes
from tests.web.storefront import token
from tests.web.test_immediate import JSON, Served, get, post, served, talk

LONG = "x" * 50_000
ROUTES = (
    ("POST", "/v1/prices"),
    ("GET", "/v1/prices?market=MARKET&customer=WHO&sku=S-1"),
    ("GET", "/v1/prices?market=MARKET&customer=WHO&sku=S-2&wait_ms=5000"),
    ("POST", "/v1/carts/price"),
    ("POST", "/v1/customers/WHO/login"),
    ("POST", "/v1/invalidations"),
    ("POST", "/v1/prices/explain"),
    ("POST", "/v1/breakers/erp:price_read"),
    ("POST", "/v1/gates/erp:pricing"),
    ("GET", "/nowhere/MARKET"),
)
MARKETS = ("b2b_de", "nowhere", "m" * 3000)
WHO = ("C-1", "C-2", "C-404", "c" * 3000)
CREDENTIALS: tuple[dict[str, str], ...] = (
    {},
    {"X-API-Key": "wrong"},
    {"X-API-Key": READER_KEY},
    {"X-API-Key": REVOKED_KEY},
    {"Authorization": "Bearer no.token"},
    {"Authorization": f"Bearer {token('C-1')[:-6]}AAAAAA"},
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Content-Type": "application/json"},
    {"Content-Type": "application/json", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
    {"Origin": "https://elsewhere.example.com"},
)
BODIES = (
    b"",
    b"{",
    b'{"market":"b2b_de","customer":"C-1","lines":[{"sku":"S-1"},{"sku":"S-2"}]}',
    b'{"market":"other","customer":"C-404","lines":[{"sku":"X","quantity":"7","unit":"Y"}]}',
    b'{"market":"b2b_de","scope":{"all":true},"level":"hard","reason":"r"}',
    b'{"market":"b2b_de","skus":["S-3"]}',
    b'{"order":"open"}',
)
# yarl keeps the last 128 addresses that it took apart, in the parser itself; once those are
# full, what is kept beyond them is ours.
WARM_UP, MEASURED = 140, 140


@pytest.fixture
async def shop() -> AsyncIterator[Served]:
    async with served() as started:
        yield started


def _wrong_market(number: int) -> bytes:
    request = get("S-1", more=("X-API-Key: wrong",))
    return request.replace(b"b2b_de", f"{number}{LONG}".encode())


def _wrong_member(number: int) -> bytes:
    request = get("S-1", more=("X-API-Key: wrong",))
    return request.replace(b"wait_ms=5000", f"{number}{LONG}=1".encode())


def _wrong_quantity(number: int) -> bytes:
    quantity = f"{number}{'0' * 3000}".encode()
    content = b'{"market":"b2b_de","customer":"C-1","lines":[{"sku":"S-1","quantity":"%s"}]}'
    return post(content % quantity, JSON).replace(b"X-API-Key: ", b"X-API-Key: wrong ")


def _wrong_key(number: int) -> bytes:
    return get("S-1", more=(f"X-API-Key: {number}{'k' * 8192}",))


def _wrong_token(number: int) -> bytes:
    return get("S-1", more=(f"Authorization: Bearer {number}{'t' * 8192}",))


def _signed_by_nobody(number: int) -> bytes:
    text = token(f"C-{number}")
    return get("S-1", more=(f"Authorization: Bearer {text[:-6]}AAAAAA",))


@pytest.mark.parametrize(
    "request_of",
    [
        _wrong_market,
        _wrong_member,
        _wrong_quantity,
        _wrong_key,
        _wrong_token,
        _signed_by_nobody,
    ],
)
async def test_nothing_is_kept_of_a_caller_without_access(
    shop: Served, request_of: Callable[[int], bytes]
) -> None:
    """4,200 requests like the first kept 200 MB."""
    tracemalloc.start()
    try:
        for number in range(WARM_UP):
            await _refused(shop, request_of(number))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(WARM_UP, WARM_UP + MEASURED):
            await _refused(shop, request_of(number))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


async def _refused(shop: Served, request: bytes) -> None:
    [(head, _)] = await talk(shop.port, request)
    assert head.startswith("HTTP/1.1 401"), head
    assert shop.watched.answered[-1:] != [True]
    await asyncio.sleep(0)


async def test_whatever_strangers_ask_for_leaves_no_trace() -> None:
    """No market, customer or SKU that they name becomes a key of anything, nor a count."""
    world = price_service()
    await world.load("S-1")
    world.warmer.pages.clear()
    world.warmer.seen._own.clear()
    world.warmer.seen._unsaved.clear()
    parts = shop_routes(world)
    public = public_app(parts.routes, body_limit_bytes=BODY_LIMIT, traces=UNTRACED)
    admin = admin_app(parts.routes, body_limit_bytes=BODY_LIMIT)
    before = parts.metrics.text()
    draw = Random(8)
    async with TestClient(ProgramServer(public)) as shop, TestClient(ProgramServer(admin)) as own:
        for _ in range(400):
            client = draw.choice([shop, own])
            method, path = draw.choice(ROUTES)
            path = path.replace("MARKET", draw.choice(MARKETS)).replace("WHO", draw.choice(WHO))
            headers = {**draw.choice(CREDENTIALS), **draw.choice(HEADERS)}
            answer = await client.request(
                method, path, data=draw.choice(BODIES), headers=headers, allow_redirects=False
            )
            assert answer.status in {400, 401, 403, 404, 405}
            await answer.read()

    assert parts.metrics.text() == before
    assert set(parts.access.last_use().values()) == {None}
    assert parts.routes.prices._queries._kept.used_bytes == 0
    assert len(parts.access._tokens._kept) == 0
    assert list(world.warmer.pages) == []
    assert (world.warmer.seen._own, world.warmer.seen._unsaved) == ({}, {})
    assert world.loader.flights.count == 0
    assert len(world.erp.batches) == 0
    assert world.cache.entry_count == 1


async def test_made_up_markets_and_customers_drive_nobody_out_of_what_is_kept() -> None:
    """Also those of a caller with access: a shop that names whoever its visitors name."""
    world = price_service()
    parts = shop_routes(world)
    app = public_app(parts.routes, body_limit_bytes=BODY_LIMIT, traces=UNTRACED)
    async with TestClient(ProgramServer(app)) as shop:
        for market, customer in (("b2b_de", "C-404"), ("nowhere", "C-1"), ("m" * 64, "C-1")):
            query = f"market={market}&customer={customer}&sku=S-1"
            answer = await shop.get(f"/v1/prices?{query}", headers={"X-API-Key": KEY})
            assert answer.status in {400, 404}
        assert parts.routes.prices._queries._kept.used_bytes == 0
        query = "market=b2b_de&customer=C-1&sku=S-1"
        answer = await shop.get(f"/v1/prices?{query}", headers={"X-API-Key": KEY})
        assert answer.status == 200
    assert parts.routes.prices._queries._kept.used_bytes > 0
    await world.loader.flights.aclose()
