"""Tell the sync's intake of each new order, signed, as the shop's module will.

    POST {url}  X-Timestamp: 1795417018   X-Event-Id: <uuid>
    X-Signature: sha256=<hex HMAC-SHA256 of "timestamp.id.body">
    {"type": "order.placed", "entity_id": 7, "increment_id": "000000007"}

A push is a hint: one that fails is not repeated, since the sync polls as well.
Failures are counted, so that the command line can show that nobody listens.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

_TIMEOUT_SECONDS = 5.0
# A receiver that is down must not keep every order of a load in memory.
_MOST_WAITING = 10_000


class Push:
    """Sends one request per order, in the order they were placed."""

    def __init__(self, url: str, secret: str, *, seconds: Callable[[], int]) -> None:
        """Prepare; `seconds` is the shop's clock, seconds since 1970."""
        self._url = url
        self._secret = secret.encode()
        self._seconds = seconds
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=_MOST_WAITING)
        self._sender: asyncio.Task[None] | None = None
        self.sent = 0
        self.failed = 0

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._sender = asyncio.create_task(self._send_all())
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop; what waits is dropped."""
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender

    def placed(self, order: Mapping[str, Any]) -> None:
        """Take an order to tell of."""
        body = {
            "type": "order.placed",
            "entity_id": order["entity_id"],
            "increment_id": order["increment_id"],
        }
        try:
            self._waiting.put_nowait(json.dumps(body).encode())
        except asyncio.QueueFull:
            self.failed += 1

    async def _send_all(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self._send(session, await self._waiting.get())

    async def _send(self, session: aiohttp.ClientSession, body: bytes) -> None:
        try:
            async with session.post(self._url, data=body, headers=self._headers(body)) as answer:
                accepted = answer.ok
        except (aiohttp.ClientError, TimeoutError):
            accepted = False
        self.sent += accepted
        self.failed += not accepted

    def _headers(self, body: bytes) -> dict[str, str]:
        stamp, event = str(self._seconds()), str(uuid.uuid4())
        signed = b".".join((stamp.encode(), event.encode(), body))
        digest = hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Timestamp": stamp,
            "X-Event-Id": event,
            "X-Signature": f"sha256={digest}",
        }
