"""Maps that the ERP lists too little of, that Redis brings late, and that replicas share."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TypeVar

import pytest

from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.ports import Listing
from pricing_proxy.resilience.errors import UpstreamContractError
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.kept_map import KeptMap, MapKind
from pricing_proxy.shared_state.maps import IdsState, SharedStateError
from tests.fakes.kept_maps import FakeKept
from tests.prices.test_master_data import ERP_AWAY, EVERY, FakeReader, maps_of

R = TypeVar("R")
MANY = [f"S-{number}" for number in range(168)]


def warnings_of(caplog: pytest.LogCaptureFixture, part: str) -> int:
    return sum(part in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("answered", [0, 60, 151])
async def test_an_answer_that_lists_too_little_replaces_nothing(
    answered: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A lost right looks like an empty catalog: every SKU was unknown and nothing was logged."""
    reader, kept = FakeReader(skus=MANY, accounts=["C-1"]), FakeKept()
    async with maps_of(reader, kept) as maps:
        await asyncio.sleep(1)
        reader.skus, reader.accounts = MANY[:answered], ["C-1", "C-2"]
        await asyncio.sleep(2 * EVERY.total_seconds())

        assert len(maps.items() or ()) == len(kept.maps["items"].rows) == 168
        assert maps.customer("C-2") is not None  # the other map is judged by itself
        assert maps.views()["items"].refused is not None
        assert maps.views()["customers"].refused is None
        assert len(caplog.records) == warnings_of(caplog, "what stood before stands") == 1
        with pytest.raises(UpstreamContractError):
            await maps.refresh()

        reader.skus = MANY[:152]
        await asyncio.sleep(2 * EVERY.total_seconds())
        assert len(maps.items() or ()) == 152
        assert maps.views()["items"].refused is None


async def test_rows_that_could_not_be_read_are_told_once_and_until_they_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Odd(FakeReader):
        told = ""

        async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
            listing = await super().items(held)
            return listing._replace(odd=self.told, odd_count=len(self.told.split()))

    reader, kept = Odd(skus=MANY, accounts=["C-1"]), FakeKept()
    async with maps_of(reader, kept) as maps:
        for told, times in (("Products: one", 1), ("Products: one", 1), ("Products: 2 so", 2)):
            reader.told = told
            await asyncio.sleep(EVERY.total_seconds() + 1)
            assert maps.views()["items"].odd == told
            assert maps.views()["items"].odd_count == len(told.split())
            assert warnings_of(caplog, "Products: ") == times
            assert len(maps.items() or ()) == 168
        reader.told = ""
        await asyncio.sleep(EVERY.total_seconds() + 1)
        assert (maps.views()["items"].odd, maps.views()["items"].odd_count) == ("", 0)


async def test_a_short_set_is_seen_where_the_map_as_a_whole_is_long_enough() -> None:
    """Few variants among many products: all of them gone are less than a tenth of the map."""

    class Sets(FakeReader):
        variants = 5

        async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
            listing = await super().items(held)
            return listing._replace(sizes={"Products": 163, "Variants": self.variants})

    reader = Sets(skus=MANY)
    async with maps_of(reader, FakeKept()) as maps:
        await asyncio.sleep(1)
        reader.skus, reader.variants = MANY[:163], 0
        await asyncio.sleep(EVERY.total_seconds())
        assert maps.views()["items"].refused == "the ERP lists 0 of 5 Variants, less than 90 %"
        assert len(maps.items() or ()) == 168


async def test_the_map_of_an_earlier_run_is_what_an_answer_is_judged_by() -> None:
    kept = FakeKept()
    async with maps_of(FakeReader(skus=MANY), kept):
        await asyncio.sleep(1)
    await asyncio.sleep(EVERY.total_seconds())
    async with maps_of(FakeReader(skus=MANY[:60]), kept) as maps:
        await asyncio.sleep(60)
        assert len(maps.items() or ()) == 168


async def test_an_empty_answer_is_none_even_where_nothing_stands_yet() -> None:
    reader = FakeReader(skus=[])
    async with maps_of(reader, FakeKept(), least_percent=0) as maps:
        await asyncio.sleep(1)
        assert not maps.is_ready
        assert maps.views()["items"].refused == "the ERP lists no items"
        reader.skus = MANY[:1]
        await asyncio.sleep(10)
        assert maps.is_ready


