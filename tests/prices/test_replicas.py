"""Schedules of two replicas that random search seldom meets, each written down once.

The judge of `Replicas.ask` looks at every answer; what a test asserts besides is that the
answer it is about was given at all, and in the state it is about.
"""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.prices.query import Quote, QuotedLine
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from tests.fakes.erp import outage_of
from tests.fakes.price_world import MARKET
from tests.fakes.replicas import ACCOUNTS, Replicas

ERP_AWAY = outage_of(UpstreamUnavailableError)


def only(quote: Quote) -> QuotedLine:
    (line,) = quote.lines
    return line


@pytest.mark.parametrize(
    "scope",
    [
        Scope(ScopeKind.ALL),
        Scope(ScopeKind.CUSTOMER, "C-11"),
        Scope(ScopeKind.ITEM, "S-1"),
        Scope(ScopeKind.PRICE_GROUP, "G"),
    ],
)
@pytest.mark.parametrize("level", Level)
async def test_an_invalidation_through_one_is_obeyed_by_the_other(
    scope: Scope, level: Level
) -> None:
    replicas = await Replicas.start()
    for which in (0, 1):
        await replicas.ask(which, wait_seconds=5)
    replicas.reprice()
    assert await replicas.invalidate(0, scope, level)
    await asyncio.sleep(0.01)
    for which in (0, 1):
        line = only(await replicas.ask(which, wait_seconds=5))
        assert (line.state, line.is_verified) == (State.FRESH, True)
        assert line.entry is not None
        assert '"unit_price":"211.' in line.entry.fragment
    await replicas.stop()


async def test_when_its_reads_are_cut_a_replica_flags_from_the_lease_on() -> None:
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.cut("second", reader_only=True)
    replicas.reprice()
    replicas.announce()
    states = []
    for _ in range(12):
        line = only(await replicas.ask(1))
        states.append((line.state, line.is_verified))
        await asyncio.sleep(0.5)
    assert states[0] == (State.FRESH, True)
    assert states[-1] == (State.UNVERIFIED, False)
    await replicas.stop()


async def test_the_lease_counts_from_when_a_read_was_sent() -> None:
    """A read that waited long for its reply says nothing of the time it waited."""
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.redis.reply_seconds = 3
    await asyncio.sleep(1.1)
    # The read under way has found nothing by now; its reply and the next take six seconds.
    replicas.reprice()
    replicas.announce()
    await asyncio.sleep(5.95)
    replicas.cut("second", reader_only=True)
    for _ in range(16):
        assert not only(await replicas.ask(1)).is_verified
        await asyncio.sleep(0.25)
    replicas.redis.reply_seconds = 0.001
    await replicas.stop()


async def test_an_old_read_is_no_new_one_for_having_ended_late() -> None:
    """A load that spans a change carries the position of its beginning."""
    replicas = await Replicas.start()
    replicas.erp.latency_seconds = 1
    asking = asyncio.ensure_future(replicas.ask(1, mode=Mode.CART))
    await asyncio.sleep(0.5)
    replicas.reprice()
    replicas.announce()
    replicas.erp.outage = ERP_AWAY  # for the next call; this one has read its prices
    await asking
    await asyncio.sleep(5.5)
    line = only(await replicas.ask(1, wait_seconds=0.05))
    assert not line.is_verified
    await replicas.stop()


async def test_a_load_that_outlives_the_lease_is_not_verified() -> None:
    replicas = await Replicas.start()
    replicas.erp.latency_seconds = 4.9
    await asyncio.sleep(1)
    asking = asyncio.ensure_future(replicas.ask(1, mode=Mode.BROWSE, wait_seconds=5))
    await asyncio.sleep(0.05)
    replicas.cut("second", reader_only=True)
    line = only(await asking)
    assert (line.state, line.is_verified) == (State.UNVERIFIED, False)
    await replicas.stop()


async def test_history_that_was_lost_is_a_change_of_everything() -> None:
    """One replica read the entry that a failover loses; the other learns of it all the same."""
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.cut("second", reader_only=True)
    replicas.reprice()
    assert await replicas.invalidate(0)
    await asyncio.sleep(0.1)
    replicas.lose_entries(1)
    replicas.redis.cut.clear()
    await asyncio.sleep(3)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.state, line.level, line.is_verified) == (State.FRESH, "source", True)
    assert line.entry is not None
    assert '"unit_price":"211.' in line.entry.fragment
    await replicas.stop()


