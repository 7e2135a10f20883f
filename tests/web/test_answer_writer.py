"""An answer written in one piece says what aiohttp's own would say."""

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from unittest.mock import Mock

import pytest
from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import make_mocked_request
from pytest_aiohttp.plugin import AiohttpClient

from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.answer_writer import AnswerWriter
from pricing_proxy.web.app import public_app
from tests.fakes.price_world import price_service
from tests.virtual_time import ManualClock
from tests.web.shop import BODY_LIMIT, KEY, Shop, body, shop_routes


async def _ask(shop: Shop, *, version: str, more: str = "") -> tuple[dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.public.port)
    writer.write(
        f"GET /v1/prices?market=b2b_de&customer=C-1&wait_ms=5000&sku=S-1 HTTP/{version}\r\n"
        f"Host: shop\r\nX-API-Key: {KEY}\r\n{more}\r\n".encode()
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().split("\r\n")
    assert status.split()[1] == "200"
    headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
    content = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return headers, content


def _request(transport: Mock) -> web.Request:
    headers = {"X-API-Key": "k"}
    return make_mocked_request("GET", "/v1/prices", headers=headers, transport=transport)


async def test_both_ways_of_writing_have_the_same_headers(shop: Shop) -> None:
    await shop.post(body("S-1", wait_ms=5000))
    whole, content = await _ask(shop, version="1.1")
    closing, same = await _ask(shop, version="1.1", more="Connection: close\r\n")
    old, _ = await _ask(shop, version="1.0")
    assert content == same
    assert closing.pop("connection") == "close"
    for headers in (whole, closing, old):
        assert headers.pop("date").endswith(" GMT")
    assert whole == closing == old
    assert whole["cache-control"] == "private, no-store"
    assert whole["cache-status"] == "pricing-proxy; hit; detail=l1"


async def test_the_date_follows_the_clock() -> None:
    clock = ManualClock()
    transport = Mock(**{"is_closing.return_value": False})
    writer = AnswerWriter(clock=clock)
    dates = []
    for seconds in (0, 0, 61):
        clock.advance(timedelta(seconds=seconds))
        request = _request(transport)
        answer = writer.answer(request, b"{}", cache_status="x")
        await answer.prepare(request)
        await answer.write_eof()
        message = transport.write.call_args.args[0].decode()
        dates.append(message.partition("Date: ")[2].partition("\r\n")[0])
    assert dates[0] == dates[1]
    assert parsedate_to_datetime(dates[2]) - parsedate_to_datetime(dates[0]) == timedelta(
        minutes=1, seconds=1
    )


async def test_a_caller_that_hung_up_is_a_lost_connection() -> None:
    request = _request(Mock(**{"is_closing.return_value": True}))
    answer = AnswerWriter(clock=ManualClock()).answer(request, b"{}", cache_status="x")
    with pytest.raises(ClientConnectionResetError):
        await answer.prepare(request)


async def test_a_process_that_ends_closes_every_connection_after_its_answer(
    aiohttp_client: AiohttpClient,
) -> None:
    """A request never meets a connection that is just ending."""
    world = price_service()
    untraced = Traces(service="tests", exporter=None, sample_ratio=0.0)
    app = public_app(
        shop_routes(world).routes,
        body_limit_bytes=BODY_LIMIT,
        traces=untraced,
        is_leaving=lambda: True,
    )
    client = await aiohttp_client(app)
    for path in ("/health/live", "/v1/prices"):
        answer = await client.get(path)
        assert answer.headers["Connection"] == "close"
    await world.loader.flights.aclose()
    request = _request(Mock(**{"is_closing.return_value": False}))
    leaving = AnswerWriter(clock=ManualClock(), is_leaving=lambda: True)
    assert isinstance(leaving.answer(request, b"{}", cache_status="x"), web.Response)
