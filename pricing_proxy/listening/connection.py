"""A connection whose messages have nothing to do with each other, and which never waits long.

aiohttp's compiled parser keeps some state from one message for the next: the last trailer of a
chunked request becomes a header of the request behind it, which behind a load balancer that
shares connections is somebody else's. So nothing behind a message with such a framing is
answered: it is answered with `Connection: close`, what follows is thrown away, and the
connection ends as soon as the caller has its answer. The same for a message that asks for
another protocol, and for one that is no HTTP.

Whoever waits is ended by the sweep of `crowd`: half a head or half a body after 10 s, with a
408; an answer that nobody reads; and a connection that says nothing. What the parser has to keep
is bounded too: of a head, with a 431, and of all that a body is wrapped in, trailers above all.

Together with `web/immediate.py` this is all that reaches into aiohttp's `RequestHandler`;
`tests/listening` holds what it relies on, and is to be run with each new aiohttp.
"""

import asyncio
from contextlib import suppress
from typing import Any

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import ERROR

from pricing_proxy.listening.crowd import Crowd, Reason
from pricing_proxy.listening.refusals import LONG_HEAD, SLOW_HEAD, BodyTooSlowError, unreadable

# A caller that needs longer to send a few hundred kilobytes is lost, or means harm.
PATIENCE_SECONDS = 10.0
# A line of 64 KB, a token of 8 KB, and what proxies add. The parser bounds each line and their
# number, which together still is a megabyte, and keeps each twice.
_MOST_KEPT_BYTES = 96 * 1024
# A chunk of one byte comes in six.
_WRAPPING_OF_A_BYTE = 8
# Nobody needs longer for 64 KB of answers.
_UNREAD_SECONDS = 30.0
# For the last answer to arrive: closed before, what the caller still sends would destroy it.
_PARTING_SECONDS = 2.0


