"""Event ids of webhooks, kept a day in Redis, so that a recorded request cannot be repeated.

Written and read by the sync's intake. While Redis is away every id counts as new: a hint
that is taken twice costs one look-up and changes nothing.
"""

import logging
from datetime import timedelta

from redis.asyncio import Redis

from pricing_proxy.configuration.addresses import in_one_spelling
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.guard import RedisGuard

_log = logging.getLogger(__name__)

# Longer than a signature is valid, whatever the shop's clock says.
_KEEP = timedelta(hours=24)


class SeenEvents:
    """Remembers event ids.

    Args:
        shop_url: Whose ids they are.
        redis: A client that neither retries nor waits long.
        guard: Redis' breaker.
    """

    def __init__(self, shop_url: str, redis: Redis, guard: RedisGuard) -> None:
        self._shop = in_one_spelling(shop_url)
        self._redis = redis
        self._guard = guard

    async def is_new(self, event_id: str) -> bool:
        """Note the id; return whether it was not noted within the last day."""
        name = f"seen:{self._shop}|{event_id}"
        try:
            is_set = await self._guard.call(lambda: self._redis.set(name, b"1", nx=True, ex=_KEEP))
        except UpstreamError as error:
            _log.warning("event ids cannot be kept (%s)", type(error).__name__)
            return True
        return bool(is_set)
