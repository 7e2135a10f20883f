"""A server that answers a word of Redis and then resets the connection, as a failing network does.

After two replies redis-py has introduced itself: the reset meets its first command, where uvloop
raises a RuntimeError.
"""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_COMMAND = re.compile(rb"(?:^|\n)\*\d")


@asynccontextmanager
async def resetting(replies: int | None, *, port: int = 0) -> AsyncIterator[int]:
    """Listen, and reset each connection right after so many replies.

    Args:
        replies: 0 for none although something was asked, None for before a word was heard.
        port: Where; 0 for any free port.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(0 if replies is None else replies):
            commands = _COMMAND.findall(await reader.read(65_536))
            writer.write(b"-ERR nothing is known here\r\n" * len(commands))
        if replies == 0:
            await reader.read(65_536)
        line = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        yield server.sockets[0].getsockname()[1]
