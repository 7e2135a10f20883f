"""Run an application on connections of our own class, and sweep them while it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.hdrs import METH_CONNECT

from pricing_proxy.listening.connection import Connection
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.protection import protect
from pricing_proxy.listening.refusals import no_path, unknown_expectation

# The sweep ends what is idle; aiohttp's own timer must never come first.
_NEVER_SECONDS = 365 * 86_400.0


class ListenerRunner(web.AppRunner):
    """Runs an application.

    Args:
        app: What is run.
        crowd: Its connections.
        options: aiohttp's.
    """

    def __init__(self, app: web.Application, *, crowd: Crowd | None = None, **options: Any) -> None:
        super().__init__(app, **{"keepalive_timeout": _NEVER_SECONDS, **options})
        app.on_response_prepare.append(protect)
        self.crowd = Crowd("unnamed") if crowd is None else crowd

    def connection(self, manager: web.Server, **options: Any) -> Connection:
        """Return a new connection."""
        return Connection(manager, self.crowd, **options)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        await self.crowd.__aenter__()
        return _Server(server, self)

    async def _cleanup_server(self) -> None:
        await self.crowd.__aexit__()
        await super()._cleanup_server()


class _Server(web.Server):
    """Makes connections as the runner says; otherwise it is the server given."""

    def __init__(self, server: web.Server, runner: ListenerRunner) -> None:
        super().__init__(
            partial(_refusing_odd_requests, server.request_handler),
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            **server._kwargs,  # noqa: SLF001 -- what the runner was given
        )
        self._runner = runner

    def __call__(self) -> web.RequestHandler:
        return self._runner.connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


def _refusing_odd_requests(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], request: web.BaseRequest
) -> Awaitable[web.StreamResponse]:
    """Handle a request, but for what aiohttp itself would answer, in its own words.

    That is an `Expect`, which it would quote, and break at odd bytes; and a target without a path,
    as of a `CONNECT` and of `OPTIONS *`, which no route matches.
    """
    if request.method == METH_CONNECT or not request.path.startswith("/"):
        return no_path()
    expected = request.headers.get("Expect")
    if expected is None or expected.lower() == "100-continue":
        return handle(request)
    return unknown_expectation()
