"""A proxy that tunnels to names that only it knows, as in a house whose machines see no DNS."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class HttpProxy:
    """A running proxy.

    Attributes:
        ports: Where on loopback each name is.
        login: The only user and password that it lets through, as `user:password`; "" for anybody.
        port: Its own.
        tunnels: Where tunnels were opened to.
        refused: How many were not.
    """

    ports: Mapping[str, int]
    login: str = ""
    port: int = 0
    tunnels: list[str] = field(default_factory=list)
    refused: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["HttpProxy"]:
        """Serve until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, place, _ = head.split(" ", 2)
            answer = self._answer(method, place, head)
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
            if answer.startswith("200"):
                self.tunnels.append(place)
                await self._tunnel(reader, writer, self.ports[place.partition(":")[0]])
            else:
                self.refused += 1
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def _answer(self, method: str, place: str, head: str) -> str:
        wanted = f"proxy-authorization: basic {b64encode(self.login.encode()).decode()}"
        if self.login and wanted.lower() not in head.lower():
            return "407 Proxy Authentication Required"
        if method != "CONNECT":
            return "405 Method Not Allowed"
        return "200 OK" if place.partition(":")[0] in self.ports else "502 Bad Gateway"

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            back.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof() if writer.can_write_eof() else writer.close()
