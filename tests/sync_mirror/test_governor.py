"""A shop is written to as widely as it bears, by all processes together."""

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.mirror.governor import Governor
from sync.mirror.pace import FLOOR, halved, probed, width
from sync.store.mirror_pace_record import Probes, ShopPace
from tests.fakes.claims import FakeClaims
from tests.fakes.paces import FakePaces
from tests.virtual_time import LoopClock, ManualClock, run_virtual

SHOP = "https://shop.example.com"
CEILING = 8
USUAL_MS, SLOW_MS = 100.0, 400.0
CLOCK = ManualClock()
NOW = CLOCK.utc()
MINUTE = timedelta(minutes=1)


def governor(clock: ManualClock | LoopClock, paces: FakePaces, ceiling: int = CEILING) -> Governor:
    return Governor(paces, FakeClaims(), shop=SHOP, ceiling=ceiling, clock=clock)


async def probe(one: Governor, took_ms: float) -> None:
    async def ask() -> float:
        return took_ms

    await one.probe(ask)


async def test_a_slow_storefront_has_it_at_its_floor_within_ten_probes_and_back_soon_after() -> (
    None
):
    clock, paces = ManualClock(), FakePaces()
    one = governor(clock, paces)
    for _ in range(60):
        await probe(one, USUAL_MS)
    assert (await one.view()).width == CEILING
    for _ in range(10):
        await probe(one, SLOW_MS)
    slow = await one.view()
    assert slow.width == FLOOR
    assert slow.is_at_floor
    assert "400 ms" in slow.reason

    clock.advance(timedelta(hours=1))
    assert (await one.view()).width == FLOOR  # it does not grow while the storefront is slow
    for _ in range(10):
        await probe(one, USUAL_MS)
    for minutes in range(CEILING):
        assert (await one.view()).width == FLOOR + minutes
        clock.advance(MINUTE)
    assert (await one.view()).reason == ""


async def test_a_few_probes_and_pages_of_some_milliseconds_say_nothing() -> None:
    paces = FakePaces()
    one = governor(ManualClock(), paces)
    for took_ms in [*[USUAL_MS] * 9, *[SLOW_MS] * 10]:
        await probe(one, took_ms)
    assert (await one.view()).width == CEILING

    quick = governor(ManualClock(), FakePaces())
    for took_ms in [*[2.0] * 30, *[9.0] * 10]:
        await probe(quick, took_ms)
    assert (await quick.view()).width == CEILING


async def test_batches_that_fail_together_cut_once() -> None:
    clock, paces = ManualClock(), FakePaces()
    one = governor(clock, paces)
    began_at = clock.utc()
    clock.advance(timedelta(seconds=1))
    for _ in range(4):
        await one.failed("HTTP status 503", began_at=began_at)
    assert (await one.view()).width == CEILING // 2
    clock.advance(timedelta(seconds=1))
    await one.failed("HTTP status 503", began_at=clock.utc())
    assert (await one.view()).width == CEILING // 4


def test_no_more_than_its_width_go_on_at_once_whoever_begins_them() -> None:
    """Two processes share the claims, and what cuts one cuts both."""

    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        paces, claims = FakePaces(), FakeClaims()
        both = [Governor(paces, claims, shop=SHOP, ceiling=CEILING, clock=clock) for _ in range(2)]
        now, most = 0, 0

        async def batch(one: Governor) -> None:
            nonlocal now, most
            async with one.slot():
                now += 1
                most = max(most, now)
                await asyncio.sleep(3)
                now -= 1

        await asyncio.gather(*(batch(both[n % 2]) for n in range(40)))
        assert most == CEILING
        await both[0].failed("HTTP status 503", began_at=clock.utc())
        most = 0
        await asyncio.gather(*(batch(both[n % 2]) for n in range(12)))
        assert most == CEILING // 2
        assert claims.holders == {}

    run_virtual(main())


@given(
    steps=st.lists(
        st.one_of(
            st.just("fail"),
            st.integers(min_value=0, max_value=600),
            st.booleans(),
        ),
        max_size=30,
    ),
    ceiling=st.integers(min_value=1, max_value=16),
)
def test_it_stays_between_floor_and_ceiling_and_grows_by_one_a_minute(
    steps: list[str | int | bool], ceiling: int
) -> None:
    now, pace = NOW, ShopPace(width=ceiling, changed_at=NOW)
    for step in steps:
        before = width(pace, now, ceiling=ceiling)
        if step == "fail":
            pace = halved(pace, now, ceiling=ceiling, reason="x", began_at=now)
            assert width(pace, now, ceiling=ceiling) <= before
        elif isinstance(step, bool):
            took_ms = SLOW_MS if step else USUAL_MS
            probes = Probes(recent_ms=[took_ms] * 10, usual_ms=USUAL_MS, count=100)
            pace = probed(pace, probes, now, ceiling=ceiling)
            assert width(pace, now, ceiling=ceiling) <= before
        elif isinstance(step, int):
            now += timedelta(seconds=step)
            assert width(pace, now, ceiling=ceiling) <= before + step // 60 + 1
        assert FLOOR <= width(pace, now, ceiling=ceiling) <= ceiling
