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

from datetime import datetime
from http import HTTPStatus

from pricing_proxy.d365.fault_messages import read_fault
from pricing_proxy.http_replies import PASSING, Reply, meaning_of_status
from pricing_proxy.resilience.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)


def error_of(reply: Reply, *, now: datetime) -> UpstreamError | None:
    """Return what the status means when it is not a success; None for a 2xx."""
    if reply.is_success:
        return None
    return meaning_of_status(reply, now=now) or _refusal(reply)


def _refusal(reply: Reply) -> UpstreamError:
    fault = read_fault(reply.body)
    explained = reply.status == HTTPStatus.INTERNAL_SERVER_ERROR and fault.is_application
    is_server_error = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if reply.status in PASSING or (is_server_error and not explained):
        return UpstreamUnavailableError(reply.told, system=reply.system)
    return UpstreamRejectedError(
        reply.told,
        system=reply.system,
        status=reply.status,
        reasons=fault.reasons,
        field=fault.field,
    )