async def test_how_much_may_go_is_a_matter_of_configuration() -> None:
    reader = FakeReader(skus=MANY)
    async with maps_of(reader, FakeKept(), least_percent=30) as maps:
        await asyncio.sleep(1)
        reader.skus = MANY[:60]
        await asyncio.sleep(EVERY.total_seconds())
        assert len(maps.items() or ()) == 60


async def test_kept_maps_are_looked_for_until_they_are_there() -> None:
    """Redis was still loading at the start, the ERP was down: it was never ready."""
    kept = FakeKept()
    async with maps_of(FakeReader(), kept):
        await asyncio.sleep(1)
    kept.is_cut = True
    async with maps_of(FakeReader(outage=ERP_AWAY), kept) as maps:
        await asyncio.sleep(300)
        assert not maps.is_ready
        kept.is_cut = False
        await asyncio.sleep(1.5)
        assert maps.is_ready


async def test_kept_maps_are_taken_while_the_erp_takes_its_time() -> None:
    """Listing a large catalog takes minutes, in which a replica could answer by the kept one."""

    class Slow(FakeReader):
        async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
            await asyncio.sleep(300)
            return await super().items(held)

    kept = FakeKept()
    async with maps_of(FakeReader(), kept):
        await asyncio.sleep(1)
    kept.is_cut = True
    async with maps_of(Slow(), kept) as maps:
        await asyncio.sleep(10)
        kept.is_cut = False
        await asyncio.sleep(1.5)
        assert maps.is_ready


async def test_a_kept_map_that_went_between_two_looks_changes_nothing() -> None:
    """Redis may evict a map whose head was read a moment ago, or hold one that is unreadable."""

    class Evicting(FakeKept):
        async def read(
            self, kind: MapKind[R], market: str, held: Mapping[str, R] | None = None
        ) -> KeptMap[R] | None:
            await super().read(kind, market, held)
            return None

    kept = FakeKept()
    async with maps_of(FakeReader(), kept):
        await asyncio.sleep(1)
    async with maps_of(FakeReader(outage=ERP_AWAY), Evicting(maps=kept.maps)) as maps:
        await asyncio.sleep(5)
        assert not maps.is_ready
        assert maps.items() is None


async def test_what_was_read_while_redis_took_nothing_is_not_replaced_by_older() -> None:
    reader, kept = FakeReader(), FakeKept()
    async with maps_of(reader, kept) as maps:
        await asyncio.sleep(1)
        reader.skus.append("S-2")
        kept.takes_nothing = True
        await asyncio.sleep(EVERY.total_seconds())
        assert len(kept.maps["items"].rows) == 1
        kept.takes_nothing = False
        await asyncio.sleep(60)
        assert len(maps.items() or ()) == 2


async def replicas(
    stack: AsyncExitStack, kept: FakeKept, readers: list[FakeReader]
) -> list[MarketMaps]:
    return [await stack.enter_async_context(maps_of(reader, kept)) for reader in readers]


async def test_one_replica_reads_the_erp_and_the_others_take_it() -> None:
    readers, kept = [FakeReader() for _ in range(3)], FakeKept()
    async with AsyncExitStack() as stack:
        every = await replicas(stack, kept, readers)
        await asyncio.sleep(1.5)
        assert all(maps.is_ready for maps in every)
        assert sum(len(reader.read_at) for reader in readers) == 1
        for reader in readers:
            reader.skus.append("S-2")
        await asyncio.sleep(EVERY.total_seconds() + 20)
        assert [len(maps.items() or ()) for maps in every] == [2, 2, 2]
        assert sum(len(reader.read_at) for reader in readers) == 2
        await asyncio.sleep(10 * EVERY.total_seconds())
        assert sum(len(reader.read_at) for reader in readers) == pytest.approx(12, abs=1)


async def test_another_replica_reads_where_the_one_that_did_is_gone() -> None:
    slow, kept = FakeReader(), FakeKept()
    async with AsyncExitStack() as stack:
        (maps,) = await replicas(stack, kept, [FakeReader()])
        await asyncio.sleep(1)
        kept.turn = (*kept.turn[:1], 0.0)
        async with maps_of(slow, kept):
            await asyncio.sleep(0.15)  # begun, and dead before it ends
        slow.read_at.clear()
        maps_before = kept.maps["items"].as_of
        await asyncio.sleep(EVERY.total_seconds() + 80)
        assert kept.maps["items"].as_of > maps_before
        assert maps.is_ready


