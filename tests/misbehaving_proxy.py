"""A TCP proxy on loopback that misbehaves on demand, between a client and a real server.

async with misbehaving_proxy(6379) as proxy:
    proxy.fault = Fault.BLACK_HOLE
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

_CHUNK = 65_536
# Of a reply, before it is cut: less than any reply has.
_CUT_AFTER_BYTES = 3
# What Redis answers to a client that says its name and version: the first command comes next.
_RESET_AFTER_BYTES = 2 * len(b"+OK\r\n")
_DELAY_SECONDS = 0.05


class Fault(StrEnum):
    """How the network misbehaves; a change holds for new and for open connections."""

    NONE = "none"
    REFUSE = "refuse"
    BLACK_HOLE = "black_hole"
    DELAY = "delay"
    CUT_MID_REPLY = "cut_mid_reply"
    RESET = "reset"


@dataclass
class MisbehavingProxy:
    """Passes bytes on, or not.

    Attributes:
        target: Port of the real server on loopback.
        fault: What is wrong now.
        port: Where it listens.
    """

    target: int
    fault: Fault = Fault.NONE
    port: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    def misbehave(self, fault: Fault) -> None:
        """Begin or end a fault; refusing and resetting also end the open connections."""
        self.fault = fault
        if fault in (Fault.REFUSE, Fault.RESET):
            for writer in self._open:
                self._end(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._open.add(writer)
        try:
            if self.fault is not Fault.REFUSE:
                with suppress(ConnectionError):
                    await self._carry(reader, writer)
        finally:
            self._open.discard(writer)
            self._serving.discard(task)
            self._end(writer)

    async def close(self) -> None:
        """End every connection."""
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        if self.fault is Fault.RESET:
            # Nothing lingers: what the other side has not read yet is lost, and it is told so.
            line = writer.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            ways = {
                asyncio.create_task(self._pass(reader, onward, is_reply=False)),
                asyncio.create_task(self._pass(onward_reader, writer, is_reply=True)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            onward.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool
    ) -> None:
        passed = 0
        while chunk := await reader.read(_CHUNK):
            if self.fault is Fault.BLACK_HOLE:
                continue
            if self.fault is Fault.DELAY:
                await asyncio.sleep(_DELAY_SECONDS)
            if self.fault is Fault.CUT_MID_REPLY and is_reply:
                writer.write(chunk[:_CUT_AFTER_BYTES])
                await writer.drain()
                return
            writer.write(chunk)
            await writer.drain()
            passed += len(chunk)
            if self.fault is Fault.RESET and is_reply and passed >= _RESET_AFTER_BYTES:
                self._end(writer)
                return


@asynccontextmanager
async def misbehaving_proxy(target: int) -> AsyncIterator[MisbehavingProxy]:
    """Listen on a free port of loopback; closed on exit, with every connection."""
    proxy = MisbehavingProxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
