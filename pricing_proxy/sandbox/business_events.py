"""Send F&O's business events: hints that something changed, as its batch threads do.

    POST {url}  {"BusinessEventId": "XYZOnHandChangedBusinessEvent", "ControlNumber": 5637166326,
                 "EventId": "…", "EventTime": "/Date(1741680000000)/", "MajorVersion": 0,
                 "MinorVersion": 0, "LegalEntity": "demf", "ItemNumber": "LAMP-01"}

An event is tried once more up to three times, a second apart, then lost; the dial `event_loss`
loses some at once. Which there are is said in `erp_events`. Their secret stands in the address.
"""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import aiohttp

from pricing_proxy.background import Background
from pricing_proxy.sandbox.dials import Dials

_RETRIES = 3
_PAUSE_SECONDS = 1.0
_TIMEOUT_SECONDS = 5.0
_MOST_WAITING = 10_000
_FIRST_CONTROL_NUMBER = 5_637_166_326
_FIRST_FAILURE = 400


class BusinessEvents(Background):
    """Sends one request per event, in the order in which they happened."""

    def __init__(
        self, url: str, company: str, dials: Dials, *, milliseconds: Callable[[], int], seed: str
    ) -> None:
        """Prepare.

        Args:
            url: Of the endpoint.
            company: Where everything happens.
            dials: How many events are lost.
            milliseconds: F&O's clock, since 1970.
            seed: Makes losses repeat from run to run.
        """
        self._url = url
        self._company = company
        self._dials = dials
        self._milliseconds = milliseconds
        self._random = Random(seed)  # noqa: S311 - losses must repeat, not surprise
        self._control_number = _FIRST_CONTROL_NUMBER
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=_MOST_WAITING)

    def happened(self, name: str, members: Mapping[str, Any]) -> None:
        """Take an event to send."""
        # Numbers grow, with gaps.
        self._control_number += self._random.randint(1, 5)
        if self._random.random() < self._dials.event_loss:
            return
        body: dict[str, Any] = {
            "BusinessEventId": name,
            "ControlNumber": self._control_number,
            "EventId": str(uuid.uuid4()).upper(),
            "EventTime": f"/Date({self._milliseconds()})/",
            "MajorVersion": 0,
            "MinorVersion": 0,
            "LegalEntity": self._company,
            **members,
        }
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(json.dumps(body).encode())

    async def _for_ever(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self._deliver(session, await self._waiting.get())

    async def _deliver(self, session: aiohttp.ClientSession, body: bytes) -> None:
        for pause in (0.0, *(_PAUSE_SECONDS for _ in range(_RETRIES))):
            await asyncio.sleep(pause)
            if await self._was_taken(session, body):
                return

    async def _was_taken(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(self._url, data=body, headers=headers) as answer:
                return answer.status < _FIRST_FAILURE
        except (aiohttp.ClientError, TimeoutError):
            return False
