"""What an HTTP answer of Magento means: a body, or which `UpstreamError`.

| status | means |
|---|---|
| 2xx | the body, which must be JSON, else `UpstreamContractError` |
| 3xx | `UpstreamContractError`: never followed, the signature is for one address |
| 401, 403 | `UpstreamDeniedError`: credentials, clock, or an access resource that the text names |
| 429, 503 with Retry-After | `UpstreamThrottledError` |
| 400 with a message that passes by itself | `UpstreamConflictError` |
| 500 (report id, plain text) | `MagentoBrokeError`: its own code failed at the request |
| 408, 425, other 5xx (maintenance page) | `UpstreamUnavailableError` |
| other 4xx | `MagentoRejectedError` with what Magento said |

A message holds the status only, since what Magento says may quote customer data; the
exceptions are access resources, report ids, without which nobody can help, and what passes,
which quotes nothing. Pure.
"""

import json
import re
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn

from pricing_proxy.http_replies import PASSING, Reply, meaning_of_status
from pricing_proxy.resilience.errors import (
    UpstreamConflictError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from sync.magento.fault_messages import ShopFault, read_faults, told_by
from sync.plain_texts import plain_json

# As JSON writes what is no plain text; a pair of surrogates is one, and is looked at as well.
_ODD_CHARACTER = re.compile(
    rb"\\u(?:00[01]|[dD][89a-fA-F]|[fF]{3}[eEfF])|\\[bf]|\x7f|\xef\xbf[\xbe\xbf]"
)
_REPORT_ID = re.compile(r"Report ID: (webapi-[0-9a-f]+)", re.ASCII)


class MagentoRejectedError(UpstreamRejectedError):
    """Magento read the request and refused it.

    Attributes:
        faults: Its messages with their parameters; empty when a gateway in front refused.
            `reasons` has them for people.
    """

    def __init__(
        self, message: str, *, system: str, status: int, faults: tuple[ShopFault, ...]
    ) -> None:
        super().__init__(message, system=system, status=status, reasons=told_by(faults))
        self.faults = faults
        self.concerns_all = self.is_missing_route

    @property
    def is_missing_route(self) -> bool:
        """Whether this Magento has no such route."""
        return any(fault.is_missing_route for fault in self.faults)

    @property
    def is_missing_entity(self) -> bool:
        """Whether the route exists, and what it was asked for does not."""
        is_missing = self.status == HTTPStatus.NOT_FOUND and bool(self.faults)
        return is_missing and not self.is_missing_route


class MagentoBrokeError(UpstreamUnavailableError):
    """Its own code failed at what it was asked: the shop is in trouble, or one row of a list is."""


def error_of(reply: Reply, *, now: datetime) -> UpstreamError | None:
    """Return what the status means when it is not a success; None for a 2xx."""
    if reply.is_success:
        return None
    faults = read_faults(reply.body)
    denied = "".join(f": {fault.text}" for fault in faults[:1])
    return meaning_of_status(reply, now=now, denied=denied) or _refusal(reply, faults)


def read_json(body: bytes) -> Any:
    """Return a body's JSON value, fractions as exact decimals, texts plain; raises `ValueError`."""
    value = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    return plain_json(value) if _ODD_CHARACTER.search(body) else value


def _refusal(reply: Reply, faults: tuple[ShopFault, ...]) -> UpstreamError:
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in PASSING:
        report = _REPORT_ID.search(faults[0].text) if faults else None
        named = f"{reply.told} (report {report[1]} in its log)" if report else reply.told
        is_broken = reply.status == HTTPStatus.INTERNAL_SERVER_ERROR
        kind = MagentoBrokeError if is_broken else UpstreamUnavailableError
        return kind(named, system=reply.system)
    passing = next((fault for fault in faults if fault.passes), None)
    if passing is not None:
        told = f"{reply.told}: {passing.text}"
        return UpstreamConflictError(told, system=reply.system, status=reply.status)
    return MagentoRejectedError(reply.told, system=reply.system, status=reply.status, faults=faults)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
