"""Send one HTTP request and read its answer to the end, within a deadline.

What the transports of all systems share. An exchange ends in a `Reply`, whatever its
status, or in an `UpstreamError` that says how it broke off. It is tried once, follows
no redirect, and asks the caller's guard last before the wire.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.configuration.proxies import Proxy
from pricing_proxy.http_replies import Reply
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

Guard = Callable[[], Awaitable[None]]
"""Raises when the caller has lost the right to write, and so keeps the request off the wire."""


# A page of 10,000 rows of the ERP, or of 100 of the shop's orders, is some 10 to 20 MB.
MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request to a system.

    Attributes:
        target: Path and query, percent-encoded, beginning with "/"; sent as it is. It has no
            host, so that credentials cannot leave for another one.
        body: JSON; None for none.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    target: str
    body: bytes | None = None

    def __post_init__(self) -> None:
        if not self.target.startswith("/") or self.target.startswith("//"):
            raise ValueError("a target is a path on the system's own host")

    @property
    def place(self) -> str:
        """What is asked, as people may read it: a path without the keys of documents."""
        path = self.target.partition("?")[0].partition("(")[0]
        return "/".join("…" if part.isdigit() else part for part in path.split("/"))


@contextmanager
def telling_place(request: Request, system: str) -> Iterator[None]:
    """Have a system's errors within say what was asked of it."""
    try:
        yield
    except UpstreamError as error:
        # Whoever issues tokens is another system, and was asked something else.
        if error.system == system and not error.path:
            error.path = request.place
        raise


def http_session(
    ca_file: Path | None,
    *,
    proxy: Proxy | None = None,
    connections: int = 100,
    keepalive_seconds: float = 15.0,
) -> aiohttp.ClientSession:
    """Return a session for one system, which keeps no cookies and is the caller's to close.

    Args:
        ca_file: PEM file of an authority to trust beside the public ones.
        proxy: Where connections go through; None for none, whatever the environment says.
        connections: At most so many at once.
        keepalive_seconds: How long one that nobody uses is kept.

    Raises:
        OSError: The file cannot be read.
    """
    written_at = None if ca_file is None else ca_file.stat().st_mtime_ns
    connector = aiohttp.TCPConnector(
        limit=connections,
        keepalive_timeout=keepalive_seconds,
        ssl=_trusting(ca_file, written_at),
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=None if proxy is None else proxy.url,
        middlewares=() if proxy is None or not proxy.user else (_known_to(proxy),),
    )


@lru_cache(maxsize=8)
def _trusting(ca_file: Path | None, written_at: int | None) -> ssl.SSLContext:
    """Return what checks certificates: reading all public authorities takes its time."""
    del written_at  # A file that was renewed is another one.
    trusted = ssl.create_default_context()
    if ca_file is not None:
        trusted.load_verify_locations(ca_file)
    return trusted


def _known_to(proxy: Proxy) -> aiohttp.ClientMiddlewareType:
    """Return what tells a proxy who asks; in its address errors would repeat the password."""
    login = aiohttp.encode_basic_auth(proxy.user, proxy.password)

    async def middleware(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.proxy_headers = CIMultiDict({"Proxy-Authorization": login})
        return await handler(request)

    return middleware


class HttpExchange:
    """Exchanges with one system over a session that belongs to it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        body_type: str,
        clock: Clock,
        system: str,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """Take a session that stays the caller's to close, and serves this system only.

        Args:
            session: Given connections, certificates and pool; its own time-outs are not used.
            base_url: The system's root, without a path.
            body_type: The media type by which it knows JSON.
            clock: Reads deadlines.
            system: The other side's name in errors.
            max_body_bytes: A longer answer, decompressed, is an `UpstreamContractError`.
        """
        self._session = session
        self._base_url = base_url
        self._body_type = body_type
        self._clock = clock
        self._system = system
        self._max_body_bytes = max_body_bytes
        # aiohttp sends GET, PUT and DELETE again, silently, when a kept-alive connection breaks;
        # that multiplies with our retries, repeats a nonce, and hides a failure from the breaker.
        # Only this private switch turns it off; tests count requests, so that its disappearing
        # is noticed.
        session._retry_connection = False  # noqa: SLF001 - no public switch exists

    async def send(
        self,
        request: Request,
        headers: Mapping[str, str],
        *,
        deadline: Deadline,
        guard: Guard | None = None,
        note: str = "",
    ) -> Reply:
        """Return the answer, whatever its status.

        Args:
            request: What to send.
            headers: All but that of its body.
            deadline: The last useful instant.
            guard: Asked last before the wire.
            note: Ends the messages of errors, such as the request's id.

        Raises:
            UpstreamTimeoutError: The deadline passed; perhaps before anything was sent.
            UpstreamUnavailableError: Connecting failed, or the connection broke.
            UpstreamContractError: The answer is too long.
        """
        try:
            async with asyncio.timeout(seconds_left(self._clock, deadline, self._system)):
                if guard is not None:
                    await guard()
                return await self._wire(request, headers, note)
        except TimeoutError as exc:
            raise UpstreamTimeoutError(
                f"{self._system} gave no answer in time{note}", system=self._system
            ) from exc
        except aiohttp.ClientError as exc:
            raise UpstreamUnavailableError(
                f"{self._system} {_failure(exc)}{note}",
                system=self._system,
                is_connection_failure=True,
            ) from exc

    async def _wire(self, request: Request, headers: Mapping[str, str], note: str) -> Reply:
        typed = {} if request.body is None else {"Content-Type": self._body_type}
        async with self._session.request(
            request.method,
            # Encoded already; yarl's own quoting would change what was signed or linked.
            URL(self._base_url + request.target, encoded=True),
            data=request.body,
            headers={**headers, **typed},
            # Credentials would follow to wherever a redirect leads.
            allow_redirects=False,
            # The deadline is the only time-out, so that there is one kind of it.
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None),
        ) as response:
            return Reply(
                system=self._system,
                status=response.status,
                headers=response.headers,
                body=await self._read(response),
                note=note,
            )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                # Not worth draining: the connection goes, and with it the rest of the answer.
                response.close()
                raise UpstreamContractError(
                    f"{self._system} answered more than {self._max_body_bytes} bytes",
                    system=self._system,
                )
        return bytes(body)


def seconds_left(clock: Clock, deadline: Deadline, system: str) -> float:
    """Return how long `asyncio.timeout` may wait.

    Raises:
        UpstreamTimeoutError: No time at all, so that nothing is begun: asyncio would still run
            up to the first wait, and send.
    """
    now_us = clock.monotonic_us()
    if deadline.has_passed(now_us):
        raise UpstreamTimeoutError("no time left", system=system)
    return deadline.remaining_us(now_us) / MICROSECONDS_PER_SECOND


def origin_of(url: str, *, example: str) -> str:
    """Return scheme, host and port of a root address.

    Raises:
        ValueError: It is not a root address such as the example.
    """
    root = URL(url)
    if root.scheme not in {"http", "https"} or not root.host or root.path != "/" or root.query:
        raise ValueError(f"expected the root address, without a path, such as {example}")
    return str(root.origin())


def _failure(exc: aiohttp.ClientError) -> str:
    match exc:
        case aiohttp.ClientProxyConnectionError():
            return "cannot be reached: the proxy on the way does not answer"
        case aiohttp.ClientHttpProxyError():
            return f"cannot be reached: the proxy on the way answered {exc.status}"
        case aiohttp.ClientSSLError():
            return "refused TLS, or its certificate is not trusted"
        case aiohttp.ClientConnectorError():
            return "cannot be reached"
        case _:
            return f"broke the connection ({type(exc).__name__})"
