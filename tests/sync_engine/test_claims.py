"""Of many who claim one thing at once one has it, until it is given back or ends."""

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.claims import Claims

SCOPE, KEY = "customer_person/b2b_de", "c0ffee"
LONG, NONE = timedelta(hours=1), timedelta(0)


async def test_one_of_many_has_it(store: AsyncEngine) -> None:
    claims = Claims(store, SCOPE)
    tries = [claims.take(KEY, f"b2b_de/{number}", lasting=LONG) for number in range(8)]

    taken = await asyncio.gather(*tries)

    assert taken.count(True) == 1
    holder = f"b2b_de/{taken.index(True)}"
    assert await claims.take(KEY, holder, lasting=LONG)
    assert await claims.take("another", "b2b_de/9", lasting=LONG)
    assert await Claims(store, "customer_person/b2c").take(KEY, "b2c/9", lasting=LONG)


async def test_of_many_who_find_it_ended_one_has_it(store: AsyncEngine) -> None:
    """All wait for the row of the first, and look again at what it then holds."""
    claims = Claims(store, SCOPE)
    assert await claims.take(KEY, "stopped", lasting=NONE)

    taken = await asyncio.gather(*(claims.take(KEY, f"{n}", lasting=LONG) for n in range(8)))

    assert taken.count(True) == 1
    assert await claims.keep(KEY, f"{taken.index(True)}", lasting=LONG)


async def test_only_its_holder_gives_it_back(store: AsyncEngine) -> None:
    claims = Claims(store, SCOPE)
    assert await claims.take(KEY, "one", lasting=LONG)

    await claims.release(KEY, "two")
    assert not await claims.take(KEY, "two", lasting=LONG)

    await claims.release(KEY, "one")
    assert await claims.take(KEY, "two", lasting=LONG)


async def test_a_stale_one_is_taken_over_and_its_holder_hears_of_it(store: AsyncEngine) -> None:
    claims = Claims(store, SCOPE)
    assert await claims.take(KEY, "one", lasting=NONE)

    assert await claims.take(KEY, "two", lasting=LONG)

    assert not await claims.take(KEY, "one", lasting=LONG)
    assert not await claims.keep(KEY, "one", lasting=LONG)


async def test_what_another_had_meanwhile_is_not_kept(store: AsyncEngine) -> None:
    """It has looked and written, and given it back: what was read before is old."""
    claims = Claims(store, SCOPE)
    assert await claims.take(KEY, "one", lasting=NONE)
    assert await claims.take(KEY, "two", lasting=LONG)
    await claims.release(KEY, "two")

    assert not await claims.keep(KEY, "one", lasting=LONG)


async def test_an_ended_one_that_nobody_took_is_renewed(store: AsyncEngine) -> None:
    claims = Claims(store, SCOPE)
    assert await claims.take(KEY, "one", lasting=NONE)

    assert await claims.keep(KEY, "one", lasting=LONG)

    assert not await claims.take(KEY, "two", lasting=LONG)
