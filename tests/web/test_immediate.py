"""What is answered at once is answered as aiohttp's way would, and in its turn."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp.http import RawRequestMessage
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.listening.crowd import IDLE_SECONDS, Crowd
from pricing_proxy.listening.listener import listening
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.app import public_app
from pricing_proxy.web.immediate import IMMEDIATE, Immediate, ImmediateRunner
from tests.fakes.price_world import PriceWorld, price_service
from tests.listening.raw import chunked, wire
from tests.web.shop import BODY_LIMIT, KEY, READER_KEY, UNTRACED, shop_routes
from tests.web.shop import body as body_of

QUERY = "market=b2b_de&customer=C-1&wait_ms=5000"
JSON = "Content-Type: application/json"


@dataclass
class Watched:
    """Shows requests to what answers at once, and remembers which it answered."""

    answer: Immediate
    answered: list[bool] = field(default_factory=list)

    def __call__(self, message: RawRequestMessage, body: bytes) -> bytes | None:
        whole = self.answer.answer(message, body)
        self.answered.append(whole is not None)
        return whole


@dataclass(frozen=True)
class Served:
    world: PriceWorld
    port: int
    watched: Watched
    crowd: Crowd


@asynccontextmanager
async def served(*, traces: Traces = UNTRACED, at_once: bool = True) -> AsyncIterator[Served]:
    """Serve as the program does, with three prices in memory; or all of it aiohttp's way."""
    world = price_service()
    await world.load("S-1", "S-2", "S-3")
    routes = shop_routes(world, traces=traces).routes
    app = public_app(routes, body_limit_bytes=BODY_LIMIT, traces=traces)
    watched = Watched(app[IMMEDIATE])
    app[IMMEDIATE] = Immediate(watched, BODY_LIMIT if at_once else -1)
    address = Listener(host="127.0.0.1", port=0)
    crowd = Crowd("public")
    async with listening(app, address, "port", crowd=crowd, runner_type=ImmediateRunner) as port:
        yield Served(world, port, watched, crowd)
    await world.loader.flights.aclose()


def get(*skus: str, more: Sequence[str] = (f"X-API-Key: {KEY}",), version: str = "1.1") -> bytes:
    query = "".join(f"&sku={sku}" for sku in skus)
    head = (f"GET /v1/prices?{QUERY}{query} HTTP/{version}", "Host: shop", *more)
    return "\r\n".join((*head, "", "")).encode()


def post(content: bytes, *more: str, path: str = "/v1/prices") -> bytes:
    length = f"Content-Length: {len(content)}"
    head = (f"POST {path} HTTP/1.1", "Host: shop", f"X-API-Key: {KEY}", length, *more, "", "")
    return "\r\n".join(head).encode() + content


def page(*skus: str, **members: object) -> bytes:
    return orjson.dumps(body_of(*skus, **members))


