"""What is kept of a shop's pace, and what mirrors tell of, in a real database."""

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.governor import SLOTS, Governor
from sync.store.claims import Claims
from sync.store.mirror_notices import MirrorNotice, MirrorNotices
from sync.store.mirror_pace import MirrorPaces
from tests.virtual_time import ManualClock

SHOP = "https://shop.example.com"


def governor(store: AsyncEngine, clock: ManualClock) -> Governor:
    claims = Claims(store, SLOTS)
    return Governor(MirrorPaces(store), claims, shop=SHOP, ceiling=4, clock=clock)


async def test_what_one_process_finds_holds_for_all(store: AsyncEngine) -> None:
    clock = ManualClock()
    one, other = governor(store, clock), governor(store, clock)

    async def probe(took_ms: float) -> None:
        async def ask() -> float:
            return took_ms

        clock.advance(timedelta(seconds=10))
        await one.probe(ask)

    for _ in range(20):
        await probe(100)
    assert (await other.view()).width == 4
    for _ in range(7):
        await probe(900)
    seen = await other.view()
    assert (seen.width, seen.is_at_floor) == (1, True)

    clock.advance(timedelta(days=2))
    await probe(100)
    # Yesterday's probes are forgotten, so nothing is known to be slow: it grows again.
    clock.advance(timedelta(minutes=1))
    assert (await other.view()).width == 2
    await asyncio.gather(*(one.failed("x", began_at=clock.utc()) for _ in range(3)))
    assert (await other.view()).width == 1


async def test_slots_are_shared_and_given_back(store: AsyncEngine) -> None:
    clock = ManualClock()
    one, other = governor(store, clock), governor(store, clock)
    inside = 0
    most = 0
    are_two = asyncio.Event()

    async def batch(of: Governor) -> None:
        nonlocal inside, most
        async with of.slot():
            inside += 1
            most = max(most, inside)
            if inside == 2:
                are_two.set()
            await are_two.wait()
            inside -= 1

    await asyncio.gather(*(batch(each) for each in (one, other) * 6))
    assert 2 <= most <= 4


async def test_a_notice_lasts_as_long_as_it_is_renewed(store: AsyncEngine) -> None:
    notices = MirrorNotices(store)
    notice = MirrorNotice(
        flow="products", market="b2b_de", key="bulk/1", title="open", text="look", count=3
    )
    await notices.note(notice, lasts=timedelta(hours=1))
    await notices.note(notice, lasts=timedelta(hours=1))
    assert await notices.lasting() == [notice]
    await notices.note(notice, lasts=-timedelta(seconds=1))
    assert await notices.lasting() == []
