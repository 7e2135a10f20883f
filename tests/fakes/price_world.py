"""The real price service between fakes, on the running loop's clock.

    world = price_service()
    quote = await world.ask("S-1", "S-2", mode=Mode.CART)

Two worlds over one `FakeRedis` are two processes.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pricing_proxy.domain.freshness import Level, Mode
from pricing_proxy.domain.lifetime import Lifetimes
from pricing_proxy.domain.price_limits import PriceLimits
from pricing_proxy.prices.ahead import RefreshAhead
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.cold_budget import OwnColdBudget
from pricing_proxy.prices.explaining import Explainer
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.query import Context, Key, Line, PriceQuery, Quote, QuotedLine
from pricing_proxy.prices.service import PriceService
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from pricing_proxy.sleep_watch import SleepWatch
from tests.fakes.erp import FakeErp
from tests.fakes.ledger import FakeLedger
from tests.fakes.master_data import FakeMasterData, make_customer, make_item
from tests.fakes.price_cache import MEGABYTE, FakePriceCache, FakeRedis
from tests.fakes.verification import FakeVerification
from tests.fakes.warm_marks import FakeWarmMarks
from tests.virtual_time import LoopClock

MARKET = "b2b_de"
ACCOUNT = "C-1"
SECOND_US = 1_000_000
LEASE_US = 5 * SECOND_US
SKUS = tuple(f"S-{number}" for number in range(1, 301))


@dataclass
class Dice:
    """Random numbers that are not; 0 makes every lifetime its longest, every pause its shortest."""

    number: float = 0.0

    def draw(self) -> float:
        return self.number


@dataclass
class Health:
    """Whether the ERP can bear loads that nobody waits for, on a switch."""

    well: bool = True

    def is_well(self, market: str) -> bool:
        assert market == MARKET
        return self.well


@dataclass(frozen=True, kw_only=True)
class PriceWorld:
    """The parts, to turn and to look at."""

    basis: Basis
    service: PriceService
    erp: FakeErp
    redis: FakeRedis
    cache: FakePriceCache
    master: FakeMasterData
    verification: FakeVerification
    invalidations: Invalidations
    ledger: FakeLedger
    loader: Loader
    warmer: Warmer
    ahead: RefreshAhead
    marks: FakeWarmMarks
    health: Health
    market: Market
    clock: LoopClock
    dice: Dice

    def query(
        self,
        *lines: str | Line,
        account: str = ACCOUNT,
        mode: Mode = Mode.BROWSE,
        wait_seconds: float | None = None,
        is_budgeted: bool = False,
    ) -> PriceQuery:
        """Return a query; a text is a SKU, once, in its sales unit."""
        customer = self.master.customer(account)
        return PriceQuery(
            market=MARKET,
            customer=customer,
            account=account if customer is None else customer.account,
            currency="EUR",
            mode=mode,
            lines=[Line(line) if isinstance(line, str) else line for line in lines],
            wait_us=None if wait_seconds is None else round(wait_seconds * SECOND_US),
            is_budgeted=is_budgeted,
        )

    async def ask(
        self,
        *lines: str | Line,
        account: str = ACCOUNT,
        mode: Mode = Mode.BROWSE,
        wait_seconds: float | None = None,
    ) -> Quote:
        """Return the answer to a query."""
        query = self.query(*lines, account=account, mode=mode, wait_seconds=wait_seconds)
        return await self.service.quote(query)

    async def ask_one(
        self,
        line: str | Line = "S-1",
        *,
        account: str = ACCOUNT,
        mode: Mode = Mode.BROWSE,
        wait_seconds: float | None = None,
    ) -> QuotedLine:
        """Return the answer for a single line."""
        quote = await self.ask(line, account=account, mode=mode, wait_seconds=wait_seconds)
        (quoted,) = quote.lines
        return quoted

    async def load(self, *skus: str, account: str = ACCOUNT) -> None:
        """Have prices in both levels, read from the ERP now, and forget what it cost."""
        await self.ask(*skus, account=account, wait_seconds=5)
        await self.settle()
        self.erp.batches.clear()
        self.redis.reads = 0

    async def settle(self) -> None:
        """Wait until no load is under way."""
        while tasks := set(self.loader.flights._tasks):
            await asyncio.wait(tasks)

    def invalidate(
        self, kind: ScopeKind = ScopeKind.ALL, code: str = "", *, level: Level = Level.SOFT
    ) -> int:
        """Say that something changed in the ERP."""
        return self.ledger.put(MARKET, Scope(kind, code), level)

    def lose_redis(self) -> None:
        """Cut Redis off, and know it."""
        self.redis.is_cut = True
        self.verification.verified = False

    @property
    def explainer(self) -> Explainer:
        """What explains the service's answers, over the same parts."""
        return Explainer(self.basis, loader=self.loader, refusal=self.erp.refusal)

    @property
    def now_us(self) -> int:
        """The monotonic clock."""
        return self.clock.monotonic_us()


