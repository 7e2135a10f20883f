"""No message reaches the next one: nothing behind a chunked, upgrading or garbled one counts."""

import itertools
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.listening.raw import BODY_LIMIT, Listening, chunked, request, showing, wire

KEY = "X-API-Key: somebody else's"
UPGRADE = ("Connection: upgrade", "Upgrade: websocket")
PATHS = {"/shown": 200, "/early": 401, "/nowhere": 404, "/broken": 504}

LAST = {
    "trailer": chunked(b"{}", trailers=(KEY,)),
    "trailer twice": chunked(b"{}", lines=("Content-Type: a",), trailers=("Content-Type: b",)),
    "trailer that names a coding": chunked(b"{}", trailers=("Content-Encoding: gzip",)),
    "trailer without a value": chunked(b"{}", trailers=("X-Api-Key:",)),
    "100 trailers": chunked(b"{}", trailers=tuple(f"X-{n}: {n}" for n in range(100))),
    "extensions": chunked(b"{", b"}", extension=';name="a;b"'),
    "many small chunks": chunked(*(b"x" for _ in range(5000))),
    "no chunk": chunked(),
    "two codings": chunked(lines=("X-A: b",)).replace(b"g: chunked", b"g: gzip, chunked"),
    "Expect": chunked(b"{}", lines=("Expect: 100-continue",), trailers=(KEY,)),
    "keep-alive": chunked(b"{}", lines=("Connection: keep-alive",), trailers=(KEY,)),
    "chunked upgrade": chunked(b"{}", lines=UPGRADE, trailers=(KEY,)),
    "upgrade": request("GET", "/shown", *UPGRADE),
    "upgrade with a body": request("POST", "/shown", *UPGRADE, body=b"{}"),
    "h2c": request("GET", "/shown", "Connection: Upgrade", "Upgrade: h2c"),
    "CONNECT": request("CONNECT", "somewhere:80"),
}
GARBLED = {
    "Content-Length beside chunked": chunked(b"{}", lines=("Content-Length: 2",)),
    "chunked beside Content-Length": request(
        "POST", "/shown", "Content-Length: 2", "Transfer-Encoding: chunked"
    )
    + b"2\r\n{}\r\n0\r\n\r\n",
    "two lengths": request("POST", "/shown", "Content-Length: 2", "Content-Length: 3") + b"{}",
    "other coding": request("POST", "/shown", "Transfer-Encoding: gzip") + b"{}",
    "identity": request("POST", "/shown", "Transfer-Encoding: identity") + b"{}",
    "200 trailers": chunked(b"{}", trailers=tuple(f"X-{n}: {n}" for n in range(200))),
    "long line": request("GET", "/shown", f"X: {'x' * 2_000_000}"),
    "long target": request("GET", f"/{'x' * 2_000_000}"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300) + b"\r\n\r\n",
    "words": b"HELLO\r\n\r\n",
    "bare LF": b"GET /shown HTTP/1.1\nHost: localhost\nX-A: b\n\n",
    "bare CR": request("GET", "/shown", "X-A: b\rX-B: c"),
    "blank before a colon": request("POST", "/shown", "Content-Length : 2") + b"{}",
    "folded line": request("GET", "/shown", "X-A: b", " c"),
    "signed length": request("POST", "/shown", "Content-Length: +2") + b"{}",
    "list of lengths": request("POST", "/shown", "Content-Length: 2, 2") + b"{}",
    "odd chunk size": chunked(b"{}").replace(b"\r\n2\r\n", b"\r\n0x2\r\n"),
    "huge chunk size": chunked(b"{}").replace(b"\r\n2\r\n", b"\r\nfffffffffffffffff\r\n"),
    "zero in a value": request("GET", "/shown", "X-A: b\0c"),
    "no host": b"GET /shown HTTP/1.1\r\n\r\n",
}
BEHIND = request("GET", "/shown", "X-Mine: 1")


@pytest.fixture
async def shown() -> AsyncIterator[Listening]:
    async with showing() as running:
        yield running


@pytest.mark.parametrize("last", LAST.values(), ids=LAST)
@pytest.mark.parametrize("is_split", [False, True])
async def test_nothing_behind_the_last_message_is_answered(
    shown: Listening, last: bytes, *, is_split: bool
) -> None:
    """Upstream, the trailer's key would be the next request's, who is somebody else."""
    async with wire(shown.port) as line:
        await line.send(last, BEHIND) if is_split else await line.send(last + BEHIND)
        [heard] = await line.answers_to_the_end()
        assert heard.closes, heard.head


@pytest.mark.parametrize(("path", "status"), PATHS.items())
@pytest.mark.parametrize("is_split", [False, True])
async def test_a_chunked_request_ends_its_connection_however_it_is_answered(
    shown: Listening, path: str, status: int, *, is_split: bool
) -> None:
    last = chunked(b"{}", path=path, trailers=(KEY,))
    async with wire(shown.port) as line:
        await line.send(last, BEHIND) if is_split else await line.send(last + BEHIND)
        [heard] = await line.answers_to_the_end()
    assert heard.status == status
    assert heard.closes


async def test_every_cut_of_a_chunked_request_reads_alike(shown: Listening) -> None:
    """Where the segments end is the network's business."""
    whole = chunked(b"ab", b"c", trailers=(KEY, "X-T: 1"), extension=";a=b") + BEHIND
    for cut in range(1, len(whole)):
        async with wire(shown.port) as line:
            await line.send(whole[:cut], whole[cut:])
            [heard] = await line.answers_to_the_end()
        assert heard.content["body"] == "abc"
        assert heard.content["headers"] == {"Transfer-Encoding": "chunked"}


