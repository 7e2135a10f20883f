"""What every answer tells browsers: take it for what it says it is, and run nothing in it.

Pages say themselves what they need; everything else needs nothing, also where somebody opens
it in a frame or as a page of its own.
"""

from collections.abc import Mapping

from aiohttp import web

PROTECTION: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""The head lines, for answers that are written past aiohttp."""


async def protect(_: web.Request, response: web.StreamResponse) -> None:
    """Add what an answer does not say itself; a signal for `on_response_prepare`."""
    for name, text in PROTECTION.items():
        response.headers.setdefault(name, text)
