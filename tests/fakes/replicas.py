"""Several replicas of the real price path over one virtual Redis and one ERP, and a judge.

Real are the service, both cache levels with their codec, the ledger's reader and writer,
Redis' heartbeat, and the breakers around Redis and the ERP. Every price tells by its digits
whose it is and which version of the ERP's price book it was read from.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from pricing_proxy.cache.heartbeat import RedisHeartbeat
from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import Level, Mode
from pricing_proxy.domain.lifetime import Lifetimes
from pricing_proxy.domain.price import NoPrice, Price
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
    LedgerEntry,
    LedgerWriter,
    Scope,
    ScopeKind,
    decode,
    key,
    positions_within,
)
from pricing_proxy.shared_state.ledger_reader import LedgerReader
from pricing_proxy.shared_state.maps import SharedStateError
from tests.fakes.erp import FakeErp
from tests.fakes.price_cache import FakeRedis
from tests.fakes.price_world import MARKET, price_service
from tests.fakes.virtual_redis import Appended, VirtualRedis
from tests.fakes.warm_marks import FakeWarmMarks
from tests.virtual_time import LoopClock

SECOND = 1_000_000
LEASE = 5 * SECOND
ACCOUNTS = ("C-11", "C-22")
SKUS = ("S-1", "S-2", "S-3")
# Short lives, so that a schedule of a minute meets every row of the table.
LIFETIMES = Lifetimes(soft_us=20 * SECOND, hard_us=60 * SECOND, max_us=200 * SECOND)
KEEP = timedelta(microseconds=LIFETIMES.max_us)
# What ages of prices from Redis may be wrong by: half of its slowest round trip.
SKEW = 2 * SECOND
_RECENT = 2 * SECOND
ALL = Scope(ScopeKind.ALL)
_UNIT_PRICE = re.compile(r'"unit_price":"(\d+)\.(\d{4})"')


class GuardedErp:
    """A `prices.ports.PriceSource` behind a process' own breaker."""

    max_lines = 100
    is_binding = True
    absence_is_no_price = False
    name = "fo_service"

    def __init__(self, erp: FakeErp, clock: LoopClock) -> None:
        self._erp = erp
        self.breaker = Breaker(system="fo", name="fo", clock=clock, chance=lambda: 0.5)

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice]:
        permit_for = BreakerGuard(
            system="fo", breaker=self.breaker, clock=self._erp.clock, timeout_us=60 * SECOND
        )
        return await permit_for.call(
            lambda: self._erp.load(customer, context, wanted, ticket=ticket, deadline=deadline)
        )


@dataclass(kw_only=True)
class Replica:
    """One process."""

    name: str
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


async def start_replica(name: str, redis: VirtualRedis, erp: FakeErp) -> Replica:
    """Start a process with nothing in its memory."""
    clock = LoopClock(asyncio.get_running_loop())
    stack = AsyncExitStack()
    client = redis.client(name)
    heartbeat = RedisHeartbeat(client, clock=clock)
    guard = redis_guard(clock, timeout_us=3 * SECOND, chance=lambda: 0.5)
    store = RedisStore(client, guard=guard, offset_us=lambda: heartbeat.offset_us, max_age=KEEP)
    memory = MemoryStore(1024 * 1024)
    invalidations = Invalidations(
        keep_positions=positions_within(KEEP),
        keep_us=LIFETIMES.max_us,
        now_us=clock.monotonic_us,
    )
    reader = LedgerReader(
        redis.client(f"{name}'s reader"),
        MARKET,
        take=partial(invalidations.take, MARKET),
        keep=KEEP,
        lease_us=LEASE,
        offset_us=lambda: heartbeat.offset_us,
        clock=clock,
    )
    await stack.enter_async_context(heartbeat)
    await stack.enter_async_context(guarded(client, guard))
    await stack.enter_async_context(reader)
    base = price_service(skus=SKUS, accounts=ACCOUNTS, erp=erp, lifetimes=LIFETIMES)
    markets = {MARKET: replace(base.market, source=GuardedErp(erp, clock))}
    basis = Basis(
        markets=markets,
        modes=mode_policies(),
        memory=memory,
        store=store,
        invalidations=invalidations,
        is_verified=lambda _: reader.is_verified(),
        clock=clock,
        draw=lambda: 0.0,
    )
    loader = Loader(basis)
    marks = FakeWarmMarks(FakeRedis(), clock=clock)
    warmer = Warmer(basis, loader=loader, marks=marks, is_well=lambda _: True)
    return Replica(
        name=name,
        service=PriceService(basis, loader=loader, warmer=warmer),
        loader=loader,
        reader=reader,
        writer=LedgerWriter(client, keep={MARKET: KEEP}),
        invalidations=invalidations,
        memory=memory,
        stack=stack,
    )


@dataclass(frozen=True)
class Applied:
    """An invalidation that Redis applied, and the ERP's version then."""

    entry: LedgerEntry
    at_us: int
    version: int


