"""What an HTTP answer of Magento means: a body, or which `UpstreamError`.

| status | means |
|---|---|
| 2xx | the body, which must be JSON, else `UpstreamContractError` |
| 3xx | `UpstreamContractError`: never followed, the signature is for one address |
| 401, 403 | `UpstreamDeniedError`: credentials, clock, or an access resource that the text names |
| 429, 503 with Retry-After | `UpstreamThrottledError` |
| 400 with a message that passes by itself | `MagentoBusyError` |
| 408, 425, 5xx (maintenance page, report id, plain text) | `UpstreamUnavailableError` |
| other 4xx | `MagentoRejectedError` with what Magento said |

A message holds the status only, since what Magento says may quote customer data; the
exceptions are access resources and report ids, without which nobody can help. Pure.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn

from pricing_proxy.resilience.errors import (
    TransientUpstreamError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.retry_after import read_retry_after
from sync.magento.fault_messages import ShopFault, read_faults

_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
_REPORT_ID = re.compile(r"Report ID: (webapi-[0-9a-f]+)", re.ASCII)


class MagentoRejectedError(UpstreamRejectedError):
    """Magento read the request and refused it.

    Attributes:
        faults: Its messages with their parameters; empty when a gateway in front refused.
    """

    def __init__(
        self, message: str, *, system: str, status: int, faults: tuple[ShopFault, ...]
    ) -> None:
        reasons = tuple(fault.text for fault in faults)
        super().__init__(message, system=system, status=status, reasons=reasons)
        self.faults = faults

    @property
    def is_missing_route(self) -> bool:
        """Whether this Magento has no such route."""
        return any(fault.is_missing_route for fault in self.faults)

    @property
    def is_missing_entity(self) -> bool:
        """Whether the route exists, and what it was asked for does not."""
        is_missing = self.status == HTTPStatus.NOT_FOUND and bool(self.faults)
        return is_missing and not self.is_missing_route


class MagentoBusyError(TransientUpstreamError):
    """Refused with 400 for a reason that passes: two writers were in each other's way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopReply:
    """An HTTP answer, read to its end.

    Attributes:
        system: The other side's name in errors.
        headers: Case does not matter in look-ups.
        body: Decompressed.
    """

    system: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def error_of(reply: ShopReply, *, now: datetime) -> UpstreamError | None:
    """Return what the status means when it is not a success; None for a 2xx."""
    if HTTPStatus(200) <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    message = f"{reply.system} answered {reply.status}"
    if reply.status < HTTPStatus.BAD_REQUEST:
        return UpstreamContractError(message, system=reply.system)
    faults = read_faults(reply.body)
    if reply.status in _DENIED:
        said = "".join(f": {fault.text}" for fault in faults[:1])
        return UpstreamDeniedError(message + said, system=reply.system, status=reply.status)
    retry_after = read_retry_after(reply.headers, now=now)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or (
        reply.status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    ):
        return UpstreamThrottledError(message, system=reply.system, retry_after=retry_after)
    return _refusal(reply, message, faults)


def json_body(reply: ShopReply) -> Any:
    """Return the JSON value of a success, fractions as exact decimals.

    Raises:
        UpstreamContractError: The body is not JSON; a shop page, for example.
    """
    try:
        return json.loads(reply.body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise UpstreamContractError(
            f"{reply.system} answered {reply.status} without JSON", system=reply.system
        ) from exc


def _refusal(reply: ShopReply, message: str, faults: tuple[ShopFault, ...]) -> UpstreamError:
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING:
        report = _REPORT_ID.search(faults[0].text) if faults else None
        named = f"{message} (report {report[1]} in its log)" if report else message
        return UpstreamUnavailableError(named, system=reply.system)
    if any(fault.passes for fault in faults):
        return MagentoBusyError(message, system=reply.system)
    return MagentoRejectedError(message, system=reply.system, status=reply.status, faults=faults)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
