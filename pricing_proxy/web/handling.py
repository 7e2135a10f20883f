"""What every handler shares: who is let in, its body, and problems for whatever goes wrong.

Whoever refuses a request raises a `ProblemError`, which knows its status code; here it becomes
the answer, and whatever else escapes a handler a 500. Handlers are wrapped one by one instead
of by a middleware: that costs a request one call less.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, Generic, NamedTuple, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from pricing_proxy.listening.problems import NO_SUCH_ROUTE
from pricing_proxy.listening.refusals import read_whole, require_json
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.telemetry.traces import Traces, leave_out, rejoin
from pricing_proxy.web.access import Admitted
from pricing_proxy.web.problems import (
    HTTP_ERROR,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    UNSUPPORTED_ENCODING,
)
from pricing_proxy.web.schemas import flaws_problem

_log = logging.getLogger(__name__)

B = TypeVar("B")

_JSON = "application/json"
_ANYBODY = Admitted("")
JSON_HEADERS = {"Content-Type": _JSON, "Cache-Control": "private, no-store"}


class Asked(NamedTuple, Generic[B]):
    """What a handler is given.

    Attributes:
        request: What came.
        by: Who was let in; nobody in particular where a route is open to all.
        body: What was sent, checked; None where nothing is read beforehand.
    """

    request: web.Request
    by: Admitted
    body: B


Handler = Callable[[Asked[Any]], Awaitable[web.StreamResponse]]
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


def anybody(_: web.Request) -> Admitted:
    """Let in whoever calls."""
    return _ANYBODY


def answering(
    handler: Handler,
    *,
    admit: Callable[[web.Request], Admitted] = anybody,
    body: TypeAdapter[Any] | None = None,
) -> Answering:
    """Return a handler that answers what goes wrong as a problem.

    Args:
        handler: Asked once the caller was let in and the body read.
        admit: Lets in; first of all, so that of a stranger nothing is parsed or kept.
        body: What is read, if anything.
    """

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            by = admit(request)
            content = None if body is None else validated(await read_bytes(request), body)
            return await handler(Asked(request, by, content))
        except ProblemError as problem:
            return problem.response()
        except web.HTTPException as error:
            kind = replace(HTTP_ERROR, status=error.status)
            return ProblemError(kind, error.reason).response()
        except Exception as error:
            if isinstance(error, ConnectionError) and request.transport is None:
                # The caller hung up while we read; nobody is left to answer.
                raise
            # A defect of ours: the route says where, the traceback why; the body stays out.
            _log.exception("%s %s broke", request.method, _route(request))
            return ProblemError(INTERNAL_ERROR).response()

    return answer


def traced(
    handler: Answering, name: str, traces: Traces, *, is_browser: Callable[[web.Request], bool]
) -> Answering:
    """Return a handler that records a span for each request.

    A server's `traceparent` is obeyed: its trace goes on here. A browser's is linked: our
    own trace begins, sampled as we decide, and names the other.

    Args:
        handler: Answers.
        name: What the spans are called.
        traces: Where they go.
        is_browser: Whether the caller is a stranger, who must not decide what we record.
    """

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        caller = request.headers.get("traceparent")
        if caller is None:
            return await answer_untraced(request)
        is_obeyed = not is_browser(request)
        with traces.span(
            name,
            parent=caller if is_obeyed else None,
            link=None if is_obeyed else caller,
        ):
            return await handler(request)

    async def answer_untraced(request: web.Request) -> web.StreamResponse:
        """Answer a request that is in no trace yet; nearly all stay out."""
        if traces.draws():
            with traces.drawn_span(name):
                return await handler(request)
        token = leave_out()
        try:
            return await handler(request)
        finally:
            rejoin(token)

    return answer


def validated(sent: bytes | Mapping[str, Any], adapter: TypeAdapter[B]) -> B:
    """Return JSON, or members of a query, as a value; raises `ProblemError` naming each mistake."""
    try:
        if isinstance(sent, bytes):
            return adapter.validate_json(sent)
        return adapter.validate_python(sent)
    except ValidationError as error:
        raise flaws_problem(error) from None


async def read_bytes(request: web.Request) -> bytes:
    """Return the body of a request that says it is JSON; raises `ProblemError`."""
    require_json(request)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ProblemError(UNSUPPORTED_ENCODING)
    return await read_whole(request)


async def no_such_route(asked: Asked[None]) -> web.StreamResponse:
    """Answer what no route matches: 405 where another method would do, else 404."""
    request = asked.request
    methods = {
        route.method
        for resource in request.app.router.resources()
        if resource.canonical != request.match_info.route.resource.canonical  # type: ignore[union-attr]
        and (await resource.resolve(request))[1]
        for route in resource
    }
    if methods:
        allowed = ", ".join(sorted(methods))
        detail = f"Use {allowed} here."
        raise ProblemError(METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})
    raise ProblemError(NO_SUCH_ROUTE)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"
