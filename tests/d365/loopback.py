"""A small HTTP server on loopback that plays the ERP, and the pieces a transport needs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.transport import Transport
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.operation import Operation
from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")
Play = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Tokens:
    """Hands out token-1 until it is refused, then token-2, and so on up to `last`."""

    def __init__(self, *, last: int = 99) -> None:
        self.number = 1
        self._last = last

    async def token(self) -> str:
        return f"token-{self.number}"

    def invalidate(self, token: str) -> None:
        if token == f"token-{self.number}" and self.number < self._last:
            self.number += 1


class Erp:
    """Answers every request by `play`, and keeps what it was asked."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self._play(request)

    @property
    def targets(self) -> list[str]:
        """Path and query of each request as they stood on the wire."""
        return [request.raw_path for request in self.requests]


@asynccontextmanager
async def transport_to(
    play: Play, *, tokens: Tokens | None = None, max_body_bytes: int = 1_000_000
) -> AsyncIterator[tuple[Transport, Erp]]:
    """Serve `play` on loopback, and give a transport that asks it."""
    erp = Erp(play)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", erp.answer)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        transport = Transport(
            session,
            base_url=f"http://127.0.0.1:{server.port}/",
            tokens=tokens or Tokens(),
            clock=SystemClock(),
            system="fo",
            max_body_bytes=max_body_bytes,
        )
        yield transport, erp


@asynccontextmanager
async def transport_to_bytes(
    answers: list[bytes],
) -> AsyncIterator[tuple[Transport, list[bytes]]]:
    """Serve raw bytes, one entry per request; an empty one closes the connection instead."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while answers:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                answer = answers.pop(0)
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiohttp.ClientSession() as session:
        transport = Transport(
            session,
            base_url=f"http://127.0.0.1:{port}",
            tokens=Tokens(),
            clock=SystemClock(),
            system="fo",
        )
        yield transport, heads


def soon(seconds: float = PATIENCE_SECONDS) -> Deadline:
    """Return a deadline that a healthy test never meets."""
    return Deadline.after(round(seconds * 1_000_000), now_us=SystemClock().monotonic_us())


@dataclass
class DirectPolicy:
    """A policy that sends at once and once, and remembers what it was told."""

    operations: list[Operation] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    async def call(
        self,
        send: Callable[[Deadline], Awaitable[T]],
        *,
        operation: Operation,
        ticket: Ticket,
        deadline: Deadline,
        lines: int = 1,
    ) -> T:
        self.operations.append(operation)
        self.tickets.append(ticket)
        self.lines.append(lines)
        return await send(deadline)
