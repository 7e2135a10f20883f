"""An HTTP answer, read to its end, and what its status alone means, whoever sent it.

| status | means |
|---|---|
| 3xx | `UpstreamContractError`: never followed, credentials would follow too |
| 401, 403 | `UpstreamDeniedError` |
| 429, 503 with Retry-After | `UpstreamThrottledError` |

What other refusals mean stands in the body, which each system's `answers` reads.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamThrottledError,
)
from pricing_proxy.resilience.retry_after import read_retry_after

PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
"""Refusals of a moment: the same request may succeed later."""

_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
# About 2 ms of parsing; more would hold up whatever else this process does.
_PARSE_IN_THREAD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, read to its end.

    Attributes:
        system: The other side's name in errors.
        status: What it answered.
        headers: Case does not matter in look-ups.
        body: Decompressed.
        note: Ends the messages of errors, such as the request's id; empty for nothing.
    """

    system: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    note: str = ""

    @property
    def is_success(self) -> bool:
        """Whether what was asked for was done."""
        return HTTPStatus(200) <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def told(self) -> str:
        """What errors say of it: nothing that the other side wrote."""
        return f"{self.system} answered {self.status}{self.note}"

    async def json(self, read: Callable[[bytes], Any]) -> Any:
        """Return the body as `read` reads it, in a thread where that takes long.

        Raises:
            UpstreamContractError: It is not JSON; a login page, for example.
        """
        try:
            if len(self.body) < _PARSE_IN_THREAD_BYTES:
                return read(self.body)
            return await asyncio.to_thread(read, self.body)
        except (ValueError, RecursionError) as exc:
            message = f"{self.system} answered {self.status} without JSON{self.note}"
            raise UpstreamContractError(message, system=self.system, status=self.status) from exc


def meaning_of_status(reply: Reply, *, now: datetime, denied: str = "") -> UpstreamError | None:
    """Return what a status that is no success means; None where the body must tell.

    Args:
        reply: The answer.
        now: For dates in `Retry-After`.
        denied: Ends the message of a denial.
    """
    status, system = reply.status, reply.system
    if status < HTTPStatus.BAD_REQUEST:
        return UpstreamContractError(reply.told, system=system, status=status)
    if status in _DENIED:
        return UpstreamDeniedError(reply.told + denied, system=system, status=status)
    retry_after = read_retry_after(reply.headers, now=now)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    ):
        return UpstreamThrottledError(reply.told, system=system, retry_after=retry_after)
    return None
