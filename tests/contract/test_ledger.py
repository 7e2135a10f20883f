"""The ledger over every Redis there is: all is read, in order, and nothing is lost unseen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version

import pytest
from redis.asyncio import Redis

from pricing_proxy.clock import SystemClock
from pricing_proxy.shared_state import ledger
from pricing_proxy.shared_state.ledger import LedgerEntry, LedgerWriter, Scope, ScopeKind
from pricing_proxy.shared_state.ledger_reader import LedgerReader
from pricing_proxy.sleep_watch import SleepWatch
from tests.patience import PATIENCE_SECONDS

DAY = timedelta(days=1)
LAMP = Scope(ScopeKind.ITEM, "LAMP-01")
SECOND_US = 1_000_000


@dataclass
class Process:
    """A reader, and what it was told."""

    reader: LedgerReader
    entries: list[LedgerEntry] = field(default_factory=list)

    @property
    def scopes(self) -> list[Scope]:
        return [entry.scope for entry in self.entries]

    async def reaches(self, position: int) -> None:
        """Wait until everything up to the position was read."""
        await until(lambda: self.reader.view().position >= position)


@asynccontextmanager
async def process(
    redis: Redis,
    market: str,
    *,
    keep: timedelta = DAY,
    refuse: Callable[[LedgerEntry], bool] = lambda _: False,
) -> AsyncIterator[Process]:
    entries: list[LedgerEntry] = []

    def take(entry: LedgerEntry, _: int) -> None:
        if refuse(entry):
            raise ZeroDivisionError
        entries.append(entry)

    clock = SystemClock()
    async with LedgerReader(
        redis,
        market,
        provenance=read_from(market),
        take=take,
        keep=keep,
        lease_us=5 * SECOND_US,
        offset_us=lambda: clock.wall_us() - clock.monotonic_us(),
        clock=clock,
        watch=SleepWatch(clock),
    ) as reader:
        running = Process(reader, entries)
        await until(reader.is_verified)
        yield running


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 -- a real Redis takes real time
            await asyncio.sleep(0.005)


def read_from(market: str) -> str:
    """Return the name of what a market's prices are read from."""
    return f"https://erp.example.com|demf|{market}"


def key_of(market: str) -> str:
    return ledger.key(read_from(market))


def writer_of(redis: Redis, market: str, *, keep: timedelta = DAY) -> LedgerWriter:
    return LedgerWriter(redis, provenances={market: read_from(market)}, keep={market: keep})


@pytest.fixture
def writer(redis: Redis, unique: str) -> LedgerWriter:
    return writer_of(redis, unique)


async def test_what_is_appended_is_read_by_everybody_in_order(
    redis: Redis, writer: LedgerWriter, unique: str
) -> None:
    scopes = [
        LAMP,
        Scope(ScopeKind.CUSTOMER, "C-1"),
        Scope(ScopeKind.PRICE_GROUP, "ü"),
        Scope(ScopeKind.ALL),
    ]
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(process(redis, unique))
        second = await stack.enter_async_context(process(redis, unique))
        positions = [
            await writer.append(unique, scope, is_hard=scope is LAMP, reason="test")
            for scope in scopes
        ]
        written = [
            LedgerEntry(position, scope, scope is LAMP)
            for position, scope in zip(positions, scopes, strict=True)
        ]
        for reading in (first, second):
            await reading.reaches(positions[-1])
            assert reading.entries[-4:] == written
    assert positions == sorted(set(positions))


async def test_whoever_starts_later_reads_what_was_appended_before(
    redis: Redis, writer: LedgerWriter, unique: str
) -> None:
    async with process(redis, unique):
        await writer.append(unique, LAMP, is_hard=True, reason="test")
    async with process(redis, unique) as late:
        assert late.scopes == [Scope(ScopeKind.ALL), LAMP]


async def test_a_ledger_begins_with_everything(redis: Redis, unique: str) -> None:
    """Prices may stand in Redis from before it was lost."""
    async with process(redis, unique) as reading:
        assert [(entry.scope.kind, entry.is_hard) for entry in reading.entries] == [
            (ScopeKind.ALL, False)
        ]


async def test_a_ledger_that_is_too_short_begins_anew(
    redis: Redis, writer: LedgerWriter, unique: str
) -> None:
    """It was lost, and somebody appended before anyone read: what stood before is gone."""
    await writer.append(unique, LAMP, is_hard=False, reason="test")
    async with process(redis, unique) as reading:
        assert reading.scopes[-2:] == [LAMP, Scope(ScopeKind.ALL)]


async def test_a_lost_ledger_is_a_change_of_everything(
    redis: Redis, writer: LedgerWriter, unique: str
) -> None:
    async with AsyncExitStack() as stack:
        readings = [await stack.enter_async_context(process(redis, unique)) for _ in range(2)]
        known = await writer.append(unique, LAMP, is_hard=False, reason="test")
        for reading in readings:
            await reading.reaches(known)
        await redis.delete(key_of(unique))
        for reading in readings:
            await reading.reaches(known + 1)
            everything = [e for e in reading.entries if e.scope.kind is ScopeKind.ALL]
            assert everything[-1].position > known
            await until(reading.reader.is_verified)


