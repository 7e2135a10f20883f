"""Fixtures of the contract suites."""

from tests.redis_contract import redis, redis_cluster, redis_url, unique

__all__ = ["redis", "redis_cluster", "redis_url", "unique"]
