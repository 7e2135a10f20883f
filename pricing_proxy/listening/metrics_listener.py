"""Answer what is counted to Prometheus where it runs elsewhere, and nothing else.

    GET /metrics       Prometheus' text format
    GET /health/live   200 as long as the event loop turns

The listeners for operators stay on this machine, or ask for a key: they show customers' prices
and take orders. This one holds numbers alone, whose labels name no key and no customer, so it
asks for no login and may listen on a pod's address. It is off unless it is configured.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import ListenAddress, listening

_log = logging.getLogger(__name__)

METRICS_CONNECTIONS = 16
"""Two scrapers keep one each; the rest is for people who look."""

# As `prometheus_client` writes it.
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NO_STORE = {"Cache-Control": "no-store"}


class MetricsAddress(ListenAddress, Protocol):
    """Where to listen, and how long for."""

    @property
    def idle_seconds(self) -> int:
        """How long a connection may say nothing between two requests."""
        ...


def metrics_response(text: bytes) -> web.Response:
    """Return an answer with what is counted, in Prometheus' text format."""
    return web.Response(body=text, headers={"Content-Type": _CONTENT_TYPE, **_NO_STORE})


def metrics_crowd(address: MetricsAddress) -> Crowd:
    """Return the connections of the listener."""
    return Crowd("metrics", most=METRICS_CONNECTIONS, idle_seconds=address.idle_seconds)


@asynccontextmanager
async def metrics_listening(
    text: Callable[[], bytes], address: MetricsAddress, key: str, *, crowd: Crowd
) -> AsyncIterator[int]:
    """Answer what is counted, and yield the port.

    Args:
        text: Returns what is counted.
        address: Where.
        key: The setting that chooses another port, for the error.
        crowd: Its connections, from `metrics_crowd`.

    Raises:
        ListenError: The address cannot be listened on.
    """
    async with listening(_application(text), address, key, crowd=crowd) as port:
        _log.info("metrics on port %d, without a login", port)
        yield port


def _application(text: Callable[[], bytes]) -> web.Application:
    async def metrics(_: web.Request) -> web.Response:
        return metrics_response(text())

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "live"}, headers=_NO_STORE)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/health/live", live)
    return app
