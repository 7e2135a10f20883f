"""The `Cache-Status` header of an answer with prices (RFC 9211): where its lines came from."""

from collections.abc import Sequence

from pricing_proxy.prices.query import QuotedLine
from pricing_proxy.prices.recalling import RecalledLines

ALL_FROM_MEMORY = "pricing-proxy; hit; detail=l1"
_ALL_FROM_REDIS = "pricing-proxy; hit; detail=l2"


def cache_status(lines: Sequence[QuotedLine]) -> str:
    """Return the Cache-Status header (RFC 9211): where the lines came from."""
    if isinstance(lines, RecalledLines):
        levels = [lines.level] * len(lines)
    else:
        levels = [line.level for line in lines]
    count = len(levels)
    from_memory = levels.count("l1")
    if from_memory == count:
        return ALL_FROM_MEMORY
    from_redis = levels.count("l2")
    if from_redis == count:
        return _ALL_FROM_REDIS
    from_source = count - from_memory - from_redis
    found = (("l1", from_memory), ("l2", from_redis), ("source", from_source))
    detail = " ".join(f"{level}={number}" for level, number in found if number)
    if not from_source:
        return f'pricing-proxy; hit; detail="{detail}"'
    return f'pricing-proxy; fwd=miss; detail="{detail}"'