async def test_a_replica_that_was_away_while_entries_were_trimmed_trusts_nothing() -> None:
    """What it missed is gone; the prices it remembers are not."""
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.cut("second", reader_only=True)
    replicas.reprice()
    assert await replicas.invalidate(0, Scope(ScopeKind.ITEM, "S-1"))
    # Only here: it hides what the ledger should tell, so that nothing but the ledger can.
    stream = replicas.redis.streams[replicas.places[0].ledger]
    for position in sorted(stream):
        del stream[position]
    replicas.judge.applied.clear()
    assert await replicas.invalidate(0, Scope(ScopeKind.ITEM, "S-2"))
    replicas.redis.cut.clear()
    await asyncio.sleep(3)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.level, line.is_verified) == ("source", True)
    await replicas.stop()


async def test_what_lay_idle_for_long_is_whole_all_the_same() -> None:
    """An idle day, then one invalidation that trims the entry everybody stands at."""
    replicas = await Replicas.start()
    await asyncio.sleep(300)
    await replicas.ask(1, "S-2", wait_seconds=5)
    assert await replicas.invalidate(0, Scope(ScopeKind.ITEM, "S-1"))
    await asyncio.sleep(3)
    line = only(await replicas.ask(1, "S-2"))
    assert (line.state, line.level) == (State.FRESH, "l1")
    await replicas.stop()


async def test_a_checkout_joins_no_load_that_began_too_early() -> None:
    replicas = await Replicas.start()
    replicas.erp.latency_seconds = 9
    browsing = asyncio.ensure_future(replicas.ask(0))
    await asyncio.sleep(2.5)
    replicas.reprice()
    replicas.erp.latency_seconds = 0.06
    line = only(await replicas.ask(0, mode=Mode.CHECKOUT))
    assert line.is_served
    assert line.entry is not None
    assert '"unit_price":"211.' in line.entry.fragment
    await browsing
    await replicas.stop()


async def test_after_a_hard_invalidation_the_old_price_is_not_even_last_known() -> None:
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.reprice()
    replicas.announce(level=Level.HARD)
    await asyncio.sleep(6)
    replicas.erp.outage = ERP_AWAY
    for mode in Mode:
        assert only(await replicas.ask(1, mode=mode)).entry is None
    await replicas.stop()


async def test_customers_with_one_redis_see_their_own_prices() -> None:
    replicas = await Replicas.start()
    for which in (0, 1):
        for account in ACCOUNTS:
            assert only(await replicas.ask(which, account=account, wait_seconds=5)).is_served
            await asyncio.sleep(0.1)
    await replicas.stop()


async def test_a_price_read_just_after_a_change_is_soon_read_again() -> None:
    """The ERP announces before it commits: ten seconds later the old price is refreshed."""
    replicas = await Replicas.start()
    replicas.announce(Scope(ScopeKind.ITEM, "S-1"))
    await asyncio.sleep(0.05)
    await replicas.ask(1, wait_seconds=5)
    replicas.reprice()
    await asyncio.sleep(10.5)
    assert only(await replicas.ask(1)).state is State.STALE_SOFT
    await replicas.stop()


async def test_what_was_told_twice_takes_nothing_back() -> None:
    """A ledger that is read anew from the start passes on older entries after newer ones."""
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.reprice()
    replicas.announce(Scope(ScopeKind.CUSTOMER, "C-11"))
    await asyncio.sleep(0.1)
    held = replicas.replicas[1].invalidations.of_context("b2b_de", "C-11", "G")
    assert held is not None
    newest = held.newest("S-1")
    replicas.flush()
    await asyncio.sleep(3)
    again = replicas.replicas[1].invalidations.of_context("b2b_de", "C-11", "G")
    assert again is not None
    assert again.newest("S-1") > newest
    await replicas.stop()


async def test_a_new_replica_reads_the_ledger_before_it_calls_anything_verified() -> None:
    """Redis holds an old price, and the ledger the word that it is old."""
    replicas = await Replicas.start()
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.1)
    replicas.cut("first")
    replicas.reprice()
    replicas.announce(Scope(ScopeKind.ITEM, "S-1"))
    await asyncio.sleep(6)
    await replicas.restart(1)
    await asyncio.sleep(0.1)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.level, line.is_verified) == ("source", True)
    replicas.redis.cut.clear()
    await replicas.stop()


