"""An ERP that plays given answers in turn, and the document calls that ask it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp import web

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.documents import DocumentCalls
from tests.d365.loopback import DirectPolicy, Erp, Play, transport_to


def answers(*replies: web.Response) -> Play:
    """Play these answers in turn; a request more fails the test."""
    waiting = list(replies)

    async def play(_: web.Request) -> web.Response:
        return waiting.pop(0)

    return play


def reply(body: Any = b"", status: int = 200) -> web.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return web.Response(body=content, status=status, content_type="application/json")


@asynccontextmanager
async def calls_of(
    play: Play,
    policy: DirectPolicy | None = None,
    *,
    request_time: timedelta = timedelta(seconds=5),
) -> AsyncIterator[tuple[DocumentCalls, Erp]]:
    """Return document calls to an ERP that plays `play`."""
    async with transport_to(play) as (transport, erp):
        calls = DocumentCalls(
            transport,
            policy=policy or DirectPolicy(),
            clock=SystemClock(),
            request_time=request_time,
        )
        yield calls, erp


def sent(erp: Erp, index: int = 0) -> Any:
    return json.loads(erp.bodies[index])
