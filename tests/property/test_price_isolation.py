"""Never another customer's price or refusal, and no checkout that binds with an older price.

Every price tells by its digits whose it is: customer before the point, SKU behind it, and
above both the version of the ERP's price book. Two processes share one Redis.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.freshness import Level, Mode
from pricing_proxy.prices.query import Quote
from pricing_proxy.prices.refusals import REFUSED, KeptOut
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from tests.fakes.erp import FakeErp, outage_of
from tests.fakes.price_cache import FakeRedis
from tests.fakes.price_world import MARKET, PriceWorld, price_service
from tests.virtual_time import LoopClock, VirtualLoop, run_virtual

SECOND = 1_000_000
ACCOUNTS = ("C-11", "C-22")
SKUS = ("S-1", "S-2", "S-3")
RECENT = 2 * SECOND
CODE = "customer_blocked"
UNIT_PRICE = re.compile(r'"unit_price":"(\d+)\.(\d{4})"')
OUTAGES = (
    None,
    outage_of(UpstreamUnavailableError),
    outage_of(UpstreamRejectedError, status=500),
    outage_of(UpstreamRejectedError, status=400),
    outage_of(CallRefusedError, retry_after=timedelta(seconds=1)),
)


@dataclass(frozen=True)
class Request:
    """Somebody asks; perhaps they go away before the answer."""

    process: int
    account: str
    mode: Mode
    skus: tuple[str, ...]
    spell: Callable[[str], str]
    wait_seconds: float | None
    cancelled_after: float | None


@dataclass(frozen=True)
class Change:
    """The ERP gets new prices, and says so about a scope."""

    process: int
    scope: Scope
    spell: Callable[[str], str]
    level: Level


@dataclass(frozen=True)
class Weather:
    """What the systems are like from now on."""

    outage: int
    latency_seconds: float
    redis_is_cut: bool
    redis_latency_seconds: float
    poison: frozenset[str]
    poison_lines: frozenset[tuple[str, str]]
    odd: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pass:
    """Time goes by."""

    seconds: float


# How shops and ERPs may write a name; each is the same to both.
SPELLINGS = st.sampled_from([str, str, str.lower, lambda name: f" {name} "])
PROCESSES = st.integers(0, 1)
SCOPES = st.one_of(
    st.just(Scope(ScopeKind.ALL)),
    st.builds(Scope, st.just(ScopeKind.CUSTOMER), st.sampled_from(ACCOUNTS)),
    st.builds(Scope, st.just(ScopeKind.ITEM), st.sampled_from(SKUS)),
    st.just(Scope(ScopeKind.PRICE_GROUP, "G")),
)
REQUESTS = st.builds(
    Request,
    process=PROCESSES,
    account=st.sampled_from(ACCOUNTS),
    mode=st.sampled_from(Mode),
    skus=st.lists(st.sampled_from(SKUS), min_size=1, max_size=4).map(tuple),
    spell=SPELLINGS,
    wait_seconds=st.sampled_from([None, 0, 0.05, 5]),
    cancelled_after=st.one_of(st.none(), st.floats(0, 0.2)),
)
STEPS = st.one_of(
    REQUESTS,
    REQUESTS,
    st.builds(
        Change, process=PROCESSES, scope=SCOPES, spell=SPELLINGS, level=st.sampled_from(Level)
    ),
    st.builds(
        Weather,
        outage=st.sampled_from([0, 0, 0, 1, 2, 3, 4]),
        latency_seconds=st.sampled_from([0, 0.06, 0.5, 3]),
        redis_is_cut=st.booleans(),
        redis_latency_seconds=st.sampled_from([0, 0.01, 0.2]),
        poison=st.frozensets(st.sampled_from(SKUS), max_size=1),
        poison_lines=st.frozensets(
            st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(SKUS)), max_size=2
        ),
        odd=st.frozensets(st.sampled_from(SKUS), max_size=2),
    ),
    st.builds(Pass, st.sampled_from([0, 0.01, 0.03, 0.06, 0.5, 1.9, 2.1, 10, 70, 301, 3700])),
)


@dataclass
class Shop:
    """Plays a schedule, and judges every answer when it comes."""

    processes: tuple[PriceWorld, PriceWorld]
    asking: list["asyncio.Task[None]"] = field(default_factory=list)
    version: int = 1
    changed_at: list[int] = field(default_factory=lambda: [0])
    judged: int = 0
    ever_odd: set[str] = field(default_factory=set)

    @property
    def erp(self) -> FakeErp:
        return self.processes[0].erp

    def reprice(self) -> None:
        for account in ACCOUNTS:
            for sku in SKUS:
                text = f"{self.version}{account[2:]}.{int(sku[2:]):04}"
                self.erp.set_price(account, sku, text)

    async def play(self, step: Request | Change | Weather | Pass) -> None:
        match step:
            case Request():
                self.asking.append(asyncio.ensure_future(self.request(step)))
                if step.cancelled_after is not None:
                    loop = asyncio.get_running_loop()
                    loop.call_later(step.cancelled_after, self.asking[-1].cancel)
            case Change():
                self.version += 1
                self.changed_at.append(self.processes[0].now_us)
                self.reprice()
                world = self.processes[step.process]
                scope = replace(step.scope, code=step.spell(step.scope.code))
                world.ledger.put(MARKET, scope, step.level)
            case Weather():
                self.set_weather(step)
            case Pass():
                await asyncio.sleep(step.seconds)

    def set_weather(self, weather: Weather) -> None:
        self.erp.outage = OUTAGES[weather.outage]
        self.erp.latency_seconds = weather.latency_seconds
        self.erp.poison = set(weather.poison)
        self.erp.poison_lines = set(weather.poison_lines)
        self.erp.odd = dict.fromkeys(weather.odd, CODE)
        self.ever_odd |= weather.odd
        redis = self.processes[0].redis
        redis.is_cut = weather.redis_is_cut
        redis.latency_seconds = weather.redis_latency_seconds
        for world in self.processes:
            world.verification.verified = not weather.redis_is_cut

    async def request(self, request: Request) -> None:
        world = self.processes[request.process]
        arrived_us = world.now_us
        quote = await world.ask(
            *map(request.spell, request.skus),
            account=request.spell(request.account),
            mode=request.mode,
            wait_seconds=request.wait_seconds,
        )
        self.judge(request, quote, arrived_us=arrived_us)

    def judge(self, request: Request, quote: Quote, *, arrived_us: int) -> None:
        assert [line.line.sku for line in quote.lines] == list(map(request.spell, request.skus))
        for sku, line in zip(request.skus, quote.lines, strict=True):
            if line.reason == CODE:
                # What the ERP says of one line is said of no other.
                assert sku in self.ever_odd
            if line.reason == REFUSED:
                # What was refused to one customer never keeps another from asking.
                assert self.erp.has_refused(request.account, sku)
            if line.entry is None:
                assert not line.is_served
                continue
            # Also a last known price must be the customer's own.
            self.judge_price(request.account, sku, line.entry)
            assert line.entry.fragment.startswith(f'{{"sku":"{line.line.sku}",')
            self.judged += 1
            if request.mode is Mode.CHECKOUT and line.is_served:
                assert line.entry.loaded_us >= arrived_us - RECENT
                assert line.is_verified

    def judge_kept_out(self, row: KeptOut) -> None:
        """Only what was refused for its own sake, and again, may be kept out for long."""
        alone = [each for each in self.erp.refusals if each.is_single and row.sku in each.skus]
        if row.reason == REFUSED:
            alone = [each for each in alone if each.status == 400]
        assert len(alone) >= 2 * row.customers

    def judge_price(self, account: str, sku: str, entry: Entry) -> None:
        assert entry.kind is Kind.PRICE
        found = UNIT_PRICE.search(entry.fragment)
        assert found is not None
        whose, which = found.groups()
        assert (whose[-2:], int(which)) == (account[2:], int(sku[2:]))
        # And as old as it says: the version that the ERP had when the read began.
        in_force = sum(changed_us <= entry.loaded_us for changed_us in self.changed_at)
        assert int(whose[:-2]) in {in_force, in_force - 1}


async def play(steps: list[Request | Change | Weather | Pass]) -> Shop:
    erp, redis = FakeErp(clock=LoopClock(asyncio.get_running_loop())), FakeRedis()
    first, second = (
        price_service(redis=redis, erp=erp, skus=SKUS, accounts=ACCOUNTS) for _ in range(2)
    )
    shop = Shop((first, second))
    shop.reprice()
    for step in steps:
        await shop.play(step)
    outcomes = await asyncio.gather(*shop.asking, return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
            raise outcome
    for world in shop.processes:
        await world.settle()
        for row in world.loader.failures.kept_out():
            shop.judge_kept_out(row)
        assert not any(world.loader.flights._boards.values())
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    assert loop.unretrieved == []
    return shop


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=30))
def test_nobody_is_shown_anothers_price_and_no_checkout_binds_with_an_older_one(
    steps: list[Request | Change | Weather | Pass],
) -> None:
    run_virtual(play(steps))


def test_the_judge_has_something_to_judge() -> None:
    """A schedule without faults answers every line, or the property above says nothing."""
    steps: list[Request | Change | Weather | Pass] = [
        Request(process, account, mode, SKUS, str, None, None)
        for mode in Mode
        for account in ACCOUNTS
        for process in (0, 1)
    ]
    assert run_virtual(play([*steps, Pass(1), *steps])).judged == 2 * len(steps) * len(SKUS)


def test_schedules_reach_lines_that_are_answered_with_a_code() -> None:
    """And the other lines of their page are priced."""
    odd = Weather(0, 0.06, False, 0, frozenset(), frozenset(), odd=frozenset({"S-2"}))
    steps: list[Request | Change | Weather | Pass] = [
        odd,
        Request(0, "C-11", Mode.CHECKOUT, SKUS, str, 5, None),
    ]
    assert run_virtual(play(steps)).judged == 2


def test_schedules_reach_lines_that_are_kept_out() -> None:
    """Refused to one customer twice, or the judge of refusals judges nothing."""
    clear = Weather(0, 0.06, False, 0, frozenset(), frozenset())
    steps: list[Request | Change | Weather | Pass] = [
        replace(clear, poison_lines=frozenset({("C-11", "S-1")})),
        Request(0, "C-11", Mode.BROWSE, SKUS, str, 5, None),
        Pass(10),
        Request(0, "C-11", Mode.BROWSE, SKUS, str, 5, None),
        Pass(10),
        *[Request(0, account, Mode.BROWSE, SKUS, str, 5, None) for account in ACCOUNTS],
    ]
    shop = run_virtual(play(steps))
    assert [row.sku for row in shop.processes[0].loader.failures.kept_out()] == ["S-1"]
    assert shop.judged == 2 + 2 + 2 + 3
