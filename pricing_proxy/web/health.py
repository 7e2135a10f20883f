"""`/health/live`: restart this process or not; `/health/ready`: send requests to it or not."""

from collections.abc import Callable, Sequence

import orjson
from aiohttp import web

from pricing_proxy.web.handling import Asked

_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class HealthRoutes:
    """The handlers.

    Args:
        obstacles: Returns what still keeps this process from serving, in words; empty when ready.
    """

    def __init__(self, obstacles: Callable[[], Sequence[str]]) -> None:
        self._obstacles = obstacles

    async def live(self, _: Asked[None]) -> web.Response:
        """Answer 200 as long as the event loop turns."""
        return web.Response(body=b'{"status":"live"}', headers=_HEADERS)

    async def ready(self, _: Asked[None]) -> web.Response:
        """Answer 200 when prices can be served, else 503 with what is missing."""
        missing = list(self._obstacles())
        body = {"status": "starting" if missing else "ready", "missing": missing}
        return web.Response(
            status=503 if missing else 200,
            body=orjson.dumps(body),
            headers=_HEADERS,
        )