async def test_without_redis_every_replica_reads_for_itself() -> None:
    readers, kept = [FakeReader() for _ in range(3)], FakeKept(is_cut=True)
    async with AsyncExitStack() as stack:
        every = await replicas(stack, kept, readers)
        await asyncio.sleep(1)
        assert all(maps.is_ready for maps in every)


async def test_who_starts_when_the_kept_map_is_gone_does_not_wait_for_the_next_turn() -> None:
    kept = FakeKept()
    async with maps_of(FakeReader(), kept):
        await asyncio.sleep(1)
    kept.maps.clear()
    async with maps_of(FakeReader(), kept) as maps:
        await asyncio.sleep(1)
        assert maps.is_ready


async def test_who_asks_for_a_reading_gets_one_that_begins_later_and_shares_it() -> None:
    reader = FakeReader()
    async with maps_of(reader, FakeKept()) as maps:
        await asyncio.sleep(0.05)  # the first is under way
        await asyncio.gather(*(maps.refresh() for _ in range(50)))
        assert len(reader.read_at) == 2
        reader.outage = ERP_AWAY
        results = await asyncio.gather(*(maps.refresh() for _ in range(5)), return_exceptions=True)
        # The first of them began to read before the second asked.
        assert len(reader.read_at) == 4
        assert {type(result).__name__ for result in results} == {"UpstreamUnavailableError"}


IDS = {number: f"C-{number}" for number in range(1, 6)}


async def test_shop_ids_are_answered_from_memory_while_redis_is_down() -> None:
    """Nobody had asked for them yet: all were 503."""
    kept = FakeKept(accounts=dict(IDS), state=IdsState.COMPLETE)
    async with maps_of(FakeReader(), kept) as maps:
        await asyncio.sleep(1)
        kept.is_cut = True
        assert [await maps.account_of(number) for number in IDS] == list(IDS.values())
        await asyncio.sleep(3600)
        assert [await maps.account_of(number) for number in IDS] == list(IDS.values())
        with pytest.raises(SharedStateError):
            await maps.account_of(99)


async def test_lost_shop_ids_are_answered_from_memory_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The key was evicted: every customer of the shop was a 404."""
    kept = FakeKept(accounts=dict(IDS), state=IdsState.COMPLETE)
    async with maps_of(FakeReader(), kept) as maps:
        await asyncio.sleep(1)
        kept.lose_ids()
        assert [await maps.account_of(number) for number in IDS] == list(IDS.values())
        assert maps.ids.is_lost
        await asyncio.sleep(60)
        kept.accounts[1] = "C-9"  # the sync writes one of them, then all
        await asyncio.sleep(5)
        assert await maps.account_of(1) == "C-9"
        assert await maps.account_of(2) == "C-2"
        with pytest.raises(SharedStateError):
            await maps.account_of(99)
        kept.accounts, kept.state = {1: "C-9"}, IdsState.COMPLETE
        await asyncio.sleep(16)
        assert not maps.ids.is_lost
        assert await maps.account_of(2) is None
        assert await maps.account_of(99) is None
    assert warnings_of(caplog, "Redis has lost the accounts") == 1


async def test_lost_ids_of_the_configuration_are_written_again() -> None:
    kept = FakeKept()
    async with maps_of(FakeReader(), kept, seeds={1: "C-1", 2: "C-2"}) as maps:
        await asyncio.sleep(1)
        kept.lose_ids()
        assert await maps.account_of(2) == "C-2"
        await asyncio.sleep(20)
        assert kept.accounts == {1: "C-1", 2: "C-2"}
        assert await maps.account_of(1) == "C-1"
        assert not maps.ids.is_lost


async def test_a_refused_map_is_asked_for_less_and_less_often() -> None:
    """All of a catalog once a minute would be much to ask of an ERP."""
    reader = FakeReader(skus=MANY)
    async with maps_of(reader, FakeKept()):
        await asyncio.sleep(1)
        reader.skus = MANY[:10]
        await asyncio.sleep(EVERY.total_seconds() * 9)
        assert 10 < len(reader.read_at) < 20
