"""Speak HTTP to Magento: sign, send once, and say how it ended.

Every call passes through `ShopTransport.send`. It signs each attempt afresh with a nonce of
its own, keeps the caller's deadline, runs the caller's guard last before the wire, and
ends in a parsed JSON body or an `UpstreamError`. It keeps no cookies, follows no
redirect, never sleeps and never tries twice; retries, breaker and limits belong to
`resilience.policy`. What a status means stands in `answers`.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard, HttpExchange, RawRequest, origin_of
from pricing_proxy.resilience.deadline import Deadline
from sync.magento.answers import ShopReply, error_of, json_body
from sync.magento.auth import Credentials, authorization

_EXAMPLE = "https://shop.example.com"
# Orders of a page of 100 with twenty lines each are about 20 MB, as each line is repeated.
_MAX_BODY_BYTES = 64 * 1024 * 1024
# About 2 ms of parsing; more would hold up the other flows of this process.
_PARSE_IN_THREAD_BYTES = 256 * 1024
# The server stores 32 characters of a nonce.
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRequest:
    """One HTTP request to Magento.

    Attributes:
        target: Path and query, percent-encoded, beginning with "/"; sent as it is.
        body: JSON; None for none.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    target: str
    body: bytes | None = None

    def __post_init__(self) -> None:
        if not self.target.startswith("/") or self.target.startswith("//"):
            raise ValueError("a target is a path on the shop's own host")


class ShopTransport:
    """Sends requests to one Magento as one integration."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        credentials: Credentials,
        clock: Clock,
        signed_url: str | None = None,
        system: str = "magento",
        max_body_bytes: int = _MAX_BODY_BYTES,
    ) -> None:
        """Take a session that stays the caller's to close, and serves Magento calls only.

        Args:
            session: Given connections, certificates and pool. Its cookie jar must keep nothing:
                each answer sets a session cookie.
            base_url: The shop's root, without a path.
            credentials: The integration's.
            clock: Reads deadlines, dates requests.
            signed_url: The root as PHP sees it, where a proxy in front changes scheme, host or
                port without telling; otherwise every call is answered 401.
            system: Magento's name in errors.
            max_body_bytes: A longer answer, decompressed, is an `UpstreamContractError`.
        """
        self.base_url = origin_of(base_url, example=_EXAMPLE)
        self.system = system
        self._signed_url = origin_of(signed_url or base_url, example=_EXAMPLE)
        self._credentials = credentials
        self._clock = clock
        self._exchanges = HttpExchange(
            session, clock=clock, system=system, max_body_bytes=max_body_bytes
        )

    async def send(
        self, request: ShopRequest, *, deadline: Deadline, guard: Guard | None = None
    ) -> Any:
        """Return the JSON body of the answer to a request that succeeded.

        Raises:
            UpstreamTimeoutError: The deadline passed.
            UpstreamError: As the table in `answers` says.
        """
        raw = RawRequest(
            method=request.method,
            url=self.base_url + request.target,
            headers=self._headers(request),
            body=request.body,
        )
        answer = await self._exchanges.send(raw, deadline=deadline, guard=guard)
        reply = ShopReply(
            system=self.system, status=answer.status, headers=answer.headers, body=answer.body
        )
        error = error_of(reply, now=self._clock.utc())
        if error is not None:
            raise error
        if len(reply.body) < _PARSE_IN_THREAD_BYTES:
            return json_body(reply)
        return await asyncio.to_thread(json_body, reply)

    def _headers(self, request: ShopRequest) -> dict[str, str]:
        headers = {
            "Authorization": authorization(
                self._credentials,
                method=request.method,
                url=self._signed_url + request.target,
                nonce=secrets.token_hex(_NONCE_BYTES),
                timestamp=int(self._clock.utc().timestamp()),
            ),
            # Anything else may be answered with XML, or with 500 and a page.
            "Accept": "application/json",
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return headers
