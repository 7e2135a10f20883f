"""Tell the sync's intake of each new order, signed, as the shop's module will.

    POST {url}  X-Timestamp: 1795417018   X-Event-Id: <uuid>
    X-Signature: sha256=<hex HMAC-SHA256 of "timestamp.id.body">
    {"type": "order.placed", "entity_id": "7", "increment_id": "000000007"}

A push is a hint: one that fails is not repeated, since the sync polls as well.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from pricing_proxy.background import Background

_TIMEOUT_SECONDS = 5.0
# A receiver that is down must not keep every order of a load in memory.
_MOST_WAITING = 10_000


class Push(Background):
    """Sends one request per order, in the order they were placed."""

    def __init__(self, url: str, secret: str, *, seconds: Callable[[], int]) -> None:
        """Prepare; `seconds` is the shop's clock, seconds since 1970."""
        self._url = url
        self._secret = secret.encode()
        self._seconds = seconds
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=_MOST_WAITING)

    def placed(self, order: Mapping[str, Any]) -> None:
        """Take an order to tell of."""
        body = {
            "type": "order.placed",
            # As a text, as it is answered to whoever places an order.
            "entity_id": str(order["entity_id"]),
            "increment_id": order.get("increment_id"),
        }
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(json.dumps(body).encode())

    async def _for_ever(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self._send(session, await self._waiting.get())

    async def _send(self, session: aiohttp.ClientSession, body: bytes) -> None:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(self._url, data=body, headers=self._headers(body)):
                pass

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
