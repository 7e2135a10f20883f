"""What the intake's listener answers: each sender's events, where it has a secret, and health."""

from typing import Protocol

from aiohttp import web

BODY_LIMIT_BYTES = 16 * 1024
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class Answering(Protocol):
    """The routes of one sender."""

    def add_to(self, app: web.Application) -> None:
        """Answer under its paths."""
        ...


def application(*senders: Answering) -> web.Application:
    """Return the intake listener's application."""
    app = web.Application(client_max_size=BODY_LIMIT_BYTES)
    for each in senders:
        each.add_to(app)
    app.router.add_get("/health/live", _live)
    return app


async def _live(_: web.Request) -> web.Response:
    """Answer 200 as long as the event loop turns."""
    return web.Response(body=b'{"status":"live"}', headers=_HEADERS)
