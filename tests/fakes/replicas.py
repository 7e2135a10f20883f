"""Several replicas of the real price path over one virtual Redis and one ERP, and a judge.

Real are the service, both cache levels with their codec, the ledger's reader and writer,
Redis' heartbeat, and the breakers around Redis and the ERP. Each process has a clock of its
own, which stands still while its machine sleeps.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import cast

from pricing_proxy.cache.heartbeat import RedisHeartbeat
from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.domain.freshness import Level, Mode
from pricing_proxy.domain.lifetime import Lifetimes
from pricing_proxy.domain.price import NoPrice, Price, Unusable
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Key, Quote
from pricing_proxy.prices.refusals import REFUSED
from pricing_proxy.prices.service import PriceService
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.guard import guarded, redis_guard
from pricing_proxy.shared_state.ledger import (
    LedgerWriter,
    Scope,
    ScopeKind,
    positions_within,
)
from pricing_proxy.shared_state.ledger_reader import LedgerReader
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.sleep_watch import SleepWatch
from tests.fakes.erp import FakeErp
from tests.fakes.judge import LEASE, SECOND, Asked, Judge
from tests.fakes.places import Place, place_of
from tests.fakes.price_cache import FakeRedis
from tests.fakes.price_world import MARKET, price_service
from tests.fakes.virtual_redis import VirtualRedis
from tests.fakes.warm_marks import FakeWarmMarks
from tests.virtual_time import LoopClock, VirtualLoop

ACCOUNTS = ("C-11", "C-22")
SKUS = ("S-1", "S-2", "S-3")
# Short lives, so that a schedule of a minute meets every row of the table.
LIFETIMES = Lifetimes(soft_us=20 * SECOND, hard_us=60 * SECOND, max_us=200 * SECOND)
KEEP = timedelta(microseconds=LIFETIMES.max_us)
ALL = Scope(ScopeKind.ALL)


class GuardedErp:
    """A `prices.ports.PriceSource` behind a process' own breaker."""

    max_lines = 100
    is_binding = True
    absence_is_no_price = False
    name = "fo_service"

    def __init__(self, erp: FakeErp, clock: LoopClock) -> None:
        self._erp = erp
        self._clock = clock
        self.breaker = Breaker(system="fo", name="fo", clock=clock, chance=lambda: 0.5)

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice | Unusable]:
        permit_for = BreakerGuard(
            system="fo", breaker=self.breaker, clock=self._clock, timeout_us=60 * SECOND
        )
        left_us = deadline.remaining_us(self._clock.monotonic_us())
        theirs = Deadline.after(left_us, now_us=self._erp.clock.monotonic_us())
        return await permit_for.call(
            lambda: self._erp.load(customer, context, wanted, ticket=ticket, deadline=theirs)
        )


@dataclass(kw_only=True)
class Replica:
    """One process."""

    name: str
    place: Place
    clock: LoopClock
    service: PriceService
    loader: Loader
    reader: LedgerReader
    writer: LedgerWriter
    invalidations: Invalidations
    memory: MemoryStore
    stack: AsyncExitStack

    async def stop(self) -> None:
        """End as a process does."""
        await self.loader.flights.aclose()
        await self.stack.aclose()


