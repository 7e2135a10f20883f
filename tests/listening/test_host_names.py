"""A page of somebody else in an operator's browser reads nothing that asks for no login."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.host_names import refusing_other_names
from pricing_proxy.listening.listener import listening
from tests.listening.raw import wire

OURS = [
    "localhost",
    "LOCALHOST:8081",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:8081",
    "10.1.2.3:80",
    "[::1]",
    "[::1]:8081",
    "ops.example.com",
    "Ops.Example.COM:8081",
]
OTHERS = [
    "attacker.example",
    "attacker.example:8081",
    "localhost.attacker.example",
    "127.0.0.1.attacker.example",
    "ops.example.com.attacker.example",
    "xn--lcalhost-54a",
    "127.0.0.1@attacker.example",
    "[::1].attacker.example",
    "[attacker.example]",
    "localhost:80:attacker.example",
    "\xfflocalhost",
]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="secret")

    app = web.Application(middlewares=[refusing_other_names(["ops.example.com"])])
    app.router.add_get("/", answer)
    app.router.add_get("/health/live", answer)
    async with listening(app, Listener(port=0), "port", crowd=Crowd("tests")) as free:
        yield free


async def status(port: int, host: str, path: str = "/") -> int:
    async with wire(port) as line:
        await line.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        return (await line.answer()).status


@pytest.mark.parametrize("host", OURS)
async def test_our_names_and_addresses_are_answered(port: int, host: str) -> None:
    assert await status(port, host) == 200


@pytest.mark.parametrize("host", OTHERS)
async def test_other_names_are_refused_but_for_health(port: int, host: str) -> None:
    assert await status(port, host) == 421
    assert await status(port, host, "/nowhere") == 421
    assert await status(port, host, "/health/live") == 200


async def test_a_caller_without_a_host_is_no_browser(port: int) -> None:
    async with wire(port) as line:
        await line.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await line.answer()).status == 200
