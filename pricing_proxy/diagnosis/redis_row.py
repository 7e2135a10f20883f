"""Check Redis: does it answer, how fast, and which version is it."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.vitals import milliseconds
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.opening import redis_client

# Connecting and three commands, each with a time-out of its own.
_STEPS = 4


async def check_redis(redis: RedisSection, *, embedded: str, clock: Clock) -> Finding:
    """Return the row of Redis; `embedded` says what an embedded one does not give."""
    if redis.is_embedded:
        return ok(f"embedded: {embedded}")
    try:
        async with (
            asyncio.timeout(_STEPS * redis.timeout_ms / 1000),
            redis_client(redis) as client,
        ):
            return await _ask(client, clock)
    except REDIS_FAILURES as error:
        # The type only: messages of the client may quote what was sent.
        return failed(
            f"{type(error).__name__}, with a time-out of {redis.timeout_ms} ms",
            "Try redis-cli against redis.url from this machine; look at redis.url, "
            "redis.password, TLS (rediss://) and firewall",
        )


async def _ask(client: Redis, clock: Clock) -> Finding:
    # The first command also pays for connecting. redis-py's types serve its blocking client
    # too; this one always returns an awaitable.
    await cast("Awaitable[bool]", client.ping())
    began_us = clock.monotonic_us()
    await cast("Awaitable[bool]", client.ping())
    took = timedelta(microseconds=clock.monotonic_us() - began_us)
    return ok(f"{await _version(client)}, {milliseconds(took)}")


async def _version(client: Redis) -> str:
    try:
        info = await cast("Awaitable[dict[str, Any]]", client.info("server"))
    except ResponseError:
        return "answers"  # managed ones may not tell
    return f"version {info.get('redis_version', 'unknown')}"
