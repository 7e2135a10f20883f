"""An HTTP session to an application in this process, without sockets and without waiting.

It does what a transport uses of `aiohttp.ClientSession`: everything between the signed request
and the answer's bytes is the real program on both sides.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

_TRANSPORT: Any = SimpleNamespace(get_extra_info=lambda _, default=None: default)
_WRITER: Any = SimpleNamespace(transport=_TRANSPORT)
_PROTOCOL: Any = SimpleNamespace(
    _reading_paused=False,
    resume_reading=lambda *_, **__: None,
    max_field_size=8190,
    max_line_length=8190,
    max_headers=128,
    peername=None,
    sockname=None,
    ssl_context=None,
    transport=_TRANSPORT,
)


@dataclass
class InProcessSession:
    """Sends every request to one application.

    Attributes:
        app: Which answers.
        before_call: Called before each request, such as to let time pass.
    """

    app: web.Application
    before_call: Callable[[], None] = lambda: None
    _retry_connection: bool = False

    def __post_init__(self) -> None:
        self.app.freeze()

    def request(
        self,
        method: str,
        url: URL,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str],
        **_: Any,
    ) -> "_Exchange":
        """Return the exchange; it begins when it is entered."""
        self.before_call()
        sent = CIMultiDict({"Host": url.authority, "Content-Length": str(len(data or b""))})
        sent.extend(headers)
        stream = StreamReader(_PROTOCOL, 2**20, loop=asyncio.get_running_loop())
        if data:
            stream.feed_data(data)
        stream.feed_eof()
        # Given one by one: what it makes up itself costs more than all that answers.
        request = make_mocked_request(
            method,
            url.raw_path_qs,
            sent,
            payload=stream,
            app=self.app,
            protocol=_PROTOCOL,
            writer=_WRITER,
            transport=_TRANSPORT,
        )
        return _Exchange(self.app, request)


@dataclass
class _Exchange:
    app: web.Application
    request: web.Request

    async def __aenter__(self) -> "_Answer":
        answer = await self.app._handle(self.request)
        assert isinstance(answer, web.Response)
        return _Answer(answer)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


@dataclass
class _Answer:
    answer: web.Response

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return CIMultiDictProxy(self.answer.headers)

    @property
    def content(self) -> "_Answer":
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        body = self.answer.body
        yield body if isinstance(body, bytes) else b""

    def close(self) -> None:
        """Nothing is open."""
