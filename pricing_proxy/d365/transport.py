"""Speak HTTP to Dynamics 365: one session, one token, one place that fails.

Every ERP call passes through `Transport.send`. It adds the bearer token and a
request id that the ERP logs too, keeps the caller's deadline, and ends in one of two
ways: a body, or an `UpstreamError`. A 401 is answered once with a new token,
since the call was refused before anything happened. Otherwise it never sleeps and
never tries twice; retries, the circuit breaker and the rate limit belong to
`resilience.policy`, one level up. What a status means stands in `answers`.
"""

import asyncio
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp

from pricing_proxy.clock import Clock
from pricing_proxy.d365.answers import error_of
from pricing_proxy.d365.auth import TOKEN_SYSTEM
from pricing_proxy.d365.json_numbers import read_json
from pricing_proxy.http_exchange import (
    MAX_BODY_BYTES,
    Guard,
    HttpExchange,
    Request,
    origin_of,
    seconds_left,
    telling_place,
)
from pricing_proxy.http_replies import Reply
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamTimeoutError

JSON = "application/json; charset=utf-8"


class Tokens(Protocol):
    """Where the bearer token comes from."""

    async def token(self) -> str:
        """Return a token that is alive; raises `UpstreamError`."""
        ...

    def invalidate(self, token: str) -> None:
        """Take note that the ERP refused `token`."""
        ...


class Transport:
    """Sends requests to one ERP environment as one Entra application."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        tokens: Tokens,
        clock: Clock,
        system: str,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """Take a session that stays the caller's to close, and serves ERP calls only.

        Args:
            session: Given connections, certificates and pool; its own time-outs are not used.
            base_url: The environment's root, without a path.
            tokens: Gives the bearer token.
            clock: Reads deadlines, and dates in `Retry-After`.
            system: This environment's name in errors.
            max_body_bytes: A longer answer, decompressed, is an `UpstreamContractError`.
        """
        self.base_url = origin_of(base_url, example="https://erp.example.com")
        self.system = system
        self._tokens = tokens
        self._clock = clock
        self._exchanges = HttpExchange(
            session,
            base_url=self.base_url,
            body_type=JSON,
            clock=clock,
            system=system,
            max_body_bytes=max_body_bytes,
        )

    async def send(
        self,
        request: Request,
        *,
        deadline: Deadline,
        guard: Guard | None = None,
        read: Callable[[bytes], Any] = read_json,
    ) -> Any:
        """Return the body of the answer to a request that succeeded.

        It is the parsed JSON with numbers as `NumberText`; None where a write has nothing to
        return.

        Args:
            request: What to send.
            deadline: The last useful instant.
            guard: Asked before each sending, the second after a 401 too, when all that could
                take time is done: a writer that has lost its right to write is stopped here.
            read: Reads the body; raises `ValueError` for what is not JSON.

        Raises:
            UpstreamTimeoutError: The deadline passed.
            UpstreamError: As the table in `answers` says.
        """
        with telling_place(request, self.system):
            reply = await self._reply(request, deadline, guard)
            # Writes may answer 204, and some deployments 200, without a body.
            is_empty = not reply.body and request.method != "GET"
            return None if is_empty else await reply.json(read)

    async def _reply(self, request: Request, deadline: Deadline, guard: Guard | None) -> Reply:
        """Return the answer to a request that succeeded; raises `UpstreamError`."""
        token = await self._token(deadline)
        reply = await self._exchange(request, token, deadline, guard)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.invalidate(token)
            renewed = await self._token(deadline)
            if renewed != token:
                reply = await self._exchange(request, renewed, deadline, guard)
        error = error_of(reply, now=self._clock.utc())
        if error is not None:
            raise error
        return reply

    async def _token(self, deadline: Deadline) -> str:
        try:
            async with asyncio.timeout(seconds_left(self._clock, deadline, TOKEN_SYSTEM)):
                return await self._tokens.token()
        except TimeoutError as exc:
            raise UpstreamTimeoutError("no token in time", system=TOKEN_SYSTEM) from exc

    async def _exchange(
        self, request: Request, token: str, deadline: Deadline, guard: Guard | None
    ) -> Reply:
        request_id = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "x-ms-client-request-id": request_id,
        }
        return await self._exchanges.send(
            request, headers, deadline=deadline, guard=guard, note=f" (request {request_id})"
        )
