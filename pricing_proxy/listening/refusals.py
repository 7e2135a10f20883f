"""What a caller is told whose message cannot be read, or does not end."""

from aiohttp import web

from pricing_proxy.listening.protection import PROTECTION
from pricing_proxy.problem_details import ProblemError

_CLOSE = {"Connection": "close"}
# Answered past the application, which would add the rest.
_ALONE = {**_CLOSE, **PROTECTION}


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
        raise ProblemError(413, "body_too_large", f"Send at most {limit} bytes.") from None
    except BodyTooSlowError:
        detail = "The body did not arrive in time."
        raise ProblemError(408, "body_too_slow", detail, headers=_CLOSE) from None
    except web.RequestPayloadError:
        detail = "The body broke off or is garbled."
        raise ProblemError(400, "unreadable_body", detail, headers=_CLOSE) from None
    else:
        return body


def unreadable() -> web.Response:
    """Return the answer to what is no HTTP."""
    detail = "The request is no HTTP/1.1, or one of its lines is too long."
    response = ProblemError(400, "unreadable_request", detail, headers=_ALONE).response()
    response.force_close()
    return response


async def unknown_expectation() -> web.StreamResponse:
    """Return the answer to an `Expect` that nobody knows."""
    detail = "Expect nothing, or 100-continue."
    return ProblemError(417, "unknown_expectation", detail, headers=PROTECTION).response()


async def no_path() -> web.StreamResponse:
    """Return the answer to a request for anything but a path."""
    detail = "There is nothing here but paths; no tunnel, and nothing for the server as a whole."
    return ProblemError(404, "no_such_route", detail, headers=PROTECTION).response()


def _written(problem: ProblemError, line: str) -> bytes:
    response = problem.response()
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101 -- a problem is JSON
    head = "".join(f"{name}: {text}\r\n" for name, text in response.headers.items())
    return f"HTTP/1.1 {line}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


SLOW_HEAD = _written(
    ProblemError(408, "head_too_slow", "The request did not arrive in time.", headers=_ALONE),
    "408 Request Timeout",
)
"""The whole answer to a head that did not arrive in time."""

LONG_HEAD = _written(
    ProblemError(431, "head_too_long", "The head has too many bytes.", headers=_ALONE),
    "431 Request Header Fields Too Large",
)
"""The whole answer to a head of which no more is kept."""
