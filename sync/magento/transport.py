"""Speak HTTP to Magento: sign, send once, and say how it ended.

Every call passes through `Transport.send`. It signs each attempt afresh with a nonce of
its own, keeps the caller's deadline, runs the caller's guard last before the wire, and
ends in a parsed JSON body or an `UpstreamError`. It keeps no cookies, follows no
redirect, never sleeps and never tries twice; retries, breaker and limits belong to
`resilience.policy`. What a status means stands in `answers`.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from yarl import URL

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from sync.magento.answers import Reply, error_of, json_body
from sync.magento.auth import Credentials, authorization

Guard = Callable[[], Awaitable[None]]
"""Raises when the caller has lost the right to write, and so keeps the request off the wire."""

# Orders of a page of 100 with twenty lines each are about 20 MB, as each line is repeated.
_MAX_BODY_BYTES = 64 * 1024 * 1024
# About 2 ms of parsing; more would hold up the other flows of this process.
_PARSE_IN_THREAD_BYTES = 256 * 1024
# The server stores 32 characters of a nonce.
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
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


class Transport:
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
        self.base_url = _root(base_url)
        self.system = system
        self._signed_url = _root(signed_url or base_url)
        self._session = session
        self._credentials = credentials
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        # aiohttp repeats GET and PUT silently when a kept-alive connection breaks: with the
        # nonce that was used already, and behind the back of the breaker.
        session._retry_connection = False  # noqa: SLF001 - no public switch exists

    async def send(
        self, request: Request, *, deadline: Deadline, guard: Guard | None = None
    ) -> Any:
        """Return the JSON body of the answer to a request that succeeded.

        Raises:
            UpstreamTimeoutError: The deadline passed.
            UpstreamError: As the table in `answers` says.
        """
        reply = await self._exchange(request, deadline, guard)
        error = error_of(reply, now=self._clock.utc())
        if error is not None:
            raise error
        if len(reply.body) < _PARSE_IN_THREAD_BYTES:
            return json_body(reply)
        return await asyncio.to_thread(json_body, reply)

    async def _exchange(self, request: Request, deadline: Deadline, guard: Guard | None) -> Reply:
        if guard is not None:
            await guard()
        try:
            async with asyncio.timeout(self._seconds_left(deadline)):
                return await self._wire(request)
        except TimeoutError as exc:
            raise UpstreamTimeoutError(
                f"{self.system} gave no answer in time", system=self.system
            ) from exc
        except aiohttp.ClientError as exc:
            raise UpstreamUnavailableError(
                f"{self.system}: {_failure(exc)}", system=self.system, is_connection_failure=True
            ) from exc

    async def _wire(self, request: Request) -> Reply:
        async with self._session.request(
            request.method,
            # Encoded already; yarl's own quoting would change what was signed.
            URL(self.base_url + request.target, encoded=True),
            data=request.body,
            headers=self._headers(request),
            allow_redirects=False,
            # The deadline is the only time-out, so that there is one kind of it.
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None),
        ) as response:
            return Reply(
                system=self.system,
                status=response.status,
                headers=response.headers,
                body=await self._read(response),
            )

    def _headers(self, request: Request) -> dict[str, str]:
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

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                response.close()
                raise UpstreamContractError(
                    f"{self.system} answered more than {self._max_body_bytes} bytes",
                    system=self.system,
                )
        return bytes(body)

    def _seconds_left(self, deadline: Deadline) -> float:
        now_us = self._clock.monotonic_us()
        if deadline.has_passed(now_us):
            # Not begun at all: asyncio would still run up to the first wait, and send.
            raise UpstreamTimeoutError("no time left", system=self.system)
        return deadline.remaining_us(now_us) / MICROSECONDS_PER_SECOND


def _root(text: str) -> str:
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.host or url.path != "/" or url.query:
        raise ValueError("expected the shop's root, such as https://shop.example.com")
    return str(url.origin())


def _failure(exc: aiohttp.ClientError) -> str:
    match exc:
        case aiohttp.ClientSSLError():
            return "refused TLS, or its certificate is not trusted"
        case aiohttp.ClientConnectorError():
            return "cannot be reached"
        case _:
            return f"the connection broke ({type(exc).__name__})"