async def talk(port: int, *pieces: bytes, answers: int = 1) -> list[tuple[str, bytes]]:
    """Return head and content of each answer to what is sent, piece by piece."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    heard = []
    for _ in range(answers):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?i)content-length: (\d+)", head)
        content = await reader.readexactly(int(length[1]) if length else 0)
        heard.append((head, content))
    writer.close()
    await writer.wait_closed()
    return heard


def skus(content: bytes) -> list[str]:
    return [line["sku"] for line in orjson.loads(content)["lines"]]


REQUESTS = {
    "post": post(page("S-2", "S-1"), JSON),
    "get": get("S-1", "S-3"),
    "cart": post(page("S-1", mode="cart"), JSON),
    "quantities": post(page(lines=[{"sku": "S-1", "quantity": "1.0"}, {"sku": "S-2"}]), JSON),
    "checkout": post(page("S-1", mode="checkout"), JSON),
    "not in memory": get("S-4"),
    "unknown sku": get("S-1", "NOTHING"),
    "fragment": get("S-1#S-2"),
    "escaped": get("S%2D1"),
    "old": get("S-1", version="1.0"),
    "closing": get("S-1", more=(f"X-API-Key: {KEY}", "Connection: close")),
    "no key": get("S-1", more=()),
    "unknown key": get("S-1", more=("X-API-Key: nobody's",)),
    "narrow key": get("S-1", more=(f"X-API-Key: {READER_KEY}",)),
    "unknown market": post(page("S-1", market="none"), JSON),
    "unknown currency": post(page("S-1", currency="XXX"), JSON),
    "unknown customer": post(page("S-1", customer="C-404"), JSON),
    "shop's customer": post(page("S-1", customer={"magento_id": 42}), JSON),
    "broken": post(b"{", JSON),
    "too large": post(page("S-1", accept="x" * BODY_LIMIT), JSON),
    "no type": post(page("S-1")),
    "other type": post(page("S-1"), "Content-Type: text/plain"),
    "compressed": post(page("S-1"), JSON, "Content-Encoding: gzip"),
    "another route": post(page("S-1"), JSON, path="/v1/carts/price"),
    "no route": post(page("S-1"), JSON, path="/v1/price"),
    "wrong method": get("S-1").replace(b"GET", b"PUT"),
    "no HTTP": b"HELLO\r\n\r\n",
}
AT_ONCE = {"post", "get", "cart", "quantities"}


def without_time(head: str, content: bytes) -> tuple[list[str], bytes]:
    lines = sorted(line for line in head.split("\r\n") if not line.startswith("Date: "))
    return lines, re.sub(rb'"(age_seconds|loaded_at)":[^,}]+', b"", content)


async def test_what_is_answered_at_once_reads_as_what_is_answered_aiohttps_way() -> None:
    async with served() as quick, served(at_once=False) as usual:
        for name, request in REQUESTS.items():
            quick.watched.answered.clear()
            [answer] = await talk(quick.port, request)
            [expected] = await talk(usual.port, request)
            assert without_time(*answer) == without_time(*expected), name
            assert (True in quick.watched.answered) == (name in AT_ONCE), name
        assert usual.watched.answered == []


async def test_answers_come_in_the_order_of_their_requests() -> None:
    """The second must wait for the ERP; what is known already does not overtake it."""
    async with served() as quick:
        asked = [("S-1",), ("S-4",), ("S-2",), ("S-3", "S-1")]
        heard = await talk(quick.port, b"".join(get(*page) for page in asked), answers=4)
        assert [tuple(skus(content)) for _, content in heard] == asked
        assert quick.watched.answered == [True, False]


async def test_a_request_that_comes_in_pieces_is_answered() -> None:
    async with served() as quick:
        request = post(page("S-1"), JSON)
        for cut in (10, len(request) - 5):
            [(head, _)] = await talk(quick.port, request[:cut], request[cut:])
            assert head.startswith("HTTP/1.1 200")


async def test_a_caller_that_asks_much_faster_than_it_reads_is_answered_in_full() -> None:
    async with served() as quick:
        many = 2000
        heard = await talk(quick.port, get("S-1", "S-2", "S-3") * many, answers=many)
        assert {tuple(skus(content)) for _, content in heard} == {("S-1", "S-2", "S-3")}


@pytest.mark.parametrize(("ratio", "spans"), [(1.0, 3), (0.0, 0)])
async def test_a_request_whose_turn_it_is_is_traced(ratio: float, spans: int) -> None:
    exporter = InMemorySpanExporter()
    with Traces(service="tests", exporter=exporter, sample_ratio=ratio) as traces:
        async with served(traces=traces) as quick:
            for _ in range(3):
                await talk(quick.port, get("S-1"))
            assert quick.watched.answered == [True] * 3
    finished = exporter.get_finished_spans()
    assert [span.name for span in finished] == ["GET /v1/prices"] * spans
    assert all((span.end_time or 0) > (span.start_time or 0) > 0 for span in finished)


async def test_callers_that_trace_are_obeyed() -> None:
    exporter = InMemorySpanExporter()
    parent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with Traces(service="tests", exporter=exporter, sample_ratio=0.0) as traces:
        async with served(traces=traces) as quick:
            await talk(quick.port, get("S-1", more=(f"X-API-Key: {KEY}", parent)))
    assert [span.name for span in exporter.get_finished_spans()] == ["GET /v1/prices"]


LAST = {
    "chunked": chunked(page("S-1"), path="/v1/prices", lines=(JSON, f"X-API-Key: {KEY}")),
    "chunked, no key": chunked(b"{}", path="/v1/prices", trailers=(f"X-API-Key: {KEY}",)),
    "chunked, no route": chunked(b"{}", path="/nope", trailers=(f"X-API-Key: {KEY}",)),
    "chunked, too large": chunked(
        b"x" * 2 * BODY_LIMIT, path="/v1/prices", lines=(JSON, f"X-API-Key: {KEY}")
    ),
    "upgrade": get("S-1", more=(f"X-API-Key: {KEY}", "Connection: upgrade", "Upgrade: websocket")),
    "other protocol": get("S-1", more=(f"X-API-Key: {KEY}", "Connection: upgrade", "Upgrade: h2c")),
    "no HTTP": b"HELLO\r\n\r\n",
}


@pytest.mark.parametrize("last", LAST.values(), ids=LAST)
@pytest.mark.parametrize("behind", [get("S-1", more=()), get("S-1")], ids=["stranger", "caller"])
@pytest.mark.parametrize("is_split", [False, True])
async def test_nothing_is_answered_at_once_behind_a_message_that_ends_its_connection(
    last: bytes, behind: bytes, *, is_split: bool
) -> None:
    """The key in a trailer would open prices to the request behind it, whose sender has none."""
    async with served() as quick:
        for before in ([], [get("S-2")]):
            quick.watched.answered.clear()
            sent = [b"".join(before) + last, behind]
            async with wire(quick.port) as line:
                await line.send(*(sent if is_split else [b"".join(sent)]))
                heard = await line.answers_to_the_end()
            # One that is no HTTP takes the answer of what came in the same segment.
            assert len(heard) == len(before) + (last is not LAST["no HTTP"] or not before)
            assert [each.closes for each in heard] == [False] * (len(heard) - 1) + [True]
            assert quick.watched.answered.count(True) <= len(before)


async def test_who_is_answered_at_once_is_no_stranger() -> None:
    async with served() as quick, wire(quick.port) as known, wire(quick.port) as stranger:
        for _ in range(2):
            await known.send(get("S-1"))
            assert (await known.answer()).status == 200
        await stranger.send(get("S-1", more=()))
        assert (await stranger.answer()).status == 401
        assert (quick.crowd.known, quick.crowd.size) == (1, 2)


async def test_answers_at_once_renew_the_time_of_an_idle_connection() -> None:
    async with served() as quick, wire(quick.port) as line:
        loop = asyncio.get_running_loop()
        await line.send(get("S-1"))
        await line.answer()
        before = [each.heard_at for each in quick.crowd.members()]
        while loop.time() <= before[0]:  # noqa: ASYNC110 -- the clock wakes nobody
            await asyncio.sleep(0.001)
        await line.send(get("S-1"))
        await line.answer()
        quick.crowd.sweep(before[0] + IDLE_SECONDS)
        assert quick.crowd.closed == {}
