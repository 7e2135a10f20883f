"""Check Redis: does it answer, how fast, which version is it, and does it keep what is written."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

from redis.asyncio import Redis

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.redis_address import RedisKind, parse_redis_address
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.vitals import milliseconds
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.opening import redis_client
from pricing_proxy.shared_state.redis_watch import redis_state

# Connecting and four commands, each with a time-out of its own; and one for each kind of keys.
_STEPS = 5
_KINDS_OF_ERRORS = re.compile(r"[A-Z][A-Za-z]+Error\b")


async def check_redis(
    redis: RedisSection, *, embedded: str, clock: Clock, keys: Sequence[str] = ()
) -> Finding:
    """Return the row of Redis.

    Args:
        redis: Where it is.
        embedded: What an embedded one does not give.
        clock: Time.
        keys: How the names of keys begin that it must allow, beside those of gates.
    """
    if redis.is_embedded:
        return ok(f"embedded: {embedded}")
    try:
        async with (
            asyncio.timeout((_STEPS + len(keys)) * redis.timeout_ms / 1000),
            redis_client(redis) as client,
        ):
            return await _ask(client, clock, keys)
    except REDIS_FAILURES as error:
        found = f"{_kinds(error)}, with a time-out of {redis.timeout_ms} ms"
        if parse_redis_address(redis.url).kind is RedisKind.SENTINEL:
            return failed(
                found,
                "Try redis-cli from this machine against each Sentinel and against the server they "
                "name; look at redis.url and the service's name in it, redis.sentinel_password, "
                "redis.password, TLS (rediss+sentinel://) and firewall",
            )
        return failed(
            found,
            "Try redis-cli against redis.url from this machine; look at redis.url, "
            "redis.password, TLS (rediss://) and firewall",
        )


def _kinds(error: BaseException) -> str:
    """Return the error's kind, and those of what Sentinels answered.

    Kinds only: messages of the client may quote what was sent.
    """
    kind = type(error).__name__
    behind = [each for each in dict.fromkeys(_KINDS_OF_ERRORS.findall(str(error))) if each != kind]
    return f"{kind} ({', '.join(behind)})" if behind else kind


async def _ask(client: Redis, clock: Clock, keys: Sequence[str]) -> Finding:
    # The first command also pays for connecting. No PING: one that cannot save to disk refuses it.
    await client.time()
    began_us = clock.monotonic_us()
    await client.time()
    took = timedelta(microseconds=clock.monotonic_us() - began_us)
    state = await redis_state(client, keys)
    answers = f"version {state.version}" if state.version else "answers"
    told = [f"{answers}, {milliseconds(took)}", *(trouble.told for trouble in state.troubles)]
    if any(trouble.is_bad for trouble in state.troubles):
        steps = [trouble.next_step for trouble in state.troubles]
        return failed("; ".join(told), ". ".join(steps))
    return ok("; ".join(told))
