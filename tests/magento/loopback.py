"""A small HTTP server on loopback that plays the shop, and a client that asks it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from pricing_proxy.clock import SystemClock
from sync.magento.auth import Credentials
from sync.magento.shop import Shop
from sync.magento.transport import ShopTransport
from sync.magento.way import shop_way
from sync.sections import Magento
from tests.magento.recordings import Recording

Play = Callable[[web.Request], Awaitable[web.StreamResponse]]

CREDENTIALS = Credentials(
    consumer_key="k" * 32, consumer_secret="s" * 32, token="t" * 32, token_secret="u" * 32
)


def section(url: str, credentials: Credentials = CREDENTIALS, **more: Any) -> Magento:
    """Return what the configuration says of a shop."""
    return Magento.model_validate({"url": url, **asdict(credentials), **more})


class PlayedShop:
    """Answers every request by `play`, and keeps what it was asked."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self._play(request)


def always(body: Any, status: int = 200) -> Play:
    """Return a play that gives the same JSON each time, and a session cookie with it."""

    async def play(_: web.Request) -> web.Response:
        answer = web.json_response(body, status=status)
        answer.set_cookie("PHPSESSID", "abc")
        return answer

    return play


@asynccontextmanager
async def shop_of(play: Play) -> AsyncIterator[tuple[PlayedShop, str]]:
    """Serve `play` on loopback, and give its address."""
    shop = PlayedShop(play)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield shop, f"http://127.0.0.1:{server.port}"


@asynccontextmanager
async def transport_to(
    play: Play, **options: Any
) -> AsyncIterator[tuple[ShopTransport, PlayedShop]]:
    """Serve `play`, and give a transport that asks it."""
    async with shop_of(play) as (shop, url), aiohttp.ClientSession() as session:
        yield (
            ShopTransport(
                session, base_url=url, credentials=CREDENTIALS, clock=SystemClock(), **options
            ),
            shop,
        )


@asynccontextmanager
async def playing(recording: Recording) -> AsyncIterator[tuple[Shop, PlayedShop]]:
    """Serve what was recorded, whatever is asked."""

    async def play(_: web.Request) -> web.Response:
        return web.Response(
            body=recording.answer_bytes,
            status=recording.status,
            headers={"Content-Type": recording.content_type},
        )

    async with client_of(play) as (client, shop):
        yield client, shop


@asynccontextmanager
async def client_of(play: Play) -> AsyncIterator[tuple[Shop, PlayedShop]]:
    """Serve `play`, and give a client under the real call policy."""
    async with (
        shop_of(play) as (shop, url),
        shop_way(section(url, timeout_seconds=5), clock=SystemClock()) as client,
    ):
        yield client, shop
