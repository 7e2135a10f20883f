"""Whose shop's customers have ids in Redis: one shop's alone, for each market of a company.

Two shops number their customers alike. With one market code on one company of one ERP they would
find each other's customers under equal ids, and their prices: the second shop needs a code of its
own. So the first one is noted, and whoever would read or write another's ids does not start.
"""

from collections.abc import Mapping

from redis.asyncio import Redis

from pricing_proxy.configuration.addresses import in_one_spelling
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.opening import redis_client


class OtherShopError(Exception):
    """The ids of a market in Redis are another shop's; says what to do."""


async def require_own_shop(redis: RedisSection, provenances: Mapping[str, str], shop: str) -> None:
    """Return when the ids of the markets are this shop's, or nobody can tell right now.

    Args:
        redis: Where they are.
        provenances: By market, what its data are read from.
        shop: The shop's root address.

    Raises:
        OtherShopError: Those of a market are another's.
    """
    if redis.is_embedded:
        return
    spelled = in_one_spelling(shop)
    try:
        async with redis_client(redis) as client:
            for market, provenance in provenances.items():
                owner = await owner_of(client, provenance, spelled)
                if owner != spelled:
                    raise OtherShopError(_told(market, owner, shop, provenance))
    except REDIS_FAILURES:
        return  # asked again before anything is written


async def owner_of(redis: Redis, provenance: str, shop: str) -> str:
    """Return the shop whose ids these are: this one, where they are nobody's yet.

    Both in one spelling.
    """
    name = _key(provenance)
    if await redis.set(name, shop, nx=True):
        return shop
    standing = await redis.get(name)
    return shop if standing is None else str(standing, "utf-8", "replace")


def _key(provenance: str) -> str:
    return f"shop:{{{provenance}}}"


def _told(market: str, owner: str, shop: str, provenance: str) -> str:
    return (
        f"market {market}: the customer ids in this Redis are those of {owner}, not of {shop}. "
        "Two shops on one company need market codes of their own, else each would show the "
        "other's prices. If the shop has moved from there, delete the key in Redis: "
        f"redis-cli DEL '{_key(provenance)}'"
    )
