"""The maps of a market: kept over a restart, refreshed, and standing while the ERP is away."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from pricing_proxy.prices.held_map import MapView
from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.ports import Listing
from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.kept_map import KeptMap
from pricing_proxy.shared_state.maps import SharedStateError
from tests.fakes.erp import outage_of
from tests.fakes.kept_maps import FakeKept
from tests.fakes.master_data import make_customer, make_item
from tests.virtual_time import LoopClock

ERP_AWAY = outage_of(UpstreamUnavailableError)
EVERY = timedelta(minutes=15)


@dataclass
class FakeReader:
    """An ERP's catalog; counts how often it is read."""

    skus: list[str] = field(default_factory=lambda: ["S-1"])
    accounts: list[str] = field(default_factory=lambda: ["C-1"])
    outage: Callable[[], Exception] | None = None
    read_at: list[float] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
        del held
        self.read_at.append(asyncio.get_running_loop().time())
        await self._answer()
        return Listing({sku: make_item(sku) for sku in self.skus}, {"Products": len(self.skus)})

    async def customers(self, held: Mapping[str, Customer]) -> Listing[Customer]:
        del held
        await self._answer()
        rows = {account: make_customer(account) for account in self.accounts}
        return Listing(rows, {"Customers": len(rows)})

    async def customer(self, account: str, *, caller: Caller) -> Customer | None:
        self.looked_up.append(account)
        self.callers.append(caller)
        await self._answer()
        return make_customer(account) if account in self.accounts else None

    async def _answer(self) -> None:
        await asyncio.sleep(0.1)
        if self.outage is not None:
            raise self.outage()


def maps_of(
    reader: FakeReader,
    kept: FakeKept,
    *,
    seeds: Mapping[int, str] | None = None,
    least_percent: int = 90,
) -> MarketMaps:
    return MarketMaps(
        "b2b_de",
        reader=reader,
        kept=kept,
        clock=LoopClock(asyncio.get_running_loop()),
        refresh_every=EVERY,
        least_percent=least_percent,
        seeds=seeds,
    )


async def test_maps_are_read_at_start_and_every_quarter_of_an_hour() -> None:
    reader, kept = FakeReader(), FakeKept()
    started = asyncio.get_running_loop().time()
    async with maps_of(reader, kept) as maps:
        assert (maps.is_ready, maps.items(), maps.customer("C-1")) == (False, None, None)
        assert maps.views() == {}
        await asyncio.sleep(1)
        assert maps.is_ready
        assert maps.items() == {"S-1": make_item("S-1")}
        assert maps.customer("C-1") == make_customer("C-1")
        assert maps.customers() == {"C-1": make_customer("C-1")}
        assert maps.views() == {
            "items": MapView(1, timedelta(seconds=1), 0, None),
            "customers": MapView(1, timedelta(seconds=1), 0, None),
        }
        reader.skus.append("S-2")
        await asyncio.sleep(EVERY.total_seconds())
        assert set(maps.items() or {}) == {"S-1", "S-2"}
    assert [at - started for at in reader.read_at] == pytest.approx([0, 900.2])
    await asyncio.sleep(10 * EVERY.total_seconds())
    assert len(reader.read_at) == 2


async def test_kept_maps_serve_a_start_without_the_erp() -> None:
    kept = FakeKept()
    async with maps_of(FakeReader(), kept):
        await asyncio.sleep(1)
    away = FakeReader(outage=ERP_AWAY)
    async with maps_of(away, kept) as maps:
        assert maps.is_ready
        assert maps.customer("C-1") == make_customer("C-1")
        await asyncio.sleep(3600)
        assert maps.items() == {"S-1": make_item("S-1")}


async def test_a_failed_refresh_is_tried_again_soon_and_then_less_often() -> None:
    reader, kept = FakeReader(outage=ERP_AWAY), FakeKept()
    started = asyncio.get_running_loop().time()
    async with maps_of(reader, kept) as maps:
        await asyncio.sleep(250)
        waits = [at - started for at in reader.read_at]
        # 5, 10, 20, 40, 60, 60 s after an answer that takes 0.1 s.
        assert waits == pytest.approx([0, 5.1, 15.2, 35.3, 75.4, 135.5, 195.6])
        assert not maps.is_ready
        reader.outage = None
        await asyncio.sleep(10)
        assert maps.is_ready
        reader.outage = ERP_AWAY
        await asyncio.sleep(EVERY.total_seconds())
        tries = len(reader.read_at)
        await asyncio.sleep(5.2)
        assert len(reader.read_at) == tries + 1


