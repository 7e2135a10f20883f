"""What an HTTP answer of an ERP means: a body, or which `UpstreamError`.

| status | means |
|---|---|
| 2xx | the body, which must be what was promised, else `UpstreamContractError` |
| 3xx | `UpstreamContractError`: never followed, the bearer token would follow too |
| 401, 403 | `UpstreamDeniedError` (`Transport` has tried 401 once more by then) |
| 429, 503 with Retry-After | `UpstreamThrottledError` |
| 500 with the application's own message | `UpstreamRejectedError` |
| 408, 425, other 5xx | `UpstreamUnavailableError` |
| other 4xx | `UpstreamRejectedError` |

The status alone decides, and for 500 the presence of an application's message,
never its wording. Pure. Messages name the request's id, which F&O's own logs hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pricing_proxy.d365.fault_messages import read_fault
from pricing_proxy.d365.json_numbers import read_json
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.retry_after import read_retry_after

_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, read to its end.

    Attributes:
        system: The other side's name in errors.
        request_id: Our `x-ms-client-request-id` of the request.
        headers: Case does not matter in look-ups.
        body: Decompressed.
    """

    system: str
    request_id: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def error_of(reply: Reply, *, now: datetime) -> UpstreamError | None:
    """Return what the status means when it is not a success; None for a 2xx."""
    if HTTPStatus(200) <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    message = f"{reply.system} answered {reply.status} (request {reply.request_id})"
    system = reply.system
    if reply.status < HTTPStatus.BAD_REQUEST:
        return UpstreamContractError(message, system=system)
    if reply.status in _DENIED:
        return UpstreamDeniedError(message, system=system, status=reply.status)
    retry_after = read_retry_after(reply.headers, now=now)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or (
        reply.status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    ):
        return UpstreamThrottledError(message, system=system, retry_after=retry_after)
    return _refusal(reply, message)


def _refusal(reply: Reply, message: str) -> UpstreamError:
    fault = read_fault(reply.body)
    explained = reply.status == HTTPStatus.INTERNAL_SERVER_ERROR and fault.is_application
    is_server_error = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if reply.status in _PASSING or (is_server_error and not explained):
        return UpstreamUnavailableError(message, system=reply.system)
    return UpstreamRejectedError(
        message, system=reply.system, status=reply.status, reasons=fault.reasons, field=fault.field
    )


def json_body(reply: Reply) -> Any:
    """Return the JSON value of a success, numbers as `NumberText`.

    Raises:
        UpstreamContractError: The body is not JSON; a login page, for example.
    """
    try:
        return read_json(reply.body)
    except ValueError as exc:
        raise UpstreamContractError(
            f"{reply.system} answered {reply.status} without JSON (request {reply.request_id})",
            system=reply.system,
        ) from exc
