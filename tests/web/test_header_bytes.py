"""Heads of any bytes are answered: by refusals where they should open something, never by a 5xx."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
import pytest

from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import listening
from pricing_proxy.web.app import admin_app, public_app
from pricing_proxy.web.immediate import ImmediateRunner
from tests.fakes.price_world import price_service
from tests.listening.raw import wire
from tests.web.shop import BODY_LIMIT, KEY, UNTRACED, body, shop_routes

BYTES = {
    "empty": b"",
    "no UTF-8": b"\xff\xfe",
    "half a letter": b"key \xc3",
    "surrogate": b"\xed\xa0\x80",
    "UTF-8": "Schlüssel 🔑".encode(),
    "8 KB": b"x" * 8000,
    "8 KB of bytes": b"\xff" * 8000,
    "10 KB": b"x" * 10_000,
    "commas": b",,;;==\"'\\",
    "controls": b"a\tb",
}
CREDENTIALS = ("X-API-Key", "Authorization")
OTHERS = (
    "Accept",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Expect",
    "Host",
    "If-None-Match",
    "Origin",
    "Range",
    "Transfer-Encoding",
    "Upgrade",
    "traceparent",
    "tracestate",
)
ROUTES = (
    ("public", "GET", "/v1/prices?market=b2b_de&customer=C-1&sku=S-1"),
    ("public", "OPTIONS", "/v1/prices"),
    ("public", "POST", "/v1/prices"),
    ("public", "POST", "/v1/carts/price"),
    ("public", "POST", "/v1/customers/C-1/login"),
    ("public", "GET", "/nowhere"),
    ("admin", "POST", "/v1/invalidations"),
    ("admin", "POST", "/v1/prices/explain"),
    ("admin", "POST", "/v1/breakers/one"),
    ("admin", "GET", "/status"),
    ("admin", "GET", "/docs"),
)


@dataclass(frozen=True)
class Ports:
    public: int
    admin: int


@pytest.fixture
async def ports() -> AsyncIterator[Ports]:
    world = price_service()
    world.erp.latency_seconds = 0.0
    routes = shop_routes(world).routes
    public = public_app(routes, body_limit_bytes=BODY_LIMIT, traces=UNTRACED)
    admin = admin_app(routes, body_limit_bytes=BODY_LIMIT)
    address = Listener(port=0)
    async with (
        listening(
            public, address, "port", crowd=Crowd("public"), runner_type=ImmediateRunner
        ) as first,
        listening(admin, address, "port", crowd=Crowd("admin")) as second,
    ):
        yield Ports(first, second)
    await world.loader.flights.aclose()


async def status(ports: Ports, route: tuple[str, str, str], lines: dict[str, bytes]) -> int:
    listener, method, path = route
    content = orjson.dumps(body("S-1")) if method == "POST" else b""
    usual = {
        "Host": b"localhost",
        "Content-Type": b"application/json",
        **({"Content-Length": b"%d" % len(content)} if content else {}),
        **lines,
    }
    if "Transfer-Encoding" in lines:
        usual.pop("Content-Length", None)
    head = b"".join(b"%s: %s\r\n" % (name.encode(), text) for name, text in usual.items())
    async with wire(getattr(ports, listener)) as line:
        await line.send(
            b"%s %s HTTP/1.1\r\n%s\r\n%s" % (method.encode(), path.encode(), head, content)
        )
        return (await line.answer()).status


@pytest.mark.parametrize("text", BYTES.values(), ids=BYTES)
async def test_credentials_of_any_bytes_open_nothing(ports: Ports, text: bytes) -> None:
    """10 KB are more than a line of a head may have."""
    for route in ROUTES[:1] + ROUTES[2:5] + ROUTES[6:9]:
        for name in CREDENTIALS:
            for prefix in (b"", b"Bearer ", b"bearer a.b."):
                expected = {400} if len(text) > 9216 else {401}
                assert await status(ports, route, {name: prefix + text}) in expected, route


@pytest.mark.parametrize("text", BYTES.values(), ids=BYTES)
async def test_head_lines_of_any_bytes_are_the_caller_s_mistake(ports: Ports, text: bytes) -> None:
    for route in ROUTES:
        for name in OTHERS:
            if (name, text) == ("Content-Length", b""):
                continue  # llhttp waits for digits: half a head, ended by the sweep
            lines = {"X-API-Key": KEY.encode(), name: text}
            found = await status(ports, route, lines)
            assert 200 <= found < 500, (route, name)