async def start_replica(name: str, redis: VirtualRedis, place: Place) -> Replica:
    """Start a process with nothing in its memory."""
    clock = LoopClock(asyncio.get_running_loop())
    stack = AsyncExitStack()
    client = redis.client(name)
    memory = MemoryStore(1024 * 1024)

    def doubt_memory() -> None:
        memory.doubt_ages(clock.monotonic_us())

    def wake(slept_us: int) -> None:
        memory.doubt_ages(clock.monotonic_us(), slept_us=slept_us)
        heartbeat.doubt(slept_us=slept_us)

    watch = SleepWatch(clock, on_woken=wake)
    heartbeat = RedisHeartbeat(client, clock=clock, watch=watch, on_doubt=doubt_memory)
    guard = redis_guard(clock, timeout_us=3 * SECOND, chance=lambda: 0.5)
    store = RedisStore(
        client,
        keys=place.keys,
        guard=guard,
        time=heartbeat.time,
        now_us=clock.monotonic_us,
        max_age=KEEP,
    )
    invalidations = Invalidations(
        keep_positions=positions_within(KEEP),
        keep_us=LIFETIMES.max_us,
        now_us=clock.monotonic_us,
    )
    reader = LedgerReader(
        redis.client(f"{name}'s reader"),
        MARKET,
        provenance=place.provenance,
        take=partial(invalidations.take, MARKET),
        keep=KEEP,
        lease_us=LEASE,
        offset_us=lambda: heartbeat.time().offset_us,
        clock=clock,
        watch=watch,
    )
    await stack.enter_async_context(heartbeat)
    await stack.enter_async_context(guarded(client, guard))
    await stack.enter_async_context(reader)
    base = price_service(skus=SKUS, accounts=ACCOUNTS, erp=place.erp, lifetimes=LIFETIMES)
    markets = {MARKET: replace(base.market, source=GuardedErp(place.erp, clock))}
    basis = Basis(
        markets=markets,
        modes=mode_policies(),
        memory=memory,
        store=store,
        invalidations=invalidations,
        is_verified=lambda _: reader.is_verified(),
        clock=clock,
        watch=watch,
        draw=lambda: 0.0,
    )
    loader = Loader(basis)
    marks = FakeWarmMarks(FakeRedis(), clock=clock)
    warmer = Warmer(basis, loader=loader, marks=marks, is_well=lambda _: True)
    return Replica(
        name=name,
        place=place,
        clock=clock,
        service=PriceService(basis, loader=loader, warmer=warmer),
        loader=loader,
        reader=reader,
        writer=LedgerWriter(client, provenances={MARKET: place.provenance}, keep={MARKET: KEEP}),
        invalidations=invalidations,
        memory=memory,
        stack=stack,
    )


