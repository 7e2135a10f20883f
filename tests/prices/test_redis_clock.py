"""Redis' clock steps, its master changes, the machine sleeps: no old price passes for a new one.

Schedules of two replicas that random search seldom meets, each written down once.
"""

import asyncio
import logging

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from tests.fakes.erp import outage_of
from tests.fakes.replicas import Replicas
from tests.prices.test_replicas import only

SECOND_US = 1_000_000
ERP_AWAY = outage_of(UpstreamUnavailableError)
OLD, NEW = '"unit_price":"111.', '"unit_price":"211.'


async def with_an_old_price() -> Replicas:
    """Return replicas, the first of which put a price into Redis that is stale by now."""
    replicas = await Replicas.start()
    await replicas.ask(0, wait_seconds=5)
    replicas.reprice()
    await asyncio.sleep(30)
    return replicas


@pytest.mark.parametrize("step_seconds", [-60, -29, -10, -2, 2, 60])
async def test_a_price_from_before_a_step_of_redis_clock_is_stale_until_it_is_read_again(
    step_seconds: int,
) -> None:
    replicas = await with_an_old_price()
    replicas.redis.skew_us += step_seconds * SECOND_US
    await asyncio.sleep(1.1)
    line = only(await replicas.ask(1))
    assert line.entry is not None
    assert OLD in line.entry.fragment
    assert line.state is State.STALE_SOFT
    await asyncio.sleep(0.5)
    line = only(await replicas.ask(1))
    assert line.entry is not None
    assert (line.state, NEW in line.entry.fragment) == (State.FRESH, True)
    await replicas.stop()


@pytest.mark.parametrize("each_seconds", [-0.9, -0.5, -0.1, 0.9])
async def test_many_small_steps_of_redis_clock_are_a_large_one(each_seconds: float) -> None:
    """None of them alone is a second; together they would make an old price fresh."""
    replicas = await Replicas.start()
    await asyncio.sleep(11)
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.1)
    replicas.reprice()
    for _ in range(30):
        replicas.redis.skew_us += round(each_seconds * SECOND_US)
        await asyncio.sleep(1.1)
    line = only(await replicas.ask(1))
    assert line.state is State.STALE_SOFT
    await replicas.stop()


async def test_a_clock_that_is_slewed_makes_no_price_stale() -> None:
    """As NTP corrects it, by half a millisecond in a second at most."""
    replicas = await Replicas.start()
    epoch = replicas.redis.hashes["clock:{clock}"]["epoch"]
    for _ in range(2500):
        replicas.redis.skew_us -= 500
        await asyncio.sleep(1)
    assert replicas.redis.hashes["clock:{clock}"]["epoch"] == epoch
    await replicas.stop()


async def test_once_read_again_a_price_is_fresh_for_the_other_replica_too() -> None:
    """A clock that stepped back is as good as any other from then on."""
    replicas = await with_an_old_price()
    replicas.redis.skew_us -= 60 * SECOND_US
    await asyncio.sleep(3)
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.5)
    line = only(await replicas.ask(1))
    assert (line.state, line.level) == (State.FRESH, "l2")
    await replicas.stop()


@pytest.mark.parametrize("step_seconds", [-60, 60])
async def test_a_checkout_binds_no_price_from_before_a_step(step_seconds: int) -> None:
    replicas = await with_an_old_price()
    replicas.redis.skew_us += step_seconds * SECOND_US
    for _ in range(40):
        line = only(await replicas.ask(1, mode=Mode.CHECKOUT))
        assert line.entry is not None
        assert NEW in line.entry.fragment
        await asyncio.sleep(0.1)
    await replicas.stop()


async def test_a_step_is_logged_with_its_way_and_size(caplog: pytest.LogCaptureFixture) -> None:
    replicas = await Replicas.start()
    with caplog.at_level(logging.INFO, logger="pricing_proxy"):
        replicas.redis.skew_us -= 60 * SECOND_US
        await asyncio.sleep(10)
    said = [record.message for record in caplog.records if "clock" in record.message]
    assert len(said) == 2, said  # once by each of the two
    expected = "Redis' clock stepped back by 60.0 s: kept prices are stale"
    assert all(expected in each for each in said)
    await replicas.stop()


