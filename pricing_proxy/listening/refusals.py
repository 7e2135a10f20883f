"""What a caller is told whose message cannot be read, or does not end."""

from http import HTTPStatus

from aiohttp import web

from pricing_proxy.listening import problems
from pricing_proxy.listening.protection import PROTECTION
from pricing_proxy.problem_details import Problem, ProblemError

_JSON = "application/json"


class BodyTooSlowError(web.HTTPRequestTimeout):
    """A body did not arrive in time; raised where it is read."""


async def read_whole(request: web.Request) -> bytes:
    """Return the body.

    Raises:
        ProblemError: It is too long, did not arrive in time, or is garbled.
    """
    try:
        body = await request.read()
        # What broke off may look complete to who was just reading.
        if (error := request.content.exception()) is not None:
            raise error
    except web.HTTPRequestEntityTooLarge:
        limit = request.app._client_max_size  # noqa: SLF001 -- aiohttp shows it nowhere else
        raise ProblemError(problems.BODY_TOO_LARGE, f"Send at most {limit} bytes.") from None
    except BodyTooSlowError:
        raise ProblemError(problems.BODY_TOO_SLOW) from None
    except web.RequestPayloadError:
        raise ProblemError(problems.UNREADABLE_BODY) from None
    else:
        return body


def require_json(request: web.Request) -> None:
    """Raise a `ProblemError` unless the request says that its body is JSON."""
    content_type = request.headers.get("Content-Type", "")
    if content_type != _JSON and content_type.partition(";")[0].strip().lower() != _JSON:
        raise ProblemError(problems.UNSUPPORTED_MEDIA_TYPE)


def unreadable() -> web.Response:
    """Return the answer to what is no HTTP."""
    response = _alone(problems.UNREADABLE_REQUEST)
    response.force_close()
    return response


async def unknown_expectation() -> web.StreamResponse:
    """Return the answer to an `Expect` that nobody knows."""
    return _alone(problems.UNKNOWN_EXPECTATION)


async def no_path() -> web.StreamResponse:
    """Return the answer to a request for anything but a path."""
    detail = "There is nothing here but paths; no tunnel, and nothing for the server as a whole."
    return _alone(problems.NO_SUCH_ROUTE, detail)


def _alone(problem: Problem, detail: str | None = None) -> web.Response:
    """Return an answer past the application, which would add the protection."""
    return ProblemError(problem, detail, headers=PROTECTION).response()


def _written(problem: Problem) -> bytes:
    response = _alone(problem)
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101 -- a problem is JSON
    head = "".join(f"{name}: {text}\r\n" for name, text in response.headers.items())
    line = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"
    return f"{line}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


SLOW_HEAD = _written(problems.HEAD_TOO_SLOW)
"""The whole answer to a head that did not arrive in time."""

LONG_HEAD = _written(problems.HEAD_TOO_LONG)
"""The whole answer to a head of which no more is kept."""
