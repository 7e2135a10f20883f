"""Serve the OpenAPI document, and the page that shows it, from files in the package.

Everything is read and built once, when the routes are made: a missing file stops the
start, not a request. Nothing is fetched from elsewhere, and the page's policy lets its
script run nothing but itself, and call nothing but the listener that it came from.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson
from aiohttp import web

from pricing_proxy.pages.drawing import policy, style_sheet
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web.handling import Asked
from pricing_proxy.web.problems import NO_SUCH_FILE

_PAGE = "docs.html"
_STYLE, _SCRIPT = "text/css", "text/javascript"
_FILES = {
    "docs.css": _STYLE,
    "docs.js": _SCRIPT,
    "markdown.js": _SCRIPT,
    "tryit.js": _SCRIPT,
    "status.css": _STYLE,
    "status.js": _SCRIPT,
}
# Asked for anew each time: after an upgrade nobody should read yesterday's page.
_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
_PAGE_HEADERS = {
    **_HEADERS,
    "Content-Security-Policy": policy(),
}


class DocsRoutes:
    """The handlers.

    Args:
        document: The OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = orjson.dumps(document)
        self._page = _read(_PAGE)
        self._files = {name: (_read(name), kind) for name, kind in _FILES.items()}
        self._files["pages.css"] = (style_sheet(), _STYLE)

    async def openapi(self, _: Asked[None]) -> web.Response:
        """Answer with the OpenAPI document."""
        return web.Response(body=self._document, content_type="application/json", headers=_HEADERS)

    async def page(self, _: Asked[None]) -> web.Response:
        """Answer with the page."""
        return web.Response(
            body=self._page, content_type="text/html", charset="utf-8", headers=_PAGE_HEADERS
        )

    async def file(self, asked: Asked[None]) -> web.Response:
        """Answer with one of the page's files; raises a 404 for any other name."""
        found = self._files.get(asked.request.match_info["file"])
        if found is None:
            raise ProblemError(NO_SUCH_FILE)
        content, kind = found
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)


def _read(name: str) -> bytes:
    return files(__package__).joinpath("static", name).read_bytes()
