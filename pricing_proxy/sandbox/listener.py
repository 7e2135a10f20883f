"""One loopback port that an application is served on, and that can die and come back.

Closing drops the socket and aborts what is open, as a crashed process would; opening
again takes the same port. The application is built anew each time, so its state must
live outside it.
"""

import errno
import ssl
from collections.abc import Callable

from aiohttp import web

LOOPBACK = "127.0.0.1"
# Aborted connections end their handlers at once; this is for one that clings to its work.
_SHUTDOWN_SECONDS = 1.0


class PortTakenError(Exception):
    """Another program listens on the port.

    Attributes:
        port: The port.
        option: The command line option that chooses another.
    """

    def __init__(self, port: int, option: str) -> None:
        super().__init__(f"port {port} is taken; choose another with {option}")
        self.port = port
        self.option = option


class Listener:
    """Serves one application on one port of 127.0.0.1."""

    def __init__(
        self,
        build: Callable[[], web.Application],
        *,
        port: int,
        option: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._build = build
        self._port = port
        self._option = option
        self._tls = tls
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address, without a trailing slash; known once opened, and kept while closed."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{LOOPBACK}:{self._port}"

    async def open(self) -> None:
        """Listen, unless that is done already; port 0 becomes a free one.

        Raises:
            PortTakenError: Another program has the port.
        """
        if self._runner is not None:
            return
        runner = web.AppRunner(
            self._build(),
            # A client that hangs up in a black hole must not leave a task behind.
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOOPBACK, self._port, ssl_context=self._tls)
            await site.start()
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(self._port, self._option) from error
            raise
        self._port = int(runner.addresses[0][1])
        self._runner = runner

    async def close(self) -> None:
        """Stop listening and abort every connection."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in list(runner.sites):
            await site.stop()
        for connection in runner.server.connections if runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()
