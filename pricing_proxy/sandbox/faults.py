"""Do to every request of a system what its dials say: the middleware all systems share.

In order: the call is counted; a black hole swallows it; time passes; a gateway answers
for the system, or it is throttled, or fails without an explanation, or is let through to the
application; and the answer to a write that succeeded may get lost on its way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from random import Random

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.wire import json_answer

Counter = Callable[[web.Request, Calls], Awaitable[None]]

HAS_WRITTEN = web.RequestKey("has_written", bool)
"""Set in a request by a handler that has changed what its system knows."""

_THROTTLED = (
    "This request could not be processed at this time due to system experiencing "
    "high resource utilization."
)
# What a gateway or a crashed worker process answers: no envelope of the application.
_GATEWAY_PAGE = "<html><body><h1>500 - Internal server error.</h1></body></html>"
_REASONS = {one.value: one.phrase for one in HTTPStatus}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SIGN_IN = _REDIRECTS | {200}
_MILLISECONDS = 1000
# Long enough to be noticed, short enough for a test: the recorded 17 s would end one.
_RETRY_AFTER_SECONDS = 1


def faults(dials: Dials, calls: Calls, count: Counter, *, seed: str) -> Middleware:
    """Return the middleware of one system.

    Args:
        dials: Read anew for each request.
        calls: Where `count` writes.
        count: Knows which operation a request is.
        seed: Makes error rate and spread repeat from run to run.
    """
    random = Random(seed)  # noqa: S311 - faults must repeat, not surprise

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        await count(request, calls)
        if dials.black_hole:
            # Ends only when the client hangs up, or the sandbox does.
            await asyncio.Event().wait()
        await asyncio.sleep(_latency_ms(dials, random) / _MILLISECONDS)
        if dials.gateway_page is not None:
            return _of_gateway(dials.gateway_page)
        if _is_throttled(dials, random):
            return _throttled(dials.retry_after)
        if random.random() < dials.error_rate:
            return web.Response(status=500, text=_GATEWAY_PAGE, content_type="text/html")
        answer = await handler(request)
        if dials.clock_ahead_seconds and "Date" not in answer.headers:
            answer.headers["Date"] = format_datetime(_shown(dials.clock_ahead_seconds), usegmt=True)
        if HAS_WRITTEN in request and random.random() < dials.commit_then_drop:
            _drop_connection(request)
        return answer

    return middleware


def _shown(ahead_seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=ahead_seconds)


def _is_throttled(dials: Dials, random: Random) -> bool:
    if dials.throttle_rate > 0:
        return random.random() < dials.throttle_rate
    return dials.retry_after is not None


def _of_gateway(status: int) -> web.Response:
    title = "Sign in" if status in _SIGN_IN else f"{status} {_REASONS.get(status, 'Error')}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    answer = web.Response(status=status, text=page, content_type="text/html")
    if status in _REDIRECTS:
        answer.headers["Location"] = "/login"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = "GET, HEAD"
    return answer


def _drop_connection(request: web.Request) -> None:
    # The answer that is returned next goes nowhere, as when a gateway dies after the commit.
    if request.transport is not None:
        request.transport.abort()


def _latency_ms(dials: Dials, random: Random) -> float:
    spread = dials.latency_spread_ms
    return max(0.0, dials.latency_ms + random.uniform(-spread, spread))


def _throttled(retry_after: int | str | None) -> web.Response:
    answer = json_answer({"error": {"code": "", "message": _THROTTLED}}, status=429)
    answer.headers["Retry-After"] = str(
        _RETRY_AFTER_SECONDS if retry_after is None else retry_after
    )
    return answer