class Connection(web.RequestHandler):
    """One caller's connection.

    Args:
        manager: What aiohttp keeps of the listener.
        crowd: All connections of the listener.
        options: aiohttp's.
    """

    __slots__ = (
        "_body",
        "_body_began_at",
        "_crowd",
        "_gone",
        "_head_began_at",
        "_head_bytes",
        "_is_deaf",
        "_is_known",
        "_is_last",
        "_parted_at",
        "_unread_since",
        "_wire",
        "_wrapping_bytes",
        "heard_at",
    )

    def __init__(self, manager: web.Server, crowd: Crowd, **options: Any) -> None:
        super().__init__(manager, **options)
        self._crowd = crowd
        self.heard_at = 0.0
        # Of a message that is not complete; 0 and None when there is none.
        self._head_began_at = 0.0
        self._head_bytes = 0
        self._body: StreamReader | None = None
        self._body_began_at = 0.0
        self._wrapping_bytes = 0
        self._is_known = False
        # No message behind the newest one counts.
        self._is_last = False
        # What comes is thrown away.
        self._is_deaf = False
        self._unread_since = 0.0
        self._parted_at = 0.0
        self._gone: asyncio.Future[None] | None = None
        # Ours to the end: aiohttp lets go of its own when it closes, also of one that never
        # ends because its caller does not read.
        self._wire: asyncio.Transport | None = None

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages

    def accepted(self) -> None:
        """Note that a request was accepted: its key, token or signature was right."""
        self._is_known = self._is_known or self._crowd.accept(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wire = self.transport
        self.heard_at = self._loop.time()
        self._crowd.enter(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._crowd.leave(self)
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        self._wire = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for the caller to read."""
        super().pause_writing()
        self._unread_since = self._loop.time()

    def resume_writing(self) -> None:
        """Go on, as the caller reads."""
        super().resume_writing()
        self._unread_since = 0.0

    def data_received(self, data: bytes) -> None:
        """Take what came, up to the last message that counts."""
        if self._is_deaf:
            return
        before = len(self._messages)
        super().data_received(data)
        if len(self._messages) > before:
            self._requested(before)
        elif self._body is not None:
            self._continued(len(data))
        elif data:
            self._head_grew(len(data))

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; where it is the last, wait until the caller has it."""
        resp, is_lost = await super().finish_response(request, resp, start_time)
        is_end = self._is_last and not self._messages
        # Who asked for the end is not waiting for it.
        is_leaving = not resp.keep_alive and not request._message.should_close  # noqa: SLF001 -- shown nowhere else
        if (is_end or is_leaving) and not is_lost:
            await self._part(request.content)
        return resp, is_lost

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP as a problem that does not quote it."""
        response = super().handle_error(request, status, exc, message)
        return unreadable() if request._message is ERROR else response  # noqa: SLF001 -- as above

    def end_overdue(self, now: float, *, idle_seconds: float) -> Reason | None:
        """End what waits too long; return what did."""
        transport = self._wire
        if transport is None:
            return None
        if transport.is_closing() and not self._parted_at:
            self._parted_at = now
        if self._parted_at:
            is_unread = transport.get_write_buffer_size() > 0
            if now - self._parted_at > (_UNREAD_SECONDS if is_unread else _PARTING_SECONDS):
                transport.abort()
            return None
        if self._unread_since and now - self._unread_since > _UNREAD_SECONDS:
            transport.abort()
            return Reason.UNREAD_ANSWER
        if self._body is not None and self._is_body_overdue(now):
            self._break_body(BodyTooSlowError())
            return Reason.SLOW_BODY
        return self._end_rest(transport, now, idle_seconds) if self.is_at_rest else None

    def give_way(self) -> None:
        """Close at once."""
        if self._wire is not None:
            self._wire.abort()

    def _requested(self, first: int) -> None:
        """Look at the messages that came; the newest may still be on its way."""
        self.heard_at = self._loop.time()
        self._head_began_at, self._head_bytes, self._wrapping_bytes = 0.0, 0, 0
        if not self._is_known:
            self._crowd.heard(self)
        messages = self._messages
        if self._is_last:
            self._drop_from(first)
            self._continued()
            if self._body is not None:
                # Only an error can be behind a body that has not ended.
                self._break_body(web.RequestPayloadError())
            return
        for index in range(first, len(messages)):
            message, payload = messages[index]
            if not isinstance(message, RawRequestMessage):
                self._is_last = self._is_deaf = True
            elif message.chunked or message.upgrade:
                messages[index] = message._replace(should_close=True), payload
                self._is_last = True
                self._drop_from(index + 1)
                break
        self._body, self._body_began_at = messages[-1][1], self.heard_at
        self._continued()

    def _head_grew(self, more: int) -> None:
        """Note more of a head; of one that is too long nothing more is kept."""
        self._head_began_at = self._head_began_at or self._loop.time()
        self._head_bytes += more
        self._is_deaf = self._head_bytes > _MOST_KEPT_BYTES

    def _continued(self, more: int = 0) -> None:
        """Look whether the newest message is complete."""
        body = self._body
        if body is None:
            return
        if body.is_eof():
            self._body = None
            if self._is_last:
                self._is_deaf = True
                self._message_tail = b""
        elif self._is_last:
            self._wrapping_bytes += more
            contents = body.total_bytes * _WRAPPING_OF_A_BYTE
            if self._wrapping_bytes - contents > _MOST_KEPT_BYTES:
                self._break_body(web.RequestPayloadError("more around the body than in it"))

    def _drop_from(self, index: int) -> None:
        while len(self._messages) > index:
            self._messages.pop()

    def _is_body_overdue(self, now: float) -> bool:
        if self._reading_paused or self._buffer_paused:
            # It is us who do not read.
            self._body_began_at = now
        return now - self._body_began_at > PATIENCE_SECONDS

    def _break_body(self, error: Exception) -> None:
        body, self._body = self._body, None
        self._is_last = self._is_deaf = True
        if body is not None:
            body.set_exception(error)
            # A reader that was woken for a chunk's end would wait again, and not see the error.
            body.feed_eof()

    def _end_rest(
        self, transport: asyncio.Transport, now: float, idle_seconds: float
    ) -> Reason | None:
        if self._head_bytes > _MOST_KEPT_BYTES:
            return self._refuse_head(transport, LONG_HEAD, Reason.LONG_HEAD)
        if self._head_began_at and now - self._head_began_at > PATIENCE_SECONDS:
            return self._refuse_head(transport, SLOW_HEAD, Reason.SLOW_HEAD)
        if now - self.heard_at > idle_seconds:
            self.force_close()
            return Reason.IDLE
        return None

    def _refuse_head(self, transport: asyncio.Transport, answer: bytes, reason: Reason) -> Reason:
        transport.write(answer)
        self._half_close(transport)
        return reason

    async def _part(self, body: StreamReader) -> None:
        """Let the caller end its request, and then the connection, before we do."""
        with suppress(web.RequestPayloadError, BodyTooSlowError):
            while not body.is_eof():
                await body.readany()
        self.close()
        transport = self.transport
        if transport is not None and not transport.is_closing():
            self._gone = self._loop.create_future()
            self._half_close(transport)
            await self._gone

    def _half_close(self, transport: asyncio.Transport) -> None:
        self._is_deaf = True
        self._parted_at = self._loop.time()
        if self._reading_paused or self._buffer_paused:
            self._resume_transport_reading()
        transport.write_eof()


def accept(request: web.BaseRequest) -> None:
    """Note that a request's key, token or signature was right: its caller is no stranger."""
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.accepted()
