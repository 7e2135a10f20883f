"""Serve an application on an address, and finish what is under way at the end.

Every listener of both programs but the sandbox's begins here, so what `connection` and `crowd`
promise holds for each. What is sent is not trusted: no access log tells of it, callers'
mistakes are not logged, as the parser's errors quote them, and compressed bodies are refused.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.refusals import BodyTooSlowError
from pricing_proxy.listening.runner import ListenerRunner

_protocol_log = logging.getLogger(f"{__name__}.protocol")

# A checkout may take four seconds; after that nothing is worth waiting for.
_DRAIN_SECONDS = 5.0
# A GET of 200 SKUs of 64 characters has 14 KB, and more where they must be escaped.
_LONGEST_LINE = 65_536
# A token of 8 KB is no token of ours, and is told so with a 401; longer heads are no HTTP.
_LONGEST_FIELD = 9 * 1024
# Callers whose connections wait to be accepted, while a process is at something else: beyond it
# they are dropped, and the system tells some of them a minute later. Linux takes no more.
_BACKLOG = 4096
_OPTIONS: dict[str, Any] = {
    # No access log: it would write queries, and metrics tell the rest.
    "access_log": None,
    "logger": _protocol_log,
    "shutdown_timeout": _DRAIN_SECONDS,
    "max_line_size": _LONGEST_LINE,
    "max_field_size": _LONGEST_FIELD,
    # Compressed bodies are refused, not unpacked: a small one can become gigabytes.
    "auto_decompress": False,
}
_CALLERS_ERRORS = (
    HttpProcessingError,
    web.RequestPayloadError,
    BodyTooSlowError,
    ConnectionError,
)


class ListenError(Exception):
    """An address cannot be listened on."""


class ListenAddress(Protocol):
    """Where to listen."""

    @property
    def host(self) -> str:
        """The host's name or address."""
        ...

    @property
    def port(self) -> int:
        """The port; 0 for any free one."""
        ...


@asynccontextmanager
async def listening(
    app: web.Application,
    listener: ListenAddress,
    key: str,
    *,
    crowd: Crowd,
    runner_type: type[ListenerRunner] = ListenerRunner,
    is_shared: bool = False,
) -> AsyncIterator[int]:
    """Serve an application and yield its port; on exit, finish what is under way.

    Args:
        app: What is served.
        listener: Where; port 0 takes any free one.
        key: The setting that chooses another port, for the error.
        crowd: Its connections, and how many there may be.
        runner_type: What runs it.
        is_shared: Whether other workers listen there; the kernel gives each connection to one.

    Raises:
        ListenError: The address cannot be listened on.
    """
    runner = runner_type(app, crowd=crowd, **_OPTIONS)
    await runner.setup()
    place = (runner, listener.host, listener.port)
    try:
        await web.TCPSite(*place, backlog=_BACKLOG, reuse_port=is_shared).start()
    except OSError as error:
        await runner.cleanup()
        raise ListenError(
            f"cannot listen on {listener.host}:{listener.port} ({error.strerror}); "
            f"another program has it: stop that one, or set {key}"
        ) from error
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class _WithoutCallersErrors(logging.Filter):
    """Drops what callers do: hanging up, and sending what is no HTTP, which its error quotes."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, _CALLERS_ERRORS)


_protocol_log.addFilter(_WithoutCallersErrors())
