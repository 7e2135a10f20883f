"""Of many who claim one thing at once one has it, until it is given back or grows stale."""

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.links import MarketLinks

KIND, KEY = "customer_person", "c0ffee"
LONG, NONE = timedelta(hours=1), timedelta(0)


async def test_one_of_many_has_it(store: AsyncEngine) -> None:
    links = MarketLinks(store, "b2b_de")
    claims = [links.claim(KIND, KEY, f"b2b_de/{number}", stale_after=LONG) for number in range(8)]

    taken = await asyncio.gather(*claims)

    assert taken.count(True) == 1
    holder = f"b2b_de/{taken.index(True)}"
    assert await links.claim(KIND, KEY, holder, stale_after=LONG)
    assert await links.claim(KIND, "another", "b2b_de/9", stale_after=LONG)
    assert await MarketLinks(store, "b2c").claim(KIND, KEY, "b2c/9", stale_after=LONG)


async def test_only_its_holder_gives_it_back(store: AsyncEngine) -> None:
    links = MarketLinks(store, "b2b_de")
    assert await links.claim(KIND, KEY, "one", stale_after=LONG)

    await links.release(KIND, KEY, "two")
    assert not await links.claim(KIND, KEY, "two", stale_after=LONG)

    await links.release(KIND, KEY, "one")
    assert await links.claim(KIND, KEY, "two", stale_after=LONG)


async def test_a_stale_one_is_taken_over_and_its_holder_hears_of_it(store: AsyncEngine) -> None:
    links = MarketLinks(store, "b2b_de")
    assert await links.claim(KIND, KEY, "one", stale_after=LONG)

    assert await links.claim(KIND, KEY, "two", stale_after=NONE)

    assert not await links.claim(KIND, KEY, "one", stale_after=LONG)