async def test_an_answer_that_takes_long_is_no_step() -> None:
    """Nobody can tell when a clock was read whose answer took three seconds."""
    replicas = await Replicas.start()
    await asyncio.sleep(11)  # a price read just after a change, as a start is one, is soon stale
    await replicas.ask(0, wait_seconds=5)
    for send, reply in ((1.5, 1.5), (0.001, 1.5), (1.5, 0.001), (0.001, 0.001)):
        replicas.redis.send_seconds, replicas.redis.reply_seconds = send, reply
        await asyncio.sleep(4)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert (line.state, line.level) == (State.FRESH, "l2")
    await replicas.stop()


async def test_a_process_that_starts_after_a_step_nobody_saw_believes_no_age() -> None:
    replicas = await with_an_old_price()
    for name in ("first", "second"):
        replicas.cut(name)
    replicas.redis.skew_us -= 29 * SECOND_US
    replicas.redis.cut.clear()
    for which in (0, 1):
        await replicas.restart(which)
    await asyncio.sleep(0.1)
    assert only(await replicas.ask(1)).state is State.STALE_SOFT
    await replicas.stop()


async def test_a_process_that_starts_when_nobody_watched_the_clock_believes_no_age() -> None:
    replicas = await Replicas.start()
    await asyncio.sleep(11)
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.1)
    for replica in replicas.replicas:
        await replica.stop()
    await asyncio.sleep(15)
    await replicas.restart(1)
    await asyncio.sleep(0.1)
    assert only(await replicas.ask(1)).state is State.STALE_SOFT
    await replicas.restart(0)
    await replicas.stop()


async def test_a_rolling_restart_loses_no_freshness() -> None:
    replicas = await Replicas.start()
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(3)
    for which in (0, 1):
        await replicas.restart(which)
        await asyncio.sleep(0.1)
        line = only(await replicas.ask(which))
        assert (line.state, line.level) == (State.FRESH, "l2")
    await replicas.stop()


async def test_another_master_makes_kept_prices_stale() -> None:
    """Its clock may be off by less than anybody notices, or have been another all along."""
    replicas = await Replicas.start()
    await replicas.ask(0, wait_seconds=5)
    replicas.redis.fail_over(skew_us=0)
    await asyncio.sleep(1.5)
    assert only(await replicas.ask(1)).state is State.STALE_SOFT
    await replicas.stop()


async def test_a_failover_that_loses_the_word_of_a_step_brings_no_old_epoch_back() -> None:
    replicas = await with_an_old_price()
    replicas.redis.lag()
    replicas.redis.skew_us -= 29 * SECOND_US
    await asyncio.sleep(3)
    replicas.redis.fail_over(skew_us=-29 * SECOND_US)
    for _ in range(20):
        line = only(await replicas.ask(1))
        assert line.entry is not None
        assert line.state is not State.FRESH or NEW in line.entry.fragment
        await asyncio.sleep(0.2)
    await replicas.stop()


async def test_an_epoch_that_redis_does_not_take_counts_for_this_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    replicas = await with_an_old_price()
    replicas.redis.takes_no_writes = True
    replicas.redis.skew_us -= 29 * SECOND_US
    replicas.erp.outage = ERP_AWAY
    with caplog.at_level(logging.WARNING, logger="pricing_proxy"):
        for _ in range(30):
            await asyncio.sleep(0.2)
            assert only(await replicas.ask(1)).state is not State.FRESH
    assert sum("Redis' clock" in record.message for record in caplog.records) == 2
    await replicas.stop()


async def test_a_clock_key_that_was_evicted_costs_nothing() -> None:
    replicas = await Replicas.start()
    await replicas.ask(0, wait_seconds=5)
    replicas.redis.evict("clock:{clock}")
    await asyncio.sleep(2)
    line = only(await replicas.ask(1))
    assert (line.state, line.level) == (State.FRESH, "l2")
    await replicas.stop()


