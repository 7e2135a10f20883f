"""Ask the storefront for one page, as somebody who buys would, and say what it took.

Unsigned, over a connection of its own: what the sync does with the shop's API does not make it
wait. A page that does not come, or is none, took as long as is waited for one.
"""

import asyncio
from http import HTTPStatus

import aiohttp

from pricing_proxy.clock import Clock

# Who buys has left by then.
LONGEST_MS = 10_000.0
_MS_PER_SECOND = 1000
_US_PER_MS = 1000


class StorefrontPage:
    """One shop's storefront.

    Args:
        session: Of connections that serve nothing else.
        base_url: The shop's root, without a path.
        path: Of the page.
        clock: Time.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, path: str, clock: Clock
    ) -> None:
        self._session = session
        self._url = base_url + path
        self._clock = clock

    async def page_ms(self) -> float:
        """Return the milliseconds until the whole page was there."""
        began_us = self._clock.monotonic_us()
        try:
            async with asyncio.timeout(LONGEST_MS / _MS_PER_SECOND):
                is_page = await self._is_page()
        except (TimeoutError, aiohttp.ClientError, OSError):
            is_page = False
        took_ms = (self._clock.monotonic_us() - began_us) / _US_PER_MS
        return min(took_ms, LONGEST_MS) if is_page else LONGEST_MS

    async def _is_page(self) -> bool:
        async with self._session.get(self._url, allow_redirects=True) as answer:
            await answer.read()
            return answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