async def test_requests_before_the_last_are_answered_and_keep_their_own_headers(
    shown: Listening,
) -> None:
    before = [request("GET", "/shown", f"X-Mine: {n}") for n in range(3)]
    async with wire(shown.port) as line:
        await line.send(b"".join(before) + chunked(b"{}", trailers=(KEY,)) + BEHIND * 40)
        heard = await line.answers_to_the_end()
    assert [each.content["headers"].get("X-Mine") for each in heard] == ["0", "1", "2", None]
    assert [each.closes for each in heard] == [False, False, False, True]


async def test_empty_and_repeated_headers_stay_with_their_request(shown: Listening) -> None:
    """Nothing of a head is left for the next: neither names without values, nor the last one."""
    heads = [("X-A:", "X-B: b"), ("X-C:",), (), ("X-D: d", "X-D: e", "X-E:")]
    pairs = list(itertools.product(heads, repeat=2))
    async with wire(shown.port) as line:
        for first, second in pairs:
            await line.send(request("GET", "/shown", *first) + request("POST", "/shown", *second))
            got = [(await line.answer()).content["headers"] for _ in range(2)]
            assert [set(each) for each in got] == [
                {name.partition(":")[0] for name in head} for head in (first, second)
            ]


@pytest.mark.parametrize("garbled", GARBLED.values(), ids=GARBLED)
async def test_what_is_no_http_is_refused_once_and_not_quoted(
    shown: Listening, garbled: bytes
) -> None:
    async with wire(shown.port) as line:
        await line.send(garbled + BEHIND)
        [heard] = await line.answers_to_the_end()
    assert heard.status == 400
    assert heard.closes
    assert heard.content["type"] == "/problems/unreadable_request"
    assert "nosniff" in heard.head
    assert shown.told.requests == []


@pytest.mark.parametrize("garbled", GARBLED.values(), ids=GARBLED)
async def test_nothing_behind_what_is_no_http_is_answered_wherever_it_is_cut(
    shown: Listening, garbled: bytes
) -> None:
    """A head whose body cannot be told may be answered; then the connection is at its end."""
    step = max(1, len(garbled) // 60)
    for cut in range(1, len(garbled), step):
        async with wire(shown.port) as line:
            await line.send(garbled[:cut], garbled[cut:], BEHIND)
            heard = await line.answers_to_the_end()
        assert all("X-Mine" not in each.content.get("headers", {}) for each in heard)
        assert heard[-1].closes


@pytest.mark.parametrize("path", ["/shown", "/early"])
async def test_a_chunk_that_breaks_off_is_answered_at_once(shown: Listening, path: str) -> None:
    """The reader of a body whose rest is garbage does not wait for it in vain."""
    async with wire(shown.port) as line:
        await line.send(chunked(path=path)[:-5] + b"2\r\n{", b"}\r\nXYZ\r\n", BEHIND)
        [heard] = await line.answers_to_the_end()
    assert heard.status == {"/shown": 400, "/early": 401}[path]


async def test_a_length_keeps_requests_apart_also_when_its_body_is_not_read(
    shown: Listening,
) -> None:
    hidden = request("GET", "/shown", KEY)
    async with wire(shown.port) as line:
        post = request("POST", "/early", body=hidden)
        await line.send(post[: -len(hidden) // 2], post[-len(hidden) // 2 :] + BEHIND)
        assert (await line.answer()).status == 401
        assert (await line.answer()).content["headers"] == {"X-Mine": "1"}
    assert shown.told.requests == ["/early", "/shown"]


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/shown", BODY_LIMIT, 200),
        ("/shown", 3_000_000, 413),
        ("/early", 3_000_000, 401),
        ("/nowhere", 3_000_000, 404),
    ],
)
async def test_clients_that_stream_get_every_answer(
    shown: Listening, path: str, size: int, status: int
) -> None:
    """More than a socket's buffers hold is on its way when the answer comes: no reset eats it."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // 10_000):
            yield b"x" * 10_000

    async with aiohttp.ClientSession() as session:
        for _ in range(10):
            address = f"http://127.0.0.1:{shown.port}{path}"
            async with session.post(address, data=pieces()) as answer:
                await answer.read()
                assert answer.status == status


async def test_a_body_that_is_far_too_long_is_refused_and_the_answer_arrives(
    shown: Listening,
) -> None:
    async with wire(shown.port) as line:
        await line.send(chunked(*([b"x" * 10_000] * 300)))
        [heard] = await line.answers_to_the_end()
    assert heard.status == 413
    assert heard.closes


@pytest.mark.parametrize(
    ("method", "target"), [("CONNECT", "somewhere:80"), ("OPTIONS", "*"), ("GET", "*")]
)
async def test_a_target_without_a_path_is_a_problem_as_any_other(
    shown: Listening, method: str, target: str
) -> None:
    """No route matches it, so it was answered past all that answers have in common."""
    async with wire(shown.port) as line:
        await line.send(request(method, target))
        heard = await line.answer()

    assert heard.status in (400, 404)
    assert "\r\ncontent-type: application/problem+json\r\n" in heard.head.lower()
    assert "\r\ncache-control: private, no-store\r\n" in heard.head.lower()
    assert shown.told.requests == []
