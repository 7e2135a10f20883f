"""Random schedules over replicas that share maps: what the ERP, Redis and people do to them.

The promises: what an ERP that lists too little says is believed by nobody; a map that was there
stays; once all is well each replica has what the ERP lists; one replica reads for all; and
whose a customer of the shop is, is answered as it was said last, whatever Redis has lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.ports import Listing
from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.maps import IdsState
from tests.fakes.kept_maps import FakeKept
from tests.fakes.master_data import make_customer, make_item
from tests.virtual_time import LoopClock, run_virtual

EVERY = timedelta(minutes=15)
REPLICAS = 3
SKUS = 40
IDS = range(1, 6)
# A change of a link reaches every replica within this.
FOLLOWED = 5.0


class Erp:
    """Lists all it has, or some, or nothing; what it has may change a little at a time."""

    def __init__(self) -> None:
        self.first = 0
        self.percent = 100
        self.is_down = False
        self.reads = 0

    def truth(self) -> list[str]:
        return [f"S-{number}" for number in range(self.first, self.first + SKUS)]

    async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
        del held
        self.reads += 1
        skus = self.truth()
        await self._answer()
        listed = skus[: len(skus) * self.percent // 100]
        return Listing({sku: make_item(sku) for sku in listed}, {"Products": len(listed)})

    async def customers(self, held: Mapping[str, Customer]) -> Listing[Customer]:
        del held
        await self._answer()
        return Listing({"C-1": make_customer("C-1")}, {"Customers": 1})

    async def customer(self, account: str, *, caller: Caller) -> Customer | None:
        del caller
        await self._answer()
        return make_customer(account) if account == "C-1" else None

    async def _answer(self) -> None:
        await asyncio.sleep(2)
        if self.is_down:
            raise UpstreamUnavailableError("down", system="fo")


@dataclass(frozen=True, slots=True)
class Replica:
    """One of them: since when it runs, and whether Redis told it all ids at its start."""

    maps: MarketMaps
    started_at: float
    knew_ids: bool


class Place:
    """Three replicas, their ERP and Redis, and the sync that links customers."""

    def __init__(self) -> None:
        self.erp = Erp()
        self.kept = FakeKept(state=IdsState.COMPLETE)
        self.links = {number: f"C-{number}" for number in IDS}
        self.changed_at = dict.fromkeys(IDS, 0.0)
        self.replicas: list[Replica] = []

    @property
    def is_whole(self) -> bool:
        """Whether Redis answers, and holds all that was ever written."""
        return not self.kept.is_cut and len(self.kept.maps) == 2 and self.has_ids

    @property
    def has_ids(self) -> bool:
        return self.kept.state is IdsState.COMPLETE

    @property
    def are_ready(self) -> bool:
        return all(each.maps.is_ready for each in self.replicas)

    async def open(self) -> None:
        """Start one more replica."""
        maps = MarketMaps(
            "b2b_de",
            reader=self.erp,
            kept=self.kept,
            clock=LoopClock(asyncio.get_running_loop()),
            refresh_every=EVERY,
            least_percent=90,
        )
        knew_ids = not self.kept.is_cut and self.has_ids
        await maps.__aenter__()
        self.replicas.append(Replica(maps, asyncio.get_running_loop().time(), knew_ids))

    async def close(self, which: int) -> None:
        await self.replicas.pop(which).maps.__aexit__(None, None, None)

    def publish(self) -> None:
        """What the sync does: a Redis that is there gets all of it."""
        if not self.kept.is_cut:
            self.kept.accounts, self.kept.state = dict(self.links), IdsState.COMPLETE

    async def check(self) -> None:
        """The promises, at any moment."""
        for replica in self.replicas:
            items = replica.maps.items()
            assert items is None or len(items) == SKUS, "too little was believed"
            for number in IDS:
                await self._check_id(replica, number)

    async def _check_id(self, replica: Replica, number: int) -> None:
        linked = self.links.get(number)
        is_settled = asyncio.get_running_loop().time() - self.changed_at[number] > FOLLOWED
        if not self.kept.is_cut and self.has_ids:
            if is_settled:
                assert await replica.maps.account_of(number) == linked
        elif linked and replica.knew_ids and self.changed_at[number] < replica.started_at:
            assert await replica.maps.account_of(number) == linked, "Redis cannot tell: memory must"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What may happen next; what makes no sense at the moment is left out."""

    does: Callable[[Place], Awaitable[None]]
    may: Callable[[Place], bool] = lambda _: True


