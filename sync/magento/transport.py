"""Speak HTTP to Magento: sign, send once, and say how it ended.

Every call passes through `ShopTransport.send`. It signs each attempt afresh with a nonce of
its own and by the shop's clock, keeps the caller's deadline, runs the caller's guard last before
the wire, and ends in a parsed JSON body or an `UpstreamError`. It keeps no cookies, follows no
redirect, never sleeps and never tries twice; retries, breaker and limits belong to
`resilience.policy`. What a status means stands in `answers`.
"""

import secrets
from datetime import timedelta
from typing import Any

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import (
    MAX_BODY_BYTES,
    Guard,
    HttpExchange,
    Request,
    origin_of,
    telling_place,
)
from pricing_proxy.resilience.deadline import Deadline
from sync.magento.answers import error_of, read_json
from sync.magento.auth import Credentials, authorization
from sync.magento.shop_clock import ShopClock

_EXAMPLE = "https://shop.example.com"
# The server stores 32 characters of a nonce.
_NONCE_BYTES = 16


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
        max_body_bytes: int = MAX_BODY_BYTES,
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
        self.shop_clock = ShopClock(clock)
        self._exchanges = HttpExchange(
            session,
            base_url=self.base_url,
            body_type="application/json",
            clock=clock,
            system=system,
            max_body_bytes=max_body_bytes,
        )

    async def send(
        self, request: Request, *, deadline: Deadline, guard: Guard | None = None
    ) -> Any:
        """Return the JSON body of the answer to a request that succeeded.

        Raises:
            UpstreamTimeoutError: The deadline passed.
            UpstreamError: As the table in `answers` says.
        """
        headers = self._headers(request)
        sent_us = self._clock.monotonic_us()
        with telling_place(request, self.system):
            reply = await self._exchanges.send(request, headers, deadline=deadline, guard=guard)
            took = timedelta(microseconds=self._clock.monotonic_us() - sent_us)
            self.shop_clock.hear(reply, took=took)
            error = error_of(reply, now=self._clock.utc())
            if error is not None:
                raise error
            return await reply.json(read_json)

    def _headers(self, request: Request) -> dict[str, str]:
        return {
            "Authorization": authorization(
                self._credentials,
                method=request.method,
                url=self._signed_url + request.target,
                nonce=secrets.token_hex(_NONCE_BYTES),
                timestamp=self.shop_clock.seconds,
            ),
            # Anything else may be answered with XML, or with 500 and a page.
            "Accept": "application/json",
        }