@dataclass
class Judge:
    """Knows what the ERP and Redis did, and what that forbids an answer to hold.

    Attributes:
        version: Of the ERP's price book.
        applied: What Redis applied and did not lose.
        answers: How many lines were judged, verified ones apart.
    """

    version: int = 1
    changed_us: list[int] = field(default_factory=lambda: [0])
    applied: list[Applied] = field(default_factory=list)
    judged: int = 0
    judged_verified: int = 0

    def note(self, appended: Appended) -> None:
        fields = {name.encode(): value.encode() for name, value in appended.fields.items()}
        entry = decode(appended.id.encode(), fields)
        self.applied.append(Applied(entry, appended.at_us, self.version))

    def forget(self, positions: set[int]) -> None:
        """Ask no more of what Redis lost: that is the promise's exception."""
        self.applied = [each for each in self.applied if each.entry.position not in positions]

    def judge(
        self,
        quote: Quote,
        *,
        account: str,
        mode: Mode,
        arrived_us: int,
        decided_us: int,
        is_verified: bool,
    ) -> None:
        for line in quote.lines:
            if line.entry is None:
                assert not line.is_served
                continue
            version = _version_of(line.entry, account=account, sku=line.line.sku)
            self.judged += 1
            must_know_us = decided_us - LEASE
            if line.is_served and line.is_verified:
                self.judged_verified += 1
                self._judge_verified(line.line.sku, account, version, must_know_us)
            if is_verified:
                self._judge_hard(line.line.sku, account, version, must_know_us)
            if mode is Mode.CHECKOUT and line.is_served:
                assert line.is_verified, "a flagged price binds"
                assert line.entry.loaded_us >= arrived_us - _RECENT - SKEW, "an old price binds"
                in_force = sum(at <= arrived_us - _RECENT - SKEW for at in self.changed_us)
                assert version >= in_force, "an old price binds by its digits"

    def _judge_verified(self, sku: str, account: str, version: int, must_know_us: int) -> None:
        for each in self.applied:
            if each.at_us <= must_know_us and _touches(each.entry.scope, account, sku):
                late_us = must_know_us - each.at_us
                assert version >= each.version, f"a verified price is old, by {late_us} us"

    def _judge_hard(self, sku: str, account: str, version: int, must_know_us: int) -> None:
        for each in self.applied:
            is_known = each.at_us <= must_know_us and _touches(each.entry.scope, account, sku)
            if is_known and each.entry.is_hard:
                assert version >= each.version, "a price is shown after a hard invalidation"


def _touches(scope: Scope, account: str, sku: str) -> bool:
    return {
        ScopeKind.ALL: True,
        ScopeKind.CUSTOMER: scope.code.upper() == account,
        ScopeKind.ITEM: scope.code.strip().upper() == sku,
        ScopeKind.PRICE_GROUP: scope.code == "G",
    }[scope.kind]


def _version_of(entry: Entry, *, account: str, sku: str) -> int:
    found = _UNIT_PRICE.search(entry.fragment)
    assert found is not None
    whose, which = found.groups()
    assert (whose[-2:], int(which)) == (account[2:], int(sku[2:])), "another's price"
    return int(whose[:-2])


class Replicas:
    """Two replicas, to ask and to disturb; everything happens on the running loop.

    replicas = await Replicas.start()
    quote = await replicas.ask(0, "S-1")
    """

    def __init__(self) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        self.redis = VirtualRedis(clock=self.clock)
        self.erp = FakeErp(clock=self.clock)
        self.judge = Judge()
        self.redis.tell = self.judge.note
        self.replicas: list[Replica] = []

    @classmethod
    async def start(cls) -> "Replicas":
        """Start two replicas on prices of version 1, and let them read the ledger."""
        self = cls()
        self._set_prices()
        for name in ("first", "second"):
            self.replicas.append(await start_replica(name, self.redis, self.erp))
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
        """Ask a replica, and judge what it answers."""
        replica, arrived_us = self.replicas[which], self.clock.monotonic_us()
        query = price_service(skus=SKUS, accounts=ACCOUNTS).query(
            *(skus or SKUS[:1]), account=account, mode=mode, wait_seconds=wait_seconds
        )
        quote = await replica.service.quote(query)
        decided_us = self.clock.monotonic_us()
        policy = mode_policies()[mode]
        longest_us = max(policy.answer_us, query.wait_us or 0)
        assert decided_us - arrived_us <= longest_us + 1000, "an answer took too long"
        for line in quote.lines:
            is_own = line.reason != REFUSED or self.erp.has_refused(account, line.line.sku)
            assert is_own, "another customer's refusal"
        self.judge.judge(
            quote,
            account=account,
            mode=mode,
            arrived_us=arrived_us,
            decided_us=decided_us,
            is_verified=replica.reader.is_verified(),
        )
        return quote

    def reprice(self) -> None:
        """Change every price in the ERP; announce nothing."""
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

    def announce(self, scope: Scope = ALL, level: Level = Level.SOFT) -> None:
        """Have Redis apply an invalidation at once, as if from somewhere else."""
        fields = {"scope": scope.kind.value, "code": scope.code, "level": level.value}
        self.redis.add(key(MARKET), fields)

    async def restart(self, which: int) -> None:
        """End a replica and start it anew, with an empty memory."""
        await self.replicas[which].stop()
        self.replicas[which] = await start_replica(self.replicas[which].name, self.redis, self.erp)

    def lose_entries(self, count: int) -> None:
        """Fail over to a Redis that lacks the last entries of the ledger."""
        stream = self.redis.streams.get(key(MARKET), {})
        lost = {(ms << 20) + sequence for ms, sequence in sorted(stream)[-count:]}
        self.judge.forget(lost)
        self.redis.roll_back(key(MARKET), count)

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

    def _set_prices(self) -> None:
        for account in ACCOUNTS:
            for sku in SKUS:
                text = f"{self.judge.version}{account[2:]}.{int(sku[2:]):04}"
                self.erp.set_price(account, sku, text)
