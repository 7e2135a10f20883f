"""What browsers need besides an answer: leave to read it, given to each market's own pages.

Cross-origin sharing (the Fetch standard's CORS). A preflight names neither token nor market,
so it is answered for the pages of any market; the answer itself may be read by the pages of
the token's market alone. There is no wildcard and there are no cookies. A caller with an API
key is no browser and gets none of this.
"""

from collections.abc import Collection, Mapping
from functools import wraps

from aiohttp import web

from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web.access import API_KEY_HEADER, Access
from pricing_proxy.web.handling import Answering, Asked
from pricing_proxy.web.problems import ORIGIN_NOT_ALLOWED

_METHODS = "GET, POST"
# Leave to ask may be remembered so long; browsers have a limit of their own above it.
_REMEMBERED_SECONDS = 600
_PREFLIGHT = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, traceparent, tracestate",
    "Access-Control-Max-Age": str(_REMEMBERED_SECONDS),
}
_READABLE = "Cache-Status, Retry-After, WWW-Authenticate"
_VARY = {"Vary": "Origin"}


class BrowserRoutes:
    """Preflights, and the headers of answers to pages.

    Args:
        origins: Each market's pages, as `scheme://host[:port]`.
        access: Knows a request's token.
    """

    def __init__(self, *, origins: Mapping[str, Collection[str]], access: Access) -> None:
        self._origins = {market: frozenset(pages) for market, pages in origins.items()}
        self._all: frozenset[str] = frozenset().union(*self._origins.values())
        self._access = access

    async def preflight(self, asked: Asked[None]) -> web.Response:
        """Answer `OPTIONS /v1/prices`: 204 for a page of ours, else 403."""
        origin = asked.request.headers.get("Origin")
        if origin is None or origin not in self._all:
            raise ProblemError(ORIGIN_NOT_ALLOWED)
        return web.Response(
            status=204, headers={**_PREFLIGHT, **_VARY, "Access-Control-Allow-Origin": origin}
        )

    def sharing(self, handler: Answering) -> Answering:
        """Return a handler whose answers the pages of the token's market may read."""

        @wraps(handler)
        async def answer(request: web.Request) -> web.StreamResponse:
            response = await handler(request)
            if API_KEY_HEADER in request.headers:
                return response
            response.headers.update(_VARY)
            origin = request.headers.get("Origin")
            if origin is not None and origin in self._readers(request):
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = _READABLE
            return response

        return answer

    def is_browser(self, request: web.Request) -> bool:
        """Return whether nothing that comes along with the request is to be obeyed."""
        return not self._access.holds_key(request)

    def _readers(self, request: web.Request) -> frozenset[str]:
        try:
            shopper = self._access.shopper(request)
        except ProblemError:
            shopper = None
        if shopper is None:
            # A page of ours should learn that its token has ended.
            return self._all
        return self._origins.get(shopper.market, frozenset())
