"""What the price service relies on holds for every cache: the fake, and over every Redis."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from pricing_proxy.cache import codec
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.prices.ports import CacheFailedError
from pricing_proxy.prices.query import Context
from tests.cache.shared_prices import (
    KEYS,
    PricesInFake,
    PricesInRedis,
    SharedPrices,
    entry,
    key,
)
from tests.interrupting import Moment, is_cut_short
from tests.redis_contract import KINDS, opened_redis


@pytest.fixture
def mine(unique: str) -> Context:
    return Context(unique, "C-1", "EUR")


@pytest.fixture
def theirs(unique: str) -> Context:
    return Context(unique, "C-2", "EUR")


@pytest.fixture(params=["fake", *KINDS])
async def shared(
    request: pytest.FixtureRequest, mine: Context, theirs: Context
) -> AsyncIterator[SharedPrices]:
    if request.param == "fake":
        yield PricesInFake()
        return
    async with opened_redis(request.param, request) as redis:
        yield PricesInRedis(redis)
        for context in (mine, theirs, mine._replace(currency="USD")):
            await redis.delete(KEYS.prices(context))


async def test_what_one_process_writes_another_reads(shared: SharedPrices, mine: Context) -> None:
    written = {key(1): entry("1.00"), key(2): entry("2.00")}
    await shared.cache().write(mine, written)

    found = await shared.cache().read(mine, [key(2), key(3), key(1)])

    assert found == written


async def test_nobody_reads_another_s_price(
    shared: SharedPrices, mine: Context, theirs: Context
) -> None:
    cache = shared.cache()
    await cache.write(mine, {key(1): entry("1.00")})

    assert await cache.read(theirs, [key(1)]) == {}
    assert await cache.read(mine._replace(currency="USD"), [key(1)]) == {}
    other_unit, other_quantity = key(1)._replace(unit="BOX"), key(1)._replace(quantity="10")
    assert await cache.read(mine, [other_unit, other_quantity]) == {}


async def test_a_later_write_replaces_an_earlier_one(shared: SharedPrices, mine: Context) -> None:
    cache = shared.cache()
    await cache.write(mine, {key(1): entry("1.00"), key(2): entry("2.00")})
    await cache.write(mine, {key(1): entry("1.50")})
    await cache.write(mine, {})

    found = await cache.read(mine, [key(1), key(2)])

    assert found == {key(1): entry("1.50"), key(2): entry("2.00")}


async def test_memory_and_redis_know_nothing_of_each_other(
    shared: SharedPrices, mine: Context
) -> None:
    """Which level keeps what is the service's decision."""
    cache = shared.cache()
    cache.remember(mine, {key(1): entry("1.00")})
    await cache.write(mine, {key(2): entry("2.00")})

    assert dict(cache.shelf(mine)) == {key(1): entry("1.00")}
    assert dict(shared.cache().shelf(mine)) == {}
    assert await cache.read(mine, [key(1), key(2)]) == {key(2): entry("2.00")}


async def test_bad_bytes_are_a_miss_until_they_are_written_over(
    shared: SharedPrices, mine: Context
) -> None:
    cache = shared.cache()
    good = codec.encode(entry("1.00"), time=SharedTime(0, 1))
    damaged = good[:-2] + b"9" + good[-1:]
    bad = [b"", b"\0", good[:-1], damaged, good + b" ", b"\xff" * 60]
    for number, value in enumerate(bad):
        await shared.put(mine, key(number), value)
    await cache.write(mine, {key(99): entry("9.00")})
    keys = [key(99), *map(key, range(len(bad)))]

    assert await cache.read(mine, keys) == {key(99): entry("9.00")}

    await cache.write(mine, {key(0): entry("1.00")})
    assert await cache.read(mine, keys) == {key(99): entry("9.00"), key(0): entry("1.00")}


async def test_a_failure_is_neither_a_hit_nor_a_miss(shared: SharedPrices, mine: Context) -> None:
    cache = shared.cache()
    await shared.fail(mine)

    with pytest.raises(CacheFailedError):
        await cache.read(mine, [key(1)])
    with pytest.raises(CacheFailedError):
        await cache.write(mine, {key(1): entry("1.00")})


@pytest.mark.parametrize("moment", Moment)
async def test_a_reader_cancelled_anywhere_leaves_the_next_one_its_own_prices(
    shared: SharedPrices, mine: Context, theirs: Context, moment: Moment
) -> None:
    """An answer left behind on a connection would be taken for the next one's."""
    cache = shared.cache()
    await cache.write(mine, {key(1): entry("1.00")})
    await cache.write(theirs, {key(1): entry("2.00")})

    for place in count(1):
        is_cut = await is_cut_short(cache.read(mine, [key(1)]), at=place, moment=moment)
        assert await cache.read(theirs, [key(1)]) == {key(1): entry("2.00")}
        assert await cache.read(mine, [key(1)]) == {key(1): entry("1.00")}
        if not is_cut:
            break
    assert place > 1


@pytest.mark.parametrize("moment", Moment)
async def test_a_writer_cancelled_anywhere_leaves_all_or_nothing(
    shared: SharedPrices, mine: Context, theirs: Context, moment: Moment
) -> None:
    cache = shared.cache()
    await cache.write(theirs, {key(1): entry("2.00")})

    for place in count(1):
        values = {key(2 * place): entry(f"{place}.25"), key(2 * place + 1): entry(f"{place}.50")}
        is_cut = await is_cut_short(cache.write(mine, values), at=place, moment=moment)
        assert await cache.read(theirs, [key(1)]) == {key(1): entry("2.00")}
        found = await cache.read(mine, list(values))
        assert found in (({}, values) if is_cut else (values,))
        await cache.write(mine, values)
        assert await cache.read(mine, list(values)) == values
        if not is_cut:
            break
    assert place > 1