async def test_a_ledger_that_fell_back_gets_past_what_was_known(redis: Redis, unique: str) -> None:
    """A failover to a replica that lagged, whose clock lags as well."""
    ahead_ms = 2**41
    async with process(redis, unique) as reading:
        await redis.xadd(
            key_of(unique),
            {"scope": "item", "code": "I", "level": "soft"},
            id=f"{ahead_ms}-7",
        )
        known = ledger.position_of(f"{ahead_ms}-7")
        await until(lambda: reading.reader.view().position == known)
        await redis.delete(key_of(unique))
        await redis.xadd(key_of(unique), {"scope": "item", "code": "J", "level": "soft"})
        await until(lambda: reading.reader.view().position > known)
        assert reading.entries[-1].scope == Scope(ScopeKind.ALL)
        await until(reading.reader.is_verified)


async def test_what_is_old_is_trimmed_and_what_is_young_is_kept(redis: Redis, unique: str) -> None:
    writer = writer_of(redis, unique, keep=timedelta(hours=1))
    name = key_of(unique)
    async with redis.pipeline(transaction=False) as pipe:
        for number in range(500):
            pipe.xadd(name, {"scope": "item", "code": "old", "level": "soft"}, id=f"{number + 1}-0")
        await pipe.execute()
    for _ in range(3):
        await writer.append(unique, LAMP, is_hard=False, reason="test")
    codes = [fields[b"code"] for _, fields in await redis.xrange(name)]
    assert codes[-3:] == [b"LAMP-01"] * 3
    assert codes.count(b"old") < 200


async def test_a_scope_of_a_newer_program_is_everything(redis: Redis, unique: str) -> None:
    async with process(redis, unique) as reading:
        await redis.xadd(key_of(unique), {"scope": "brand", "code": "X", "level": "hard"})
        await until(lambda: len(reading.entries) > 1)
        assert (reading.entries[-1].scope, reading.entries[-1].is_hard) == (
            Scope(ScopeKind.ALL),
            True,
        )


async def test_a_long_backlog_is_read_whole(redis: Redis, unique: str) -> None:
    async with process(redis, unique):
        pass
    async with redis.pipeline(transaction=False) as pipe:
        for number in range(2500):
            code = f"I-{number}"
            pipe.xadd(key_of(unique), {"scope": "item", "code": code, "level": "soft"})
        await pipe.execute()
    async with process(redis, unique) as reading:
        assert len(reading.entries) == 2501


async def test_a_defect_ends_no_reading_and_nothing_is_vouched_for_meanwhile(
    redis: Redis, writer: LedgerWriter, unique: str, caplog: pytest.LogCaptureFixture
) -> None:
    verified_when_refused: list[bool] = []

    def refuse_once(entry: LedgerEntry) -> bool:
        if entry.scope != LAMP or len(verified_when_refused) > 1:
            return False
        verified_when_refused.append(running.reader.is_verified())
        return True

    async with process(redis, unique, refuse=refuse_once) as running:
        position = await writer.append(unique, LAMP, is_hard=False, reason="test")
        await running.reaches(position)
        await until(running.reader.is_verified)

    assert verified_when_refused == [True, False]
    assert running.scopes[-1] == LAMP
    assert "LedgerReader failed" in caplog.text


async def test_another_erp_s_ledger_of_a_market_called_alike_is_not_read(
    redis: Redis, writer: LedgerWriter, unique: str
) -> None:
    theirs = {unique: f"https://test.example.com|demf|{unique}"}
    async with process(redis, unique) as reading:
        other = LedgerWriter(redis, provenances=theirs, keep={unique: DAY})
        await other.append(unique, LAMP, is_hard=True, reason="test")
        position = await writer.append(
            unique, Scope(ScopeKind.CUSTOMER, "C-1"), is_hard=False, reason=""
        )
        await reading.reaches(position)
        assert LAMP not in reading.scopes


async def test_replicas_of_the_version_before_are_told_where_they_read(
    redis: Redis, unique: str
) -> None:
    """They made the stream when they began; without one there are none, and it is not made."""
    writer, former = writer_of(redis, unique, keep=timedelta(hours=1)), ledger.former_key(unique)
    await writer.append(unique, LAMP, is_hard=True, reason="test")
    assert not await redis.exists(former)
    await redis.xadd(former, {"scope": "all", "level": "soft"}, id="1-0")

    await writer.append(unique, LAMP, is_hard=True, reason="test")

    assert [fields[b"code"] for _, fields in (await redis.xrange(former))[-1:]] == [b"LAMP-01"]
    newest = (await redis.xrevrange(key_of(unique), count=1))[0][1]
    assert (await redis.xrevrange(former, count=1))[0][1] == newest


def test_the_next_minor_version_tells_them_no_more() -> None:
    """For one minor version; then take `former_key` out."""
    assert version("pricing-proxy").startswith("0.1.")