async def test_a_machine_that_slept_calls_nothing_verified_until_its_ledger_answered() -> None:
    """Its monotonic clock stood still: by that, the newest read is a moment old."""
    replicas = await Replicas.start()
    await replicas.ask(1, wait_seconds=5)
    replicas.cut("second")
    replicas.sleep(6)
    replicas.reprice()
    replicas.announce(level=Level.HARD)
    replicas.sleep(6)
    for _ in range(10):
        assert not only(await replicas.ask(1)).is_verified
        await asyncio.sleep(0.3)
    replicas.redis.cut.clear()
    await asyncio.sleep(3)
    line = only(await replicas.ask(1, wait_seconds=5))
    assert line.entry is not None
    assert (line.is_verified, NEW in line.entry.fragment) == (True, True)
    await replicas.stop()


@pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CHECKOUT])
@pytest.mark.parametrize(("seconds", "state"), [(15, State.STALE_SOFT), (70, State.STALE_HARD)])
async def test_what_a_machine_that_slept_remembers_is_older_by_that_and_stale(
    seconds: int, state: State, mode: Mode
) -> None:
    """Also while Redis' clock cannot be read, and only the ledger answers again."""
    replicas = await Replicas.start()
    await asyncio.sleep(11)
    await replicas.ask(0, wait_seconds=5)
    replicas.redis.cut.add("first")
    replicas.sleep(seconds)
    replicas.reprice()
    replicas.erp.outage = ERP_AWAY
    states = set()
    for _ in range(30):
        line = only(await replicas.ask(0, mode=mode))
        assert line.is_served is (mode is Mode.BROWSE)
        states.add(line.state)
        await asyncio.sleep(0.1)
    assert states - {State.UNVERIFIED} == {state}
    replicas.redis.cut.clear()
    await replicas.stop()


async def test_sleep_is_no_change_of_redis_clock(caplog: pytest.LogCaptureFixture) -> None:
    """Else one machine that slept would make everybody read everything again."""
    replicas = await Replicas.start()
    await asyncio.sleep(11)
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.1)
    with caplog.at_level(logging.INFO, logger="pricing_proxy"):
        replicas.sleep(12)
        await asyncio.sleep(3)
    assert not [record for record in caplog.records if "Redis' clock" in record.message]
    line = only(await replicas.ask(1))
    assert (line.state, line.level) == (State.FRESH, "l2")
    await replicas.stop()


async def test_a_read_that_slept_is_as_old_as_it_is() -> None:
    """The ERP was asked before the machine fell asleep, and answers after it woke."""
    replicas = await Replicas.start()
    replicas.erp.latency_seconds = 4
    asking = asyncio.ensure_future(replicas.ask(0, wait_seconds=5))
    await asyncio.sleep(0.5)
    replicas.sleep(3)
    line = only(await asking)
    assert line.entry is not None
    age_us = replicas.replicas[0].clock.monotonic_us() - line.entry.loaded_us
    assert age_us == pytest.approx(4 * SECOND_US, abs=SECOND_US / 10)
    await replicas.stop()


async def test_sleep_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    replicas = await Replicas.start()
    with caplog.at_level(logging.WARNING, logger="pricing_proxy"):
        replicas.sleep(60)
        await asyncio.sleep(5)
    said = [record.message for record in caplog.records if "slept" in record.message]
    assert len(said) == 2  # once by each of the two processes
    assert "by 60 s" in said[0]
    await replicas.stop()


async def test_after_a_step_back_a_process_that_starts_takes_the_ledger_for_shortened() -> None:
    """While the clock ran ahead, an append trimmed what is younger than it seemed then."""
    replicas = await Replicas.start()
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.1)
    replicas.reprice()
    replicas.announce(Scope(ScopeKind.ITEM, "S-1"), Level.HARD)
    replicas.announce(Scope(ScopeKind.ITEM, "S-2"))
    replicas.redis.skew_us += 300 * SECOND_US
    replicas.announce(Scope(ScopeKind.ITEM, "S-2"))
    stream = replicas.redis.streams[replicas.places[0].ledger]
    for position in sorted(stream)[:-2]:
        del stream[position]  # Redis trims in blocks: one that is as old may be left
    replicas.redis.skew_us -= 300 * SECOND_US
    replicas.cut("first")
    await replicas.restart(1)
    await asyncio.sleep(0.5)
    replicas.erp.outage = ERP_AWAY
    line = only(await replicas.ask(1))
    assert not line.is_verified
    replicas.redis.cut.clear()
    await replicas.stop()
