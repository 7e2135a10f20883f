"""What a price costs in a real Redis, and whether a million of them slow a look-up down."""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis

from pricing_proxy.cache import codec
from pricing_proxy.cache.keys import PriceKeys, field
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.clock import SystemClock
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.shared_state.guard import redis_guard

_PER_CUSTOMER = 200
_FEW, _MANY = 10_000, 1_000_000
_PAGE = 24
_READS, _ROUNDS = 400, 7
_TIME = SharedTime(0, 1)
_PRICE: dict[str, Any] = {
    "unit": "PCS",
    "unit_price": "17.1000",
    "line_total": "171.00",
    "price": "19.00",
    "price_unit": "1",
    "discount_percent": "10",
    "charges": "0",
    "list_price": "19.90",
}
_BREAKS: dict[str, Any] = {
    "breaks": [
        {"from_quantity": "1", "unit_price": "19.0000"},
        {"from_quantity": "10", "unit_price": "17.1000"},
    ],
    "valid_until": "2026-12-31",
}
_READ = {"source": "agreements", "loaded_at": "2026-11-23T07:30:11Z"}
_NAMES = PriceKeys({"b2b_de": "https://erp.example.com|demf|b2b_de"})
_KEYS = [Key(f"LAMP-{number:03}", "PCS", "10") for number in range(_PER_CUSTOMER)]


def bytes_per_price(port: int, *, with_breaks: bool) -> float:
    """Return what Redis counts for a price of the documented example's shape."""
    return asyncio.run(_bytes_per_price(port, _BREAKS if with_breaks else {}))


def lookup_slowdown(port: int) -> float:
    """Return the time of a look-up among a million prices by that among ten thousand."""
    return asyncio.run(_lookup_slowdown(port))


async def _bytes_per_price(port: int, more: dict[str, Any]) -> float:
    async with Redis(port=port, db=3) as redis:
        await _fill(redis, 1, _values(more))
        used = await cast("Awaitable[int]", redis.memory_usage(_name(0), samples=0))
        await redis.flushdb()
    return used / _PER_CUSTOMER


async def _lookup_slowdown(port: int) -> float:
    async with Redis(port=port, db=1) as few, Redis(port=port, db=2) as many:
        for redis, count in ((few, _FEW), (many, _MANY)):
            await _fill(redis, count // _PER_CUSTOMER, _values({}))
        ratios = []
        for _ in range(_ROUNDS):
            seconds = [
                await _lookup_seconds(redis, count // _PER_CUSTOMER)
                for redis, count in ((few, _FEW), (many, _MANY))
            ]
            ratios.append(seconds[1] / seconds[0])
        for redis in (few, many):
            await redis.flushdb()
    return statistics.median(ratios)


async def _lookup_seconds(redis: Redis, customers: int) -> float:
    """Return the median time to read a page of a customer that was not read lately."""
    clock = SystemClock()
    guard = redis_guard(clock, timeout_us=1_000_000, chance=lambda: 0.5)
    store = RedisStore(
        redis,
        keys=_NAMES,
        guard=guard,
        time=lambda: _TIME,
        now_us=lambda: 0,
        max_age=timedelta(days=1),
    )
    spent = []
    for number in range(_READS):
        context = _context(number * 7919 % customers)
        began = time.perf_counter()
        found = await store.read(context, _KEYS[:_PAGE])
        spent.append(time.perf_counter() - began)
        assert len(found) == _PAGE
    return statistics.median(spent)


async def _fill(redis: Redis, customers: int, values: dict[str, bytes]) -> None:
    for start in range(0, customers, 50):
        async with redis.pipeline(transaction=False) as pipe:
            for number in range(start, min(start + 50, customers)):
                pipe.hset(_name(number), mapping=cast("dict[str | bytes, Any]", values))
            await pipe.execute()


def _values(more: dict[str, Any]) -> dict[str, bytes]:
    return {field(key): _value(key, more) for key in _KEYS}


def _value(key: Key, more: dict[str, Any]) -> bytes:
    entry = Entry(
        Kind.PRICE, fragment_of(key.sku, more), 10**15, 10**15, 300_000_000, 3_600_000_000
    )
    return codec.encode(entry, time=_TIME)


def fragment_of(sku: str, more: Mapping[str, Any] | None = None) -> str:
    """Return what is kept of a price of the documented example's shape."""
    members = {"sku": sku, **_PRICE, **(more or {}), **_READ}
    return json.dumps(members, separators=(",", ":"))[:-1]


def _context(number: int) -> Context:
    return Context("b2b_de", f"C-{number}", "EUR")


def _name(number: int) -> str:
    return _NAMES.prices(_context(number))


def lines(port: int) -> Sequence[tuple[str, float, float]]:
    """Return name, value and goal of each of the table's lines about Redis."""
    return (
        ("Redis bytes per price", bytes_per_price(port, with_breaks=True), 350),
        ("Redis bytes per price without breaks", bytes_per_price(port, with_breaks=False), 250),
        ("Redis look-up, 1,000,000 prices / 10,000", lookup_slowdown(port), 1.25),
    )