async def test_a_failover_to_a_clock_that_lags_gets_past_what_prices_carry() -> None:
    """New positions below old ones would refuse nothing."""
    replicas = await Replicas.start()
    assert await replicas.invalidate(0, Scope(ScopeKind.ITEM, "S-2"))
    await asyncio.sleep(0.1)
    await replicas.ask(1, wait_seconds=5)
    replicas.redis.skew_us = -500_000_000
    replicas.flush()
    await asyncio.sleep(3)
    await replicas.ask(1, wait_seconds=5)
    replicas.reprice()
    replicas.announce()
    await asyncio.sleep(6)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.level, line.is_verified) == ("source", True)
    await replicas.stop()


async def test_a_reset_of_every_connection_is_no_answer() -> None:
    """Who reads the ledger in vain again and again vouches for nothing from the lease on."""
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.redis.send_seconds = 0.2
    replicas.reprice()
    replicas.announce(Scope(ScopeKind.ITEM, "S-1"))
    for _ in range(80):
        replicas.redis.reset()
        await asyncio.sleep(0.1)
        await replicas.ask(1, wait_seconds=0.05)
    assert not only(await replicas.ask(1)).is_verified
    replicas.redis.send_seconds = 0.001
    await asyncio.sleep(3)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.state, line.is_verified) == (State.FRESH, True)
    await replicas.stop()


async def test_a_ledger_that_was_evicted_is_a_change_of_everything() -> None:
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.cut("second", reader_only=True)
    replicas.reprice()
    assert await replicas.invalidate(0)
    await asyncio.sleep(0.1)
    replicas.evict(replicas.places[0].ledger)
    replicas.redis.cut.clear()
    await asyncio.sleep(3)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.level, line.is_verified) == ("source", True)
    await replicas.stop()


@pytest.mark.parametrize(
    "scope", [Scope(ScopeKind.CUSTOMER, "c-11"), Scope(ScopeKind.ITEM, " s-1 ")]
)
async def test_names_in_other_letters_are_the_same_to_all(scope: Scope) -> None:
    """What one caller loads as `s-1` the other finds as `S-1`, and its invalidation as well."""
    replicas = await Replicas.start()
    await replicas.ask(0, "s-1", account="c-11", wait_seconds=5)
    await asyncio.sleep(0.1)
    line = only(await replicas.ask(1, "S-1"))
    assert (line.state, line.level) == (State.FRESH, "l2")
    replicas.reprice()
    assert await replicas.invalidate(0, scope)
    await asyncio.sleep(0.1)
    line = only(await replicas.ask(1, "S-1", wait_seconds=5))
    assert line.entry is not None
    assert '"unit_price":"211.' in line.entry.fragment
    await replicas.stop()


async def test_a_replica_that_is_pointed_elsewhere_shows_nothing_of_before() -> None:
    """The judge knows by their digits which ERP prices are from; names in Redis must, too."""
    replicas = await Replicas.start()
    for which in (0, 1):
        await replicas.ask(which, wait_seconds=5)
    replicas.places[1].erp.outage = ERP_AWAY
    await replicas.move(0, 1)
    await asyncio.sleep(0.1)
    assert only(await replicas.ask(0, wait_seconds=5)).entry is None, "another ERP's stands in"
    replicas.places[1].erp.outage = None
    await asyncio.sleep(15)

    moved, stayed = [only(await replicas.ask(which, wait_seconds=5)) for which in (0, 1)]

    assert moved.entry is not None
    assert stayed.entry is not None
    assert '"unit_price":"111.5001"' in moved.entry.fragment
    assert '"unit_price":"111.0001"' in stayed.entry.fragment
    await replicas.stop()


async def test_what_changed_elsewhere_changes_nothing_here() -> None:
    replicas = await Replicas.start()
    await replicas.move(0, 1)
    await asyncio.sleep(0.1)
    await replicas.ask(1, wait_seconds=5)
    before = replicas.replicas[1].invalidations.position(MARKET)

    assert await replicas.invalidate(0, Scope(ScopeKind.ALL), Level.HARD)
    await asyncio.sleep(1)

    assert replicas.replicas[1].invalidations.position(MARKET) == before
    assert only(await replicas.ask(1)).state is State.FRESH
    await replicas.stop()
