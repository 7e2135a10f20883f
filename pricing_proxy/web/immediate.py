"""Answer as soon as the bytes arrive what needs no waiting, past aiohttp's tasks and requests.

For each request aiohttp wakes a task, makes a request object, starts another task, and looks
for the route: some 20 µs of CPU, as much as finding 24 prices in memory. A request that is
whole, and that nothing before it on its connection waits for, is first shown to an
`Immediate`; what that does not answer goes aiohttp's way as if nothing had been.

Like `listening/connection.py`, on which it builds, this module reaches into aiohttp: it takes a
message that was parsed off the queue of `web.RequestHandler` before that handler's task is
woken. `tests/web/test_immediate.py` holds what it relies on, and is to be run with each new
aiohttp.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

from pricing_proxy.listening.connection import Connection
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.runner import ListenerRunner


class AnswerAtOnce(Protocol):
    """Answers some requests at once, and only to callers who may call."""

    def __call__(self, message: RawRequestMessage, body: bytes) -> bytes | None:
        """Return the whole answer, head and all; None when the request must go its usual way."""
        ...


@dataclass(frozen=True, slots=True)
class Immediate:
    """What is answered at once.

    Attributes:
        answer: Answers.
        longest_body: Requests with more bytes than this are not shown to it.
    """

    answer: AnswerAtOnce
    longest_body: int


IMMEDIATE: web.AppKey[Immediate] = web.AppKey("IMMEDIATE", Immediate)
"""Where an application says what it answers at once."""


class ImmediateRunner(ListenerRunner):
    """Runs an application, with what it answers at once."""

    def connection(self, manager: web.Server, **options: Any) -> Connection:
        """Return a new connection."""
        immediate = self.app.get(IMMEDIATE)
        if immediate is None:
            return super().connection(manager, **options)
        return _Connection(manager, self.crowd, immediate, **options)


class _Connection(Connection):
    __slots__ = ("_immediate",)

    def __init__(
        self, manager: web.Server, crowd: Crowd, immediate: Immediate, **options: Any
    ) -> None:
        super().__init__(manager, crowd, **options)
        self._immediate = immediate

    def data_received(self, data: bytes) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done() or self._messages:
            super().data_received(data)  # a request before this one is not answered yet
            return
        # Without its waiter, the handler's task sleeps on.
        self._waiter = None
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        while self._messages and self._is_answered(*self._messages[0]):
            self._messages.popleft()
        if self._messages and not waiter.done():
            waiter.set_result(None)

    def _is_answered(self, message: Any, payload: StreamReader) -> bool:
        if (
            not isinstance(message, RawRequestMessage)
            # It is the last of its connection, and must be told so.
            or message.should_close
            or not payload.is_eof()
            or payload.exception() is not None
            or payload.total_bytes > self._immediate.longest_body
            # The caller asks faster than it reads, or for another protocol.
            or self.writing_paused
            or self._buffer_paused
            or self._upgraded
            or self.transport is None
            or self._parser is None
            or self._manager is None
        ):
            return False
        # A look that takes nothing away: what is not answered here is still to be read.
        body = b"".join(payload._buffer) if payload.total_bytes else b""  # noqa: SLF001
        answer = self._immediate.answer(message, body)
        if answer is None:
            return False
        self.transport.write(answer)
        self._parser.message_consumed()
        self._manager.requests_count += 1
        if not self._is_known:
            # Only who may call is answered at once.
            self.accepted()
        return True