async def test_a_row_that_breaks_a_refresh_does_not_end_all_refreshing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Maps that silently age for ever would be noticed by nobody."""
    reader = FakeReader(outage=lambda: ValueError("a row nobody thought of"))
    async with maps_of(reader, FakeKept()) as maps:
        await asyncio.sleep(1)
        reader.outage = None
        await asyncio.sleep(5)
        assert maps.is_ready
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


async def test_without_redis_maps_come_from_the_erp(caplog: pytest.LogCaptureFixture) -> None:
    async with maps_of(FakeReader(), FakeKept(is_cut=True)) as maps:
        await asyncio.sleep(1)
        assert maps.is_ready
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3


async def test_items_without_customers_are_not_ready() -> None:
    kept = FakeKept()
    kept.maps["items"] = KeptMap({}, LoopClock(asyncio.get_running_loop()).utc())
    async with maps_of(FakeReader(outage=ERP_AWAY), kept) as maps:
        assert not maps.is_ready
        assert list(maps.views()) == ["items"]


async def test_a_complete_map_knows_who_is_unknown() -> None:
    reader = FakeReader()
    async with maps_of(reader, FakeKept()) as maps:
        await asyncio.sleep(1)
        assert await maps.find_customer("C-9") is None
    assert reader.looked_up == []


async def test_without_a_map_the_erp_is_asked_once_a_minute_for_each_customer() -> None:
    reader = FakeReader()
    maps = maps_of(reader, FakeKept())  # not entered: nothing is read
    for account in ("C-1", "C-9"):
        expected = make_customer("C-1") if account == "C-1" else None
        assert await maps.find_customer(account, asked_by="shop") == expected
        assert await maps.find_customer(account, asked_by="other") == expected
    assert reader.looked_up == ["C-1", "C-9"]
    assert reader.callers == [Caller("shop", "b2b_de|C-1"), Caller("shop", "b2b_de|C-9")]
    await asyncio.sleep(60)
    reader.accounts.append("C-9")
    assert await maps.find_customer("C-9") == make_customer("C-9")


async def test_an_erp_that_cannot_tell_is_no_answer() -> None:
    """Not knowing a customer and not knowing whether there is one are different things."""
    reader = FakeReader(outage=ERP_AWAY)
    maps = maps_of(reader, FakeKept())
    with pytest.raises(UpstreamUnavailableError):
        await maps.find_customer("C-1")
    reader.outage = None
    assert await maps.find_customer("C-1") == make_customer("C-1")


async def test_shop_ids_are_seeded_and_remembered() -> None:
    kept = FakeKept()
    async with maps_of(FakeReader(outage=ERP_AWAY), kept, seeds={1: "C-1"}) as maps:
        await asyncio.sleep(0)
        kept.account_reads = 0
        assert [await maps.account_of(shop_id) for shop_id in (1, 1, 2, 2)] == [
            "C-1",
            "C-1",
            None,
            None,
        ]
        # An id that is not mapped may be at any moment: it is looked up each time.
        assert kept.account_reads == 3


async def test_a_seed_does_not_replace_what_the_sync_has_linked() -> None:
    kept = FakeKept(accounts={1: "C-2"})
    async with maps_of(FakeReader(), kept, seeds={1: "C-1", 3: "C-3"}) as maps:
        await asyncio.sleep(1)
        assert maps.ids.count == 2
    assert kept.accounts == {1: "C-2", 3: "C-3"}


@pytest.mark.parametrize("moved_to", ["C-2", None])
async def test_a_moved_or_unlinked_shop_id_is_followed_within_five_seconds(
    moved_to: str | None,
) -> None:
    """Between the maps lie fifteen minutes, in which somebody else's prices were shown."""
    kept = FakeKept()
    async with maps_of(FakeReader(), kept, seeds={1: "C-1"}) as maps:
        await asyncio.sleep(1)
        assert await maps.account_of(1) == "C-1"
        kept.accounts.pop(1)
        if moved_to is not None:
            kept.accounts[1] = moved_to
        await asyncio.sleep(5)
        assert await maps.account_of(1) == moved_to


async def test_who_was_known_stays_so_while_redis_is_away_but_not_for_ever() -> None:
    kept = FakeKept()
    async with maps_of(FakeReader(outage=ERP_AWAY), kept, seeds={1: "C-1"}) as maps:
        assert await maps.account_of(1) == "C-1"
        kept.is_cut = True
        await asyncio.sleep(10)
        assert await maps.account_of(1) == "C-1"
        assert await maps.account_of(1) == "C-1"
        kept.is_cut = False
        kept.accounts[1] = "C-2"
        await asyncio.sleep(1)
        assert await maps.account_of(1) == "C-2"
        kept.is_cut = True
        await asyncio.sleep(86_400)
        with pytest.raises(SharedStateError):
            await maps.account_of(1)


