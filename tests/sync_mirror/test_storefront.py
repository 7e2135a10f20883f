"""A page of the storefront is timed to its end; one that does not come took the longest."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer

from pricing_proxy.clock import SystemClock
from sync.magento.storefront import LONGEST_MS, StorefrontPage

PAUSE_SECONDS = 0.05


async def _page(request: web.Request) -> web.StreamResponse:
    if request.path == "/broken":
        return web.Response(status=503)
    answer = web.StreamResponse()
    await answer.prepare(request)
    await asyncio.sleep(PAUSE_SECONDS)
    await answer.write(b"<html>")
    return answer


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    app = web.Application()
    app.router.add_get("/{path:.*}", _page)
    async with TestServer(app) as server:
        yield server


@pytest.mark.parametrize("path", ["/", "/broken"])
async def test_a_page_is_timed_to_its_end(server: BaseTestServer, path: str) -> None:
    async with ClientSession() as session:
        root = str(server.make_url("")).rstrip("/")
        page = StorefrontPage(session, base_url=root, path=path, clock=SystemClock())
        took_ms = await page.page_ms()
    if path == "/":
        assert PAUSE_SECONDS * 1000 <= took_ms < LONGEST_MS
    else:
        assert took_ms == LONGEST_MS


async def test_a_shop_that_is_away_is_slow() -> None:
    async with ClientSession() as session:
        page = StorefrontPage(session, base_url="http://127.0.0.1:9", path="/", clock=SystemClock())
        assert await page.page_ms() == LONGEST_MS