async def cut(place: Place) -> None:
    place.kept.is_cut = True


async def mend(place: Place) -> None:
    place.kept.is_cut = False
    if place.is_whole:
        await asyncio.sleep(2)
        assert place.are_ready, "the kept maps are there again"


async def evict_maps(place: Place) -> None:
    place.kept.maps.clear()


async def evict_ids(place: Place) -> None:
    place.kept.lose_ids()


async def publish(place: Place) -> None:
    place.publish()


async def change_catalog(place: Place) -> None:
    place.erp.first += 2


def listing(percent: int) -> Happening:
    async def does(place: Place) -> None:
        place.erp.percent = percent

    # Whoever knows nothing yet has nothing to judge an answer by.
    return Happening(does=does, may=lambda place: percent == 100 or place.are_ready)


def outage(*, is_down: bool) -> Happening:
    async def does(place: Place) -> None:
        place.erp.is_down = is_down

    return Happening(does=does)


def restart(which: int) -> Happening:
    async def does(place: Place) -> None:
        await place.close(which)
        await place.open()

    return Happening(does=does, may=lambda place: place.erp.percent == 100 or place.is_whole)


def link(number: int, account: str | None) -> Happening:
    async def does(place: Place) -> None:
        place.links.pop(number, None)
        if account is not None:
            place.links[number] = account
        place.changed_at[number] = asyncio.get_running_loop().time()
        place.publish()

    return Happening(does=does, may=lambda place: not place.kept.is_cut and place.has_ids)


def passing(seconds: float) -> Happening:
    async def does(_: Place) -> None:
        await asyncio.sleep(seconds)

    return Happening(does=does)


HAPPENINGS = st.one_of(
    st.sampled_from([0.5, 3.0, 10.0, 70.0, 600.0, 1000.0]).map(passing),
    st.sampled_from([0, 50, 89, 100]).map(listing),
    st.booleans().map(lambda is_down: outage(is_down=is_down)),
    st.integers(0, REPLICAS - 1).map(restart),
    st.builds(link, st.sampled_from(IDS), st.sampled_from([None, "C-1", "C-9"])),
    st.sampled_from([cut, mend, evict_maps, evict_ids, publish, change_catalog]).map(
        lambda does: Happening(does=does)
    ),
)


@settings(max_examples=50)
@given(schedule=st.lists(HAPPENINGS, max_size=25))
def test_whatever_happens_maps_are_whole_and_customers_are_known(
    schedule: list[Happening],
) -> None:
    run_virtual(_play(schedule))


async def _play(schedule: list[Happening]) -> None:
    place = Place()
    place.publish()
    for _ in range(REPLICAS):
        await place.open()
    try:
        await asyncio.sleep(30)
        for each in schedule:
            if each.may(place):
                await each.does(place)
            await place.check()
        await _calm_down(place)
    finally:
        while place.replicas:
            await place.close(0)


async def _calm_down(place: Place) -> None:
    """Once all is well, everybody has what the ERP lists, and one reads for all."""
    place.erp.percent, place.erp.is_down, place.kept.is_cut = 100, False, False
    place.publish()
    await asyncio.sleep(2 * EVERY.total_seconds())
    await place.check()
    for replica in place.replicas:
        assert set(replica.maps.items() or ()) == set(place.erp.truth())
        assert not replica.maps.ids.is_lost
        assert all(view.refused is None for view in replica.maps.views().values())
    before = place.erp.reads
    await asyncio.sleep(4 * EVERY.total_seconds())
    assert place.erp.reads - before <= 5, "one replica reads for all"
