"""A Redis that holds prices, whichever it is, and what a test does to it past the cache."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol, TypeVar, cast

from redis.asyncio import Redis

from pricing_proxy.cache.keys import PriceKeys, field
from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.clock import SystemClock
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.prices.ports import PriceMemory, PriceStore
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.breaker import BreakerView
from pricing_proxy.resilience.evidence import SlowRule
from pricing_proxy.shared_state.guard import REDIS_BREAKER, redis_guard
from tests.fakes.price_cache import FakePriceCache, FakeRedis

T = TypeVar("T")

DAY = timedelta(days=1)


class _AnyMarket(dict[str, str]):
    """Markets whose prices mean what they are called."""

    def __missing__(self, market: str) -> str:
        return f"erp|{market}"


KEYS = PriceKeys(_AnyMarket())
PATIENT_US = 5_000_000
# On a busy machine nothing is slow.
_BREAKER = replace(REDIS_BREAKER, slow=SlowRule(PATIENT_US, 0))
_CLOCK = SystemClock()


def key(number: int) -> Key:
    """Return the key of one of many items."""
    return Key(f"S-{number}", "PCS", "1")


def entry(digits: str, *, loaded_us: int = 7_000_000) -> Entry:
    """Return a price that is told from others by its digits."""
    return Entry(Kind.PRICE, f'{{"sku":"S","price":"{digits}"', loaded_us, 3, 300_000, 3_600_000)


class CountedGuard:
    """The guard of production; counts what was let through to it."""

    def __init__(self, timeout_us: int = PATIENT_US) -> None:
        self._guard = redis_guard(_CLOCK, timeout_us=timeout_us, settings=_BREAKER)
        self.calls = 0

    async def call(self, send: Callable[[], Awaitable[T]]) -> T:
        self.calls += 1
        return await self._guard.call(send)

    def view(self) -> BreakerView:
        return self._guard.view()


def store_on(
    redis: Redis, *, guard: CountedGuard | None = None, max_age: timedelta = DAY
) -> RedisStore:
    """Return the store of one process."""
    return RedisStore(
        redis,
        keys=KEYS,
        guard=guard or CountedGuard(),
        time=lambda: SharedTime(1_000, 1),
        now_us=_CLOCK.monotonic_us,
        max_age=max_age,
    )


class BothLevels(PriceMemory, PriceStore, Protocol):
    """What one process has."""


class _RealLevels(MemoryStore):
    def __init__(self, store: RedisStore) -> None:
        super().__init__(1_000_000)
        self.read, self.write = store.read, store.write


class SharedPrices(Protocol):
    """One Redis for the caches of several processes."""

    def cache(self) -> BothLevels:
        """Return the cache of another process."""
        ...

    async def put(self, context: Context, key: Key, value: bytes) -> None:
        """Let bytes stand where a price stands."""
        ...

    async def fail(self, context: Context) -> None:
        """Let every command for the context fail from now on."""
        ...


class PricesInFake:
    """Over the fake that the tests of prices use."""

    def __init__(self) -> None:
        self._redis = FakeRedis(latency_seconds=0.001)

    def cache(self) -> BothLevels:
        return FakePriceCache(self._redis)

    async def put(self, context: Context, key: Key, value: bytes) -> None:
        self._redis.values.setdefault(context, {})[key] = value

    async def fail(self, context: Context) -> None:
        del context
        self._redis.is_cut = True


class PricesInRedis:
    """Over a client of anything that speaks Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def cache(self) -> BothLevels:
        return _RealLevels(store_on(self._redis))

    async def put(self, context: Context, key: Key, value: bytes) -> None:
        put = self._redis.hset(KEYS.prices(context), field(key), cast("str", value))
        await cast("Awaitable[int]", put)

    async def fail(self, context: Context) -> None:
        await self._redis.set(KEYS.prices(context), "not a hash")
