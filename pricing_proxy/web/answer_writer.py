"""Write the answers of the price routes: the head and the body in one piece.

aiohttp prepares a response from a dict of headers through some ten calls; for an answer
whose headers are always the same that costs more than finding the prices. A plain answer
(HTTP/1.1 on a connection that stays open) is therefore written here as bytes; every other
goes aiohttp's way, with the same headers.
"""

from collections.abc import Callable
from email.utils import format_datetime

from aiohttp import ClientConnectionResetError, HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.listening.protection import PROTECTION
from pricing_proxy.web.access import API_KEY_HEADER
from pricing_proxy.web.handling import JSON_HEADERS

_LINES = "".join(f"{name}: {text}\r\n" for name, text in {**JSON_HEADERS, **PROTECTION}.items())
_HEAD = f"HTTP/1.1 200 OK\r\n{_LINES}"


class AnswerWriter:
    """Makes answers with status 200.

    Args:
        clock: Time, for the Date header.
        is_leaving: Whether connections are to be closed after the answer.
    """

    def __init__(self, *, clock: Clock, is_leaving: Callable[[], bool] = lambda: False) -> None:
        self._clock = clock
        self._is_leaving = is_leaving
        self._second = -1
        self._dated = ""

    def answer(self, request: web.Request, body: bytes, *, cache_status: str) -> web.StreamResponse:
        """Return the answer with a JSON body."""
        headers = request.headers
        if (
            not request.keep_alive
            or request.version != HttpVersion11
            # Only a browser's answer gets further headers.
            or API_KEY_HEADER not in headers
            or self._is_leaving()
        ):
            return web.Response(body=body, headers={**JSON_HEADERS, "Cache-Status": cache_status})
        return _WholeAnswer(self.whole(body, cache_status=cache_status))

    def whole(self, body: bytes, *, cache_status: str) -> bytes:
        """Return the answer with its head, for HTTP/1.1 on a connection that stays open."""
        head = (
            f"{self._dated_head()}Cache-Status: {cache_status}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _dated_head(self) -> str:
        second = self._clock.monotonic_us() // MICROSECONDS_PER_SECOND
        if second != self._second:
            date = format_datetime(self._clock.utc(), usegmt=True)
            self._second = second
            self._dated = f"{_HEAD}Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n"
        return self._dated


class _WholeAnswer(web.StreamResponse):
    """An answer that is already bytes, head and all."""

    def __init__(self, message: bytes) -> None:
        super().__init__()
        self._message = message

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ClientConnectionResetError("the caller hung up")
        transport.write(self._message)
        await request.writer.drain()
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""
