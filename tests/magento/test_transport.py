"""Each attempt is signed afresh, sent once, and ends in a body or in one error."""

import asyncio
import contextlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pricing_proxy.clock import SystemClock
from pricing_proxy.http_exchange import Request
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from sync.magento.auth import authorization
from sync.magento.transport import ShopTransport
from sync.magento.way import shop_way
from tests.d365.certificates import make_authority
from tests.fakes.http_proxy import HttpProxy
from tests.magento.loopback import (
    CREDENTIALS,
    Play,
    PlayedShop,
    always,
    section,
    shop_of,
    transport_to,
)
from tests.patience import PATIENCE_SECONDS

TARGET = "/rest/all/V1/products/A%2FB%20%2B'?searchCriteria%5BpageSize%5D=1"
GET = Request(method="GET", target=TARGET)
POST = Request(method="POST", target="/rest/V1/orders", body=b'{"entity": {}}')


def soon(seconds: float = PATIENCE_SECONDS) -> Deadline:
    return Deadline.after(round(seconds * 1_000_000), now_us=SystemClock().monotonic_us())


def oauth(request: web.Request) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', request.headers["Authorization"]))


async def test_each_attempt_has_a_nonce_of_its_own_and_a_signature_for_it() -> None:
    async with transport_to(always({})) as (transport, shop):
        for _ in range(5):
            await transport.send(GET, deadline=soon())
    signed = [oauth(request) for request in shop.requests]
    assert len({fields["oauth_nonce"] for fields in signed}) == 5
    for fields in signed:
        assert len(fields["oauth_nonce"]) == 32
        expected = authorization(
            CREDENTIALS,
            method="GET",
            url=transport.base_url + TARGET,
            nonce=fields["oauth_nonce"],
            timestamp=int(fields["oauth_timestamp"]),
        )
        assert f'oauth_signature="{fields["oauth_signature"]}"' in expected


async def test_a_request_is_sent_as_it_was_written_and_asks_for_json() -> None:
    async with transport_to(always({"a": 19.9})) as (transport, shop):
        await transport.send(GET, deadline=soon())
        await transport.send(POST, deadline=soon())
    get, post = shop.requests
    assert get.raw_path == TARGET
    assert get.headers["Accept"] == "application/json"
    assert post.headers["Content-Type"] == "application/json"
    assert shop.bodies == [b"", b'{"entity": {}}']


async def test_no_cookie_is_kept_between_calls() -> None:
    """Magento sets one with each answer; sent back, calls would queue behind one session."""
    async with shop_of(always({})) as (shop, url):
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            transport = ShopTransport(
                session, base_url=url, credentials=CREDENTIALS, clock=SystemClock()
            )
            await transport.send(GET, deadline=soon())
            await transport.send(GET, deadline=soon())
    assert all("Cookie" not in request.headers for request in shop.requests)


async def test_a_proxy_in_front_is_signed_for_as_php_sees_it() -> None:
    options = {"signed_url": "https://shop.example.com/"}
    async with transport_to(always({}), **options) as (transport, shop):
        await transport.send(GET, deadline=soon())
    fields = oauth(shop.requests[0])
    expected = authorization(
        CREDENTIALS,
        method="GET",
        url="https://shop.example.com" + TARGET,
        nonce=fields["oauth_nonce"],
        timestamp=int(fields["oauth_timestamp"]),
    )
    assert f'oauth_signature="{fields["oauth_signature"]}"' in expected


class LostError(Exception):
    """The right to write is gone."""


async def test_a_guard_that_raises_keeps_the_request_off_the_wire() -> None:
    async def guard() -> None:
        raise LostError

    async with transport_to(always({})) as (transport, shop):
        with pytest.raises(LostError):
            await transport.send(POST, deadline=soon(), guard=guard)
    assert shop.requests == []


async def test_a_passed_deadline_sends_nothing() -> None:
    async with transport_to(always({})) as (transport, shop):
        with pytest.raises(UpstreamTimeoutError):
            await transport.send(GET, deadline=soon(0))
    assert shop.requests == []