def price_service(
    *,
    redis: FakeRedis | None = None,
    erp: FakeErp | None = None,
    skus: Sequence[str] = SKUS,
    accounts: Iterable[str] = ("C-1", "C-2"),
    lifetimes: Lifetimes | None = None,
    items: Iterable[Item] = (),
    memory_bytes: int = MEGABYTE,
    shared_accounts: Iterable[str] = (),
    cold_lines: int = 120,
    limits: PriceLimits | None = None,
    decimals: int = 4,
    opens_in_us: Callable[[str], int] = lambda _: 0,
) -> PriceWorld:
    """Return a world on the running loop's clock; every customer has the price group "G"."""
    clock = LoopClock(asyncio.get_running_loop())
    redis = redis or FakeRedis()
    erp = erp or FakeErp(clock=clock)
    dice, verification = Dice(), FakeVerification()
    cache = FakePriceCache(redis, max_bytes=memory_bytes)
    master = FakeMasterData(
        [*map(make_item, skus), *items],
        customers=[make_customer(account, price_group="G") for account in accounts],
    )
    market = replace(
        _market(erp, master, lifetimes or Lifetimes()),
        shared_accounts=frozenset(shared_accounts),
        limits=limits or PriceLimits(),
        decimals=decimals,
    )
    invalidations = Invalidations(
        keep_positions=market.lifetimes.max_us,
        keep_us=market.lifetimes.max_us,
        now_us=clock.monotonic_us,
    )
    redis.ledger.readers.append((invalidations, clock.monotonic_us))

    def wake(slept_us: int) -> None:
        cache.doubt_ages(clock.monotonic_us(), slept_us=slept_us)

    basis = Basis(
        markets={MARKET: market},
        modes=mode_policies(),
        memory=cache,
        store=cache,
        invalidations=invalidations,
        is_verified=verification.is_verified,
        clock=clock,
        watch=SleepWatch(clock, on_woken=wake),
        draw=dice.draw,
    )
    loader = Loader(basis, budget=OwnColdBudget(cold_lines, clock=clock), opens_in_us=opens_in_us)
    marks, health = FakeWarmMarks(redis, clock=clock), Health()
    warmer = Warmer(basis, loader=loader, marks=marks, is_well=health.is_well)
    return PriceWorld(
        basis=basis,
        service=PriceService(basis, loader=loader, warmer=warmer),
        erp=erp,
        redis=redis,
        cache=cache,
        master=master,
        verification=verification,
        invalidations=invalidations,
        ledger=redis.ledger,
        loader=loader,
        warmer=warmer,
        ahead=RefreshAhead(basis, warmer=warmer),
        marks=marks,
        health=health,
        market=market,
        clock=clock,
        dice=dice,
    )


def context_of(account: str = ACCOUNT) -> Context:
    """Return whose prices an `ask` without further words is about."""
    return Context(MARKET, account, "EUR")


def key_of(sku: str = "S-1", *, quantity: str = "1") -> Key:
    """Return what a piece of a SKU is stored under."""
    return Key(sku, "PCS", quantity)


def _market(erp: FakeErp, master: FakeMasterData, lifetimes: Lifetimes) -> Market:
    return Market(
        code=MARKET,
        currency="EUR",
        currencies=frozenset({"EUR"}),
        company_currency="EUR",
        tax_included=False,
        decimals=4,
        limits=PriceLimits(),
        erp_zone=ZoneInfo("Europe/Berlin"),
        lifetimes=lifetimes,
        lease_us=LEASE_US,
        source=erp,
        master=master,
    )