class Replicas:
    """Two replicas, to ask and to disturb; everything happens on the running loop.

    replicas = await Replicas.start()
    quote = await replicas.ask(0, "S-1")
    """

    def __init__(self) -> None:
        self.loop = cast("VirtualLoop", asyncio.get_running_loop())
        self.clock = LoopClock(self.loop)
        self.redis = VirtualRedis(clock=self.clock)
        self.places = [place_of(number, self.clock) for number in (0, 1)]
        self.judge = Judge(soft_us=LIFETIMES.soft_us)
        self.redis.tell = self.judge.note
        self.replicas: list[Replica] = []

    @property
    def erp(self) -> FakeErp:
        """The ERP where everybody starts."""
        return self.places[0].erp

    @classmethod
    async def start(cls) -> "Replicas":
        """Start two replicas on prices of version 1, and let them read the ledger."""
        self = cls()
        self._set_prices()
        for name in ("first", "second"):
            self.replicas.append(await start_replica(name, self.redis, self.places[0]))
        await asyncio.sleep(0.1)
        return self

    async def ask(
        self,
        which: int,
        *skus: str,
        account: str = ACCOUNTS[0],
        mode: Mode = Mode.BROWSE,
        wait_seconds: float | None = None,
    ) -> Quote:
        """Ask a replica, and judge what it answers; names may be spelled in any way."""
        replica = self.replicas[which]
        query = price_service(skus=SKUS, accounts=ACCOUNTS).query(
            *(skus or SKUS[:1]), account=account, mode=mode, wait_seconds=wait_seconds
        )
        own_us = replica.clock.monotonic_us()
        now_us = self.clock.monotonic_us()
        asked = Asked(replica.place, query.account, mode, now_us, own_us)
        quote = await replica.service.quote(query)
        policy = mode_policies()[mode]
        longest_us = max(policy.answer_us, query.wait_us or 0)
        took_us = replica.clock.monotonic_us() - own_us
        assert took_us <= longest_us + 1000, "an answer took too long"
        for line in quote.lines:
            sku = line.line.sku.strip().upper()
            is_own = line.reason != REFUSED or replica.place.erp.has_refused(query.account, sku)
            assert is_own, "another customer's refusal"
        self.judge.judge(
            quote,
            asked,
            decided_us=self.clock.monotonic_us(),
            is_verified=replica.reader.is_verified(),
        )
        return quote

    def reprice(self) -> None:
        """Change every price in every ERP; announce nothing."""
        self.judge.version += 1
        self.judge.changed_us.append(self.clock.monotonic_us())
        self._set_prices()

    async def invalidate(self, which: int, scope: Scope = ALL, level: Level = Level.SOFT) -> bool:
        """Announce a change through a replica; return whether Redis confirmed it."""
        replica = self.replicas[which]
        replica.invalidations.tell(MARKET, scope, level)
        try:
            await replica.writer.append(MARKET, scope, is_hard=level is Level.HARD, reason="a test")
        except SharedStateError:
            return False
        return True

    def announce(self, scope: Scope = ALL, level: Level = Level.SOFT, *, where: int = 0) -> None:
        """Have Redis apply an invalidation at once, as if from somewhere else."""
        fields = {"scope": scope.kind.value, "code": scope.code, "level": level.value}
        self.redis.add(self.places[where].ledger, fields)

    async def restart(self, which: int) -> None:
        """End a replica and start it anew, with an empty memory."""
        await self.move(which, self.replicas[which].place.number)

    async def move(self, which: int, where: int) -> None:
        """End a replica and start it anew, pointed at one of the ERPs."""
        replica, place = self.replicas[which], self.places[where]
        await replica.stop()
        self.replicas[which] = await start_replica(replica.name, self.redis, place)

    def lose_entries(self, count: int) -> None:
        """Fail over to a Redis that lacks the last entries of the ledger."""
        before = self._positions()
        for place in self.places:
            self.redis.roll_back(place.ledger, count)
        self.judge.forget(before - self._positions())

    def fail_over(self, skew_seconds: float) -> None:
        """Fail over to a Redis with another clock, and with what it had heard of."""
        before = self._positions()
        self.redis.fail_over(round(skew_seconds * SECOND))
        self.judge.forget(before - self._positions())

    def evict(self, name: str) -> None:
        """Have Redis lose one of its keys."""
        before = self._positions()
        self.redis.evict(name)
        self.judge.forget(before - self._positions())

    def sleep(self, seconds: float) -> None:
        """Suspend the machine of both processes: the world goes on, their clocks do not."""
        for replica in self.replicas:
            replica.clock.slept_seconds += seconds
        self.loop.skip(seconds)

    def flush(self) -> None:
        """Lose all that Redis holds."""
        self.judge.applied.clear()
        self.redis.flush()

    def cut(self, name: str, *, reader_only: bool = False) -> None:
        """Cut a replica off, or only its reading of the ledger."""
        self.redis.cut |= {f"{name}'s reader"} if reader_only else {name, f"{name}'s reader"}

    async def stop(self) -> None:
        """End everything; nothing may be left under way."""
        for replica in self.replicas:
            while tasks := set(replica.loader.flights._tasks):
                await asyncio.wait(tasks)
            assert not any(replica.loader.flights._boards.values()), "a flight leaked"
            await replica.stop()

    def _positions(self) -> set[tuple[str, int]]:
        return {
            (name, (milliseconds << 20) + sequence)
            for name, stream in self.redis.streams.items()
            for milliseconds, sequence in stream
        }

    def _set_prices(self) -> None:
        for account in ACCOUNTS:
            for sku in SKUS:
                for place in self.places:
                    text = f"{self.judge.version}{account[2:]}.{place.digits_of(sku)}"
                    place.erp.set_price(account, sku, text)
