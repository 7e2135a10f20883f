"""Every call ends in an answer or in the one error that says what to do next."""

import asyncio
import gzip
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.transport import Transport
from pricing_proxy.http_exchange import Request
from pricing_proxy.money import NumberText
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.d365.certificates import make_authority
from tests.d365.loopback import Play, Tokens, soon, transport_to, transport_to_bytes
from tests.d365.sample_files import sample

GET = Request(method="GET", target="/data/Currencies?$select=A%2Cb&x='%20+1")
POST = Request(method="POST", target="/api/services/a/b/c", body=b"{}")


def always(status: int = 200, body: bytes = b"{}", **headers: str) -> Play:
    """Return a play that gives the same answer each time."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def play(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=named)

    return play


async def send(play: Play, request: Request = GET, **options: Any) -> Any:
    async with transport_to(play, **options) as (transport, _):
        return await transport.send(request, deadline=soon())


async def test_a_request_is_sent_as_it_was_written() -> None:
    async with transport_to(always(body=b'{"a": 19.90}')) as (transport, erp):
        answer = await transport.send(GET, deadline=soon())
        await transport.send(POST, deadline=soon())
    assert answer == {"a": NumberText("19.90")}
    assert isinstance(answer["a"], NumberText)
    assert erp.targets == [GET.target, POST.target]
    get, post = erp.requests
    assert get.headers["Authorization"] == "Bearer token-1"
    assert get.headers["Accept"] == "application/json"
    assert post.headers["Content-Type"] == "application/json; charset=utf-8"
    assert erp.bodies == [b"", b"{}"]
    ids = [uuid.UUID(request.headers["x-ms-client-request-id"]) for request in (get, post)]
    assert len(set(ids)) == 2


async def test_an_expired_token_is_replaced_once_and_the_call_repeated() -> None:
    async def play(request: web.Request) -> web.Response:
        is_new = request.headers["Authorization"] == "Bearer token-2"
        return web.json_response({}) if is_new else web.Response(status=401)

    async with transport_to(play) as (transport, erp):
        await transport.send(POST, deadline=soon())
        await transport.send(POST, deadline=soon())
    tokens = [request.headers["Authorization"] for request in erp.requests]
    assert tokens == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


async def test_a_second_401_means_denied() -> None:
    async with transport_to(always(401)) as (transport, erp):
        with pytest.raises(UpstreamDeniedError) as caught:
            await transport.send(GET, deadline=soon())
    assert caught.value.status == 401
    assert len(erp.requests) == 2


async def test_a_token_that_cannot_be_replaced_is_not_sent_again() -> None:
    async with transport_to(always(401), tokens=Tokens(last=1)) as (transport, erp):
        with pytest.raises(UpstreamDeniedError):
            await transport.send(GET, deadline=soon())
    assert len(erp.requests) == 1


ENVELOPE = sample("error.500.action.json")
GENERIC = b'{"error": {"code": "", "message": "An error has occurred."}}'


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, sample("error.400.validation.line.json"), UpstreamRejectedError),
        (400, b"", UpstreamRejectedError),
        (403, ENVELOPE, UpstreamDeniedError),
        (404, b"<html>", UpstreamRejectedError),
        (408, ENVELOPE, UpstreamUnavailableError),
        (413, b"", UpstreamRejectedError),
        (425, b"", UpstreamUnavailableError),
        (429, b"", UpstreamThrottledError),
        (500, ENVELOPE, UpstreamRejectedError),
        (500, GENERIC, UpstreamUnavailableError),
        (500, b"<html>", UpstreamUnavailableError),
        (502, ENVELOPE, UpstreamUnavailableError),
        (503, ENVELOPE, UpstreamUnavailableError),
        (504, b"", UpstreamUnavailableError),
        (302, b"", UpstreamContractError),
        (304, b"", UpstreamContractError),
        (200, b"<html>Sign in</html>", UpstreamContractError),
        (200, b"", UpstreamContractError),
        (200, b'{"a": NaN}', UpstreamContractError),
    ],
)
async def test_each_status_has_its_error(
    status: int, body: bytes, error: type[UpstreamError]
) -> None:
    async with transport_to(always(status, body, Location="http://127.0.0.1:1/")) as (
        transport,
        erp,
    ):
        with pytest.raises(error) as caught:
            await transport.send(GET, deadline=soon())
    assert type(caught.value) is error
    assert caught.value.system == "fo"
    assert erp.requests[0].headers["x-ms-client-request-id"] in str(caught.value)
    assert len(erp.requests) == 1


async def test_a_refusal_carries_the_applications_reasons() -> None:
    with pytest.raises(UpstreamRejectedError) as caught:
        await send(always(400, sample("error.400.validation.line.json")))
    assert caught.value.status == 400
    assert caught.value.reasons == (
        "Inventory dimension Site is mandatory and must consequently be specified.",
    )
    assert "Inventory" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
async def test_throttling_says_for_how_long_in_seconds(status: int) -> None:
    with pytest.raises(UpstreamThrottledError) as caught:
        await send(always(status, Retry_After="17"))
    assert caught.value.retry_after == timedelta(seconds=17)


async def test_throttling_says_for_how_long_as_a_date() -> None:
    play = always(
        429,
        Date="Mon, 23 Nov 2020 07:30:00 GMT",
        Retry_After="Mon, 23 Nov 2020 07:30:07 GMT",
    )
    with pytest.raises(UpstreamThrottledError) as caught:
        await send(play)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=7) <= caught.value.retry_after <= timedelta(seconds=8)


async def test_throttling_may_leave_it_open() -> None:
    with pytest.raises(UpstreamThrottledError) as caught:
        await send(always(429, sample("error.500.action.json")))
    assert caught.value.retry_after is None


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [200, 204])
async def test_a_write_may_have_nothing_to_say(method: Any, status: int) -> None:
    answer = await send(always(status, b""), Request(method=method, target="/data/X"))
    assert answer is None


async def test_a_big_answer_is_read_like_a_small_one() -> None:
    rows = ",".join(f'{{"n": {number}.50}}' for number in range(20_000))
    answer = await send(always(body=f'{{"value": [{rows}]}}'.encode()))
    assert answer["value"][19_999] == {"n": "19999.50"}
    with pytest.raises(UpstreamContractError):
        await send(always(body=b'{"value": [' + rows.encode()))


async def test_an_endless_answer_is_cut_short() -> None:
    async def play(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b" " * 65_536)
        return response

    with pytest.raises(UpstreamContractError, match="more than 1000000 bytes"):
        await send(play)


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_short() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with pytest.raises(UpstreamContractError, match="more than"):
        await send(always(body=bomb, Content_Encoding="gzip"))


async def test_a_deadline_ends_the_wait() -> None:
    async def play(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with transport_to(play) as (transport, _):
        with pytest.raises(UpstreamTimeoutError) as caught:
            await transport.send(GET, deadline=soon(0.05))
    assert caught.value.system == "fo"


async def test_without_time_left_nothing_is_sent() -> None:
    async with transport_to(always()) as (transport, erp):
        with pytest.raises(UpstreamTimeoutError):
            await transport.send(GET, deadline=soon(0))
    assert erp.requests == []


async def test_a_token_that_does_not_come_is_the_issuers_time_out() -> None:
    class Silent(Tokens):
        async def token(self) -> str:
            await asyncio.Event().wait()
            raise AssertionError

    async with transport_to(always(), tokens=Silent()) as (transport, erp):
        with pytest.raises(UpstreamTimeoutError) as caught:
            await transport.send(GET, deadline=soon(0.05))
    assert caught.value.system == "entra"
    assert erp.requests == []


async def test_cancellation_passes_through() -> None:
    arrived = asyncio.Event()

    async def play(_: web.Request) -> web.Response:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with transport_to(play) as (transport, _):
        call = asyncio.create_task(transport.send(GET, deadline=soon()))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_broken_kept_alive_connection_is_reported_and_not_retried_silently() -> None:
    """Else aiohttp would send a GET again by itself, which our retries know nothing of."""
    async with transport_to_bytes([OK, b"", OK]) as (transport, heads):
        await transport.send(GET, deadline=soon())
        with pytest.raises(UpstreamUnavailableError) as caught:
            await transport.send(GET, deadline=soon())
        assert caught.value.is_connection_failure
        assert len(heads) == 2
        await transport.send(GET, deadline=soon())
    assert len(heads) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_an_answer_that_is_cut_off_or_garbled_is_a_connection_failure(
    answer: bytes,
) -> None:
    async with transport_to_bytes([answer]) as (transport, _):
        with pytest.raises(UpstreamUnavailableError) as caught:
            await transport.send(GET, deadline=soon())
    assert caught.value.is_connection_failure


async def test_a_refused_connection_is_a_connection_failure() -> None:
    async with transport_to(always()) as (transport, _):
        gone = transport
    async with aiohttp.ClientSession() as session:
        transport = Transport(
            session, base_url=gone.base_url, tokens=Tokens(), clock=SystemClock(), system="fo"
        )
        with pytest.raises(UpstreamUnavailableError, match="cannot be reached") as caught:
            await transport.send(GET, deadline=soon())
    assert caught.value.is_connection_failure
    assert "127.0.0.1" not in str(caught.value)


async def test_a_certificate_that_is_not_trusted_is_a_connection_failure(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "unknown")
    server = TestServer(web.Application(), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=authority.server)
    async with server, aiohttp.ClientSession() as session:
        transport = Transport(
            session,
            base_url=f"https://127.0.0.1:{server.port}",
            tokens=Tokens(),
            clock=SystemClock(),
            system="fo",
        )
        with pytest.raises(UpstreamUnavailableError, match="certificate") as caught:
            await transport.send(GET, deadline=soon())
    assert caught.value.is_connection_failure


@pytest.mark.parametrize(
    "target", ["https://evil.example.com/", "//evil.example.com/", "data/X", ""]
)
def test_a_target_names_no_host(target: str) -> None:
    with pytest.raises(ValueError, match="own host"):
        Request(method="GET", target=target)


@pytest.mark.parametrize(
    "base_url", ["erp.example.com", "ftp://erp", "https://erp/data", "https://"]
)
async def test_a_base_url_is_a_root(base_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="root"):
            Transport(session, base_url=base_url, tokens=Tokens(), clock=SystemClock(), system="fo")