async def test_an_account_made_after_the_map_was_read_is_known_at_once() -> None:
    """A new customer had no prices for fifteen minutes."""
    reader, kept = FakeReader(), FakeKept()
    async with maps_of(reader, kept) as maps:
        await asyncio.sleep(1)
        assert await maps.find_customer("C-9") is None
        kept.noted["C-9"] = make_customer("C-9")
        assert await maps.find_customer("C-9") == make_customer("C-9")
        kept.is_cut = True
        assert await maps.find_customer("C-9") == make_customer("C-9")
        await asyncio.sleep(6)
        assert await maps.find_customer("C-9") == make_customer("C-9")
        assert await maps.find_customer("C-10") is None


async def test_a_lost_redis_is_not_an_unknown_shop_id() -> None:
    maps = maps_of(FakeReader(), FakeKept(is_cut=True))
    with pytest.raises(SharedStateError):
        await maps.account_of(1)


async def test_single_answers_are_remembered_within_bounds() -> None:
    reader, kept = FakeReader(), FakeKept(accounts={n: f"C-{n}" for n in range(10_001)})
    maps = maps_of(reader, kept)
    for number in range(10_001):
        await maps.account_of(number)
    await maps.account_of(10_000)
    assert kept.account_reads == 10_001
    await maps.account_of(0)
    assert kept.account_reads == 10_002


async def test_lookups_of_customers_are_remembered_within_bounds() -> None:
    """An attacker's made-up accounts must not fill the memory, nor push out the newest."""
    reader = FakeReader()
    maps = maps_of(reader, FakeKept())

    async def look_up(number: int) -> None:
        await maps.find_customer(f"X-{number}")

    await asyncio.gather(*map(look_up, range(10_001)))
    asked = len(reader.looked_up)
    await look_up(10_000)
    assert len(reader.looked_up) == asked
    await look_up(0)
    assert len(reader.looked_up) == asked + 1


async def test_leaving_before_anything_was_read_is_no_error() -> None:
    maps = maps_of(FakeReader(), FakeKept())
    await maps.__aexit__(None, None, None)


def clashes_of(maps: MarketMaps) -> Mapping[str, int]:
    return {name: view.clashes for name, view in maps.views().items()}


async def test_rows_are_found_by_any_spelling_and_clashes_are_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two rows that differ in case alone are the ERP's affair; that one hides is ours to say."""
    reader = FakeReader(skus=["LAMP", "Lamp", "SHADE"], accounts=["C-1", "c-1", "C-2"])
    async with maps_of(reader, FakeKept(), least_percent=0) as maps:
        await asyncio.sleep(1)
        items = maps.items()
        assert items is not None
        assert [items.find(name) for name in ("LAMP", "Lamp", "lamp", "shade ")] == [
            make_item("LAMP"),
            make_item("Lamp"),
            make_item("LAMP"),
            make_item("SHADE"),
        ]
        assert maps.customer("c-1") == make_customer("c-1")
        assert maps.customer(" C-1") == make_customer("C-1")
        assert clashes_of(maps) == {"items": 1, "customers": 1}
        await asyncio.sleep(EVERY.total_seconds())
        assert [record.getMessage() for record in caplog.records] == [
            f"market b2b_de: 1 {name} differ from others in nothing but letter case or outer "
            "blanks, and are found by their own spelling only"
            for name in ("items", "customers")
        ]
        reader.skus.remove("Lamp")
        reader.accounts.append(" C-2")
        await asyncio.sleep(EVERY.total_seconds())
        assert clashes_of(maps) == {"items": 0, "customers": 2}
    assert len(caplog.records) == 3


async def test_a_large_map_is_taken_in_slices() -> None:
    """Answers are written in between."""
    reader = FakeReader(skus=[f"S-{number}" for number in range(5000)])
    async with maps_of(reader, FakeKept()) as maps:
        await asyncio.sleep(1)
        items = maps.items()
        assert items is not None
        assert items.find("s-4999") == make_item("S-4999")


async def test_another_spelling_of_an_unknown_customer_is_no_second_question() -> None:
    reader = FakeReader()
    maps = maps_of(reader, FakeKept())
    assert await maps.find_customer("C-1") == await maps.find_customer("c-1")
    assert await maps.find_customer("C-9") == await maps.find_customer(" c-9")
    assert reader.looked_up == ["C-1", "C-9"]
