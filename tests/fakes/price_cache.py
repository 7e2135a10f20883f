"""Both cache levels on virtual time: the real memory, and a Redis with faults on dials."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from pricing_proxy.cache import codec
from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.domain.entry import Entry
from pricing_proxy.prices.ports import CacheFailedError, Entries
from pricing_proxy.prices.query import Context, Key
from tests.fakes.ledger import FakeLedger

MEGABYTE = 1024 * 1024


@dataclass(kw_only=True)
class FakeRedis:
    """Values of all contexts as the real codec writes them; shared by several caches.

    Attributes:
        is_cut: Reads and writes fail, after `latency_seconds`.
        takes_no_writes: Only writes fail, as on a full Redis.
        latency_seconds: How long an answer takes; 0 answers within the loop's turn.
        clock_offset_us: Redis' clock minus the monotonic one; lower it to step back.
        values: What is stored.
        reads: How many reads arrived.
        seen: Lines that customers' pages had to load, newest first.
        claims: Until when who warms what is settled (monotonic).
        ledger: The ledger that stands there; processes attach themselves.
    """

    is_cut: bool = False
    takes_no_writes: bool = False
    latency_seconds: float = 0.0
    clock_offset_us: int = 0
    values: dict[Context, dict[Key, bytes]] = field(default_factory=dict)
    reads: int = 0
    seen: dict[Context, list[Key]] = field(default_factory=dict)
    claims: dict[object, int] = field(default_factory=dict)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def flush(self) -> None:
        """Lose everything."""
        self.values.clear()

    def stored(self, context: Context, key: Key) -> Entry | None:
        """Return what stands there now, past all faults."""
        value = self.values.get(context, {}).get(key)
        if value is None:
            return None
        return codec.decode(value, time=self.time(), now_us=0)

    def time(self) -> SharedTime:
        """Return its clock as every process knows it."""
        return SharedTime(self.clock_offset_us, 1)


class FakePriceCache(MemoryStore):
    """The `prices.ports.PriceMemory` of one process, and its `PriceStore` over a `FakeRedis`."""

    def __init__(self, redis: FakeRedis, *, max_bytes: int = MEGABYTE) -> None:
        super().__init__(max_bytes)
        self.redis = redis

    def forget(self) -> None:
        """Lose what this process remembers."""
        super().__init__(MEGABYTE)

    async def read(self, context: Context, keys: Sequence[Key]) -> Entries:
        self.redis.reads += 1
        await self._travel()
        if self.redis.is_cut:
            raise CacheFailedError("cut")
        found = {key: self.redis.stored(context, key) for key in keys}
        return {key: entry for key, entry in found.items() if entry is not None}

    async def write(self, context: Context, entries: Entries) -> None:
        await self._travel()
        if self.redis.is_cut or self.redis.takes_no_writes:
            raise CacheFailedError("cut")
        time = self.redis.time()
        values = self.redis.values.setdefault(context, {})
        for key, entry in entries.items():
            values[key] = codec.encode(entry, time=time)

    async def _travel(self) -> None:
        if self.redis.latency_seconds:
            await asyncio.sleep(self.redis.latency_seconds)
