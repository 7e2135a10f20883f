"""Speak over a raw socket: what clients and load balancers never send, attackers do."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.listening.connection import accept
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import listening
from pricing_proxy.listening.refusals import read_whole
from pricing_proxy.problem_details import ProblemError
from tests.patience import PATIENCE_SECONDS

BODY_LIMIT = 100_000
SHOWN = "/shown"


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer.

    Attributes:
        status: Its status.
        head: Its head as text.
        body: Its body.
    """

    status: int
    head: str
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether it says that its connection ends."""
        return "\r\nconnection: close\r\n" in self.head.lower() or self.head.startswith("HTTP/1.0")

    @property
    def content(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Wire:
    """A connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *segments: bytes) -> None:
        """Send in segments that arrive one by one."""
        for segment in segments:
            self.writer.write(segment)
            await self.writer.drain()
            # The other side shares this loop: it has its turns to read what came.
            for _ in range(5):
                await asyncio.sleep(0)

    async def answer(self) -> Heard:
        """Return the next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status = int(head[9:12])
            if status == 100:
                return await self.answer()
            length = re.search(r"(?i)content-length: (\d+)", head)
            body = await self.reader.readexactly(int(length[1]) if length else 0)
        return Heard(status, head, body)

    async def answers_to_the_end(self) -> list[Heard]:
        """Return all answers until the other side ends the connection, which no reset may do."""
        heard = []
        while True:
            try:
                heard.append(await self.answer())
            except asyncio.IncompleteReadError as end:
                assert end.partial == b""  # noqa: PT017 -- the end is what is looked for
                return heard

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """Connect, and hang up on exit."""
    connected = Wire(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield connected
    finally:
        connected.close()


def request(
    method: str = "GET", path: str = SHOWN, *lines: str, body: bytes = b"", version: str = "1.1"
) -> bytes:
    """Return a message; a body brings its length along."""
    sized = [f"Content-Length: {len(body)}"] if body else []
    head = (f"{method} {path} HTTP/{version}", "Host: localhost", *lines, *sized, "", "")
    return "\r\n".join(head).encode("latin-1") + body


def chunked(
    *chunks: bytes,
    path: str = SHOWN,
    lines: tuple[str, ...] = (),
    trailers: tuple[str, ...] = (),
    extension: str = "",
) -> bytes:
    """Return a chunked message."""
    head = request("POST", path, "Transfer-Encoding: chunked", *lines)
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(c), extension.encode(), c) for c in chunks)
    end = "".join(f"{line}\r\n" for line in trailers)
    return head + body + f"0\r\n{end}\r\n".encode()


@dataclass
class Told:
    """What a handler was shown."""

    requests: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Listening:
    """A listener that shows each request what was read of it."""

    port: int
    crowd: Crowd
    told: Told
    app: web.Application


@asynccontextmanager
async def showing(crowd: Crowd | None = None) -> AsyncIterator[Listening]:
    """Serve: `/shown` reads and shows, `/early` answers unread, `/accepted` is a known caller's."""
    told = Told()
    crowd = Crowd("tests") if crowd is None else crowd

    async def show(asked: web.Request) -> web.Response:
        try:
            body = await read_whole(asked)
        except ProblemError as problem:
            return problem.response()
        told.requests.append(asked.path)
        lines = {name: text for name, text in asked.headers.items() if name != "Host"}
        return web.json_response(
            {"method": asked.method, "headers": lines, "body": body.decode("latin-1")}
        )

    async def answer_early(_: web.Request) -> web.Response:
        told.requests.append("/early")
        return web.json_response({}, status=401)

    async def answer_known(asked: web.Request) -> web.Response:
        accept(asked)
        return web.json_response({})

    async def raise_slow(_: web.Request) -> web.Response:
        raise TimeoutError

    app = web.Application(client_max_size=BODY_LIMIT)
    app.router.add_route("*", SHOWN, show)
    app.router.add_route("*", "/early", answer_early)
    app.router.add_route("*", "/accepted", answer_known)
    app.router.add_route("*", "/broken", raise_slow)
    async with listening(app, Listener(port=0), "port", crowd=crowd) as port:
        yield Listening(port, crowd, told, app)