async def test_a_shop_that_never_answers_ends_with_the_deadline() -> None:
    async def play(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with transport_to(play) as (transport, _):
        with pytest.raises(UpstreamTimeoutError):
            await transport.send(GET, deadline=soon(0.05))


async def test_a_broken_connection_is_not_tried_again() -> None:
    async def play(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with transport_to(play) as (transport, shop):
        with pytest.raises(UpstreamUnavailableError) as caught:
            await transport.send(GET, deadline=soon())
    assert caught.value.is_connection_failure
    assert len(shop.requests) == 1


async def test_a_shop_that_is_not_there_cannot_be_reached() -> None:
    async with shop_of(always({})) as (_, url):
        pass
    async with aiohttp.ClientSession() as session:
        transport = ShopTransport(
            session, base_url=url, credentials=CREDENTIALS, clock=SystemClock()
        )
        with pytest.raises(UpstreamUnavailableError, match="cannot be reached"):
            await transport.send(GET, deadline=soon())


@pytest.mark.parametrize("body", ["<html>", "", '{"a": NaN}'])
async def test_a_success_without_json_breaks_the_contract(body: str) -> None:
    async def play(_: web.Request) -> web.Response:
        return web.Response(text=body)

    async with transport_to(play) as (transport, _):
        with pytest.raises(UpstreamContractError):
            await transport.send(GET, deadline=soon())


async def test_a_large_answer_is_read_and_a_too_large_one_refused() -> None:
    rows: list[Any] = [{"n": "x" * 100}] * 4000
    async with transport_to(always(rows)) as (transport, _):
        assert await transport.send(GET, deadline=soon()) == rows
    async with transport_to(always(rows), max_body_bytes=1000) as (transport, _):
        with pytest.raises(UpstreamContractError, match="more than 1000 bytes"):
            await transport.send(GET, deadline=soon())


@pytest.mark.parametrize("url", ["ftp://shop", "https://shop/path", "https://shop?x=1", "shop"])
async def test_an_address_that_is_no_root_is_refused_at_start(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="root"):
            ShopTransport(session, base_url=url, credentials=CREDENTIALS, clock=SystemClock())


@pytest.mark.parametrize("target", ["rest", "//evil.example.com/rest"])
def test_a_target_stays_on_the_shops_host(target: str) -> None:
    with pytest.raises(ValueError, match="own host"):
        Request(method="GET", target=target)


def dated(by: timedelta, *, content_type: str = "application/json", status: int = 200) -> Play:
    """Answer with a clock that is off."""

    async def play(_: web.Request) -> web.Response:
        at = datetime.now(UTC) + by
        headers = {"Date": format_datetime(at, usegmt=True), "Content-Type": content_type}
        return web.Response(body=b"{}", status=status, headers=headers)

    return play


def stamp_of(request: web.Request) -> datetime:
    return datetime.fromtimestamp(int(oauth(request)["oauth_timestamp"]), UTC)


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("by", [timedelta(hours=-2), timedelta(hours=2)])
async def test_requests_are_stamped_by_the_clock_that_the_shop_told(
    by: timedelta, status: int
) -> None:
    """One that is stamped ten minutes ahead of its clock is refused, whatever ours says."""
    async with transport_to(dated(by, status=status)) as (transport, shop):
        for _ in range(2):
            with contextlib.suppress(UpstreamDeniedError):
                await transport.send(GET, deadline=soon())

        first, second = map(stamp_of, shop.requests)
        assert timedelta(minutes=-1) < second - first - by <= timedelta(minutes=1)
        reading = transport.shop_clock.last

    assert reading is not None
    assert reading.least <= reading.at + by + timedelta(seconds=1)
    assert reading.most >= reading.at + by


async def test_a_gateways_clock_is_not_taken_for_the_shops() -> None:
    page = dated(timedelta(hours=-2), content_type="text/html")
    async with transport_to(page) as (transport, _):
        with contextlib.suppress(UpstreamError):
            await transport.send(GET, deadline=soon())

        assert transport.shop_clock.last is None


async def test_the_shop_is_called_through_its_proxy_and_signed_for_itself(tmp_path: Path) -> None:
    """Only the proxy knows the shop's name; what is signed says nothing of the proxy."""
    host = "shop.example.com"
    authority = make_authority(tmp_path, "ours", host)
    shop = PlayedShop(always({"total_count": 7}))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.answer)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=authority.server)
    async with server, HttpProxy({host: server.port or 0}, login="robot:s3cr3t").serving() as proxy:
        magento = section(
            f"https://{host}",
            ca_file=str(authority.ca_file),
            proxy=f"http://robot@127.0.0.1:{proxy.port}",
            proxy_password="s3cr3t",
        )
        async with shop_way(magento, clock=SystemClock()) as client:
            assert await client.orders.order_count() == 7

    assert proxy.tunnels == [f"{host}:443"]
    [request] = shop.requests
    assert request.host == host
    assert "Proxy-Authorization" not in request.headers
