"""Servers for what both programs keep in Redis."""

from tests.redis_contract import redis, redis_cluster, redis_url, unique
from tests.redis_servers import redis_sentinel

__all__ = ["redis", "redis_cluster", "redis_sentinel", "redis_url", "unique"]
