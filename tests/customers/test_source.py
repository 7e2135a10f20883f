"""Which customers are entered: changes from the first start on, and whoever logs in."""

from collections.abc import AsyncGenerator, Collection
from datetime import datetime, timedelta
from typing import Any

import pytest

from sync.customers.source import CustomerSource
from sync.customers.versions import CARRIED, is_carried, remember_carried, remember_own, version_of
from sync.engine.windows import Window
from sync.magento.customer_models import ShopCustomer
from sync.magento.odd_rows import RowPage
from sync.magento.wire_types import CustomAttribute
from tests.customers.test_flow import customer
from tests.fakes.entering import FakeEvents, polling
from tests.fakes.listing import FakeListing
from tests.fakes.order_shop import FakeLinks
from tests.virtual_time import ManualClock


class FakeShop:
    """Customers by id."""

    def __init__(self) -> None:
        self.customers: dict[int, ShopCustomer] = {}
        self.listing = FakeListing(lambda: self.customers)

    def put(self, customer_id: int, at: datetime, *, website_id: int = 1) -> None:
        changes = {"updated_at": at, "website_id": website_id}
        self.customers[customer_id] = customer(customer_id).model_copy(update=changes)

    async def customers_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[ShopCustomer], None]:
        found = [one for one in self.customers.values() if window.takes(one.id, one.updated_at)]
        yield self.listing.page(found, without=without)


class World:
    """A shop and what watches it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shop = FakeShop()
        self.events = FakeEvents()
        self.links = FakeLinks()
        self.source = CustomerSource(
            self.shop,
            polling(self.events, self.clock),
            market_of_website={1: "b2b_de"},
            links={"b2b_de": self.links},
        )


async def test_a_first_start_brings_no_history() -> None:
    world = World()
    world.shop.put(1, world.clock.utc() - timedelta(days=9))

    assert await world.source.poll() == 0

    world.clock.advance(timedelta(minutes=1))
    world.shop.put(2, world.clock.utc())
    assert await world.source.poll() == 1
    assert await world.source.poll() == 0
    assert world.events.keys == ["2"]


async def test_a_change_that_became_visible_late_is_found_by_the_sweep() -> None:
    """Dated by a transaction that took an hour; what is older than the first sweep is history."""
    world = World()
    world.shop.put(1, world.clock.utc() - timedelta(days=9))
    assert await world.source.sweep() + await world.source.poll() == 0
    world.clock.advance(timedelta(hours=3))
    world.shop.put(2, world.clock.utc())
    assert await world.source.poll() == 1

    world.shop.put(3, world.clock.utc() - timedelta(hours=1))
    assert await world.source.poll() == 0
    assert await world.source.sweep() == 1
    world.shop.put(4, world.clock.utc() - timedelta(hours=1))
    assert await world.source.sweep() == 1
    assert world.events.keys == ["2", "3", "4"]


async def test_a_new_customer_who_is_dated_long_ago_is_found_by_the_sweep() -> None:
    """The poll goes by dates; an import may write whatever it likes."""
    world = World()
    world.shop.put(1, world.clock.utc() - timedelta(days=9))
    assert await world.source.sweep() + await world.source.poll() == 0

    world.shop.put(2, world.clock.utc() - timedelta(days=9))
    assert await world.source.poll() == 0
    assert await world.source.sweep() == 1
    assert [await world.source.sweep() for _ in range(3)] == [0, 0, 0]
    assert world.events.keys == ["2"]


async def test_each_change_is_entered_once() -> None:
    world = World()
    await world.source.poll()
    for _ in range(2):
        world.clock.advance(timedelta(minutes=1))
        world.shop.put(2, world.clock.utc())
        assert await world.source.poll() == 1

    assert {event["lock"] for event in world.events.entered.values()} == {"customers/b2b_de/#2"}


async def test_a_change_is_not_entered_beside_an_event_that_will_read_it() -> None:
    """A stranger who tries passwords moves `updated_at` each time, and `failed` lists every one."""
    world = World()
    await world.source.poll()
    for _ in range(9):
        world.clock.advance(timedelta(seconds=5))
        world.shop.put(2, world.clock.utc())
        world.shop.put(3, world.clock.utc())
        await world.source.poll()
        world.events.to_begin.add("customers/b2b_de/#2")
        assert await world.source.hint(2) is False

    assert world.events.keys.count("2") == 1
    assert world.events.keys.count("3") == 9


async def test_wrong_passwords_of_a_customer_who_was_carried_cost_nothing() -> None:
    """A real shop moves `updated_at` at each; every event would have asked the ERP twice."""
    world = World()
    await world.source.poll()
    world.shop.put(2, world.clock.utc())
    await world.source.poll()
    await remember_carried(world.links, world.shop.customers[2])
    for _ in range(9):
        world.clock.advance(timedelta(seconds=5))
        world.shop.put(2, world.clock.utc())
        assert await world.source.poll() == 0

    world.clock.advance(timedelta(seconds=5))
    rewritten = CustomAttribute(attribute_code="erp_account", value="C-1001")
    theirs = {"updated_at": world.clock.utc(), "custom_attributes": (rewritten,)}
    world.shop.customers[2] = world.shop.customers[2].model_copy(update=theirs)
    assert await world.source.poll() == 1


# As a database has them since the flow's first day, for the customer below.
_KEPT_VERSION = "2026-11-02T09:00:00+00:00/9dfdf2a352cdef9c"
_KEPT_WHOLE = "7c4f2e3eb8eb53cb"
_OF_BEFORE: dict[str, Any] = {
    "id": 7,
    "group_id": 2,
    "website_id": 3,
    "store_id": 3,
    "email": "ann@example.com",
    "firstname": "Ann",
    "lastname": "Müller",
    "taxvat": "DE100000001",
    "created_at": "2026-11-01 08:00:00",
    "updated_at": "2026-11-02 09:00:00",
    "default_billing": "5",
    "addresses": [
        {
            "id": 5,
            "firstname": "Ann",
            "lastname": "Müller",
            "street": ["Weg 1"],
            "city": "Köln",
            "postcode": "50667",
            "country_id": "DE",
            "region": {"region_id": 0},
            "telephone": "1",
            "default_billing": True,
        }
    ],
    "custom_attributes": [{"attribute_code": "erp_account", "value": "C-1001"}],
}


async def test_what_older_programs_kept_of_a_customer_is_still_understood() -> None:
    """A model whose members were only moved changed every digest: all were carried again."""
    links, ann = FakeLinks(), ShopCustomer.model_validate(_OF_BEFORE)
    await links.remember(CARRIED, "7", _KEPT_WHOLE)

    assert await is_carried(links, ann)
    assert version_of(ann) == _KEPT_VERSION
    for change in ({"city": "Bonn"}, {"region": {"region_id": 91}}, {"telephone": "2"}):
        moved = {**_OF_BEFORE, "addresses": [_OF_BEFORE["addresses"][0] | change]}
        assert not await is_carried(links, ShopCustomer.model_validate(moved))


async def test_a_login_brings_a_customer_of_before() -> None:
    world = World()
    world.shop.put(1, world.clock.utc() - timedelta(days=9))
    world.shop.put(2, world.clock.utc(), website_id=9)

    assert await world.source.hint(1) is True
    assert await world.source.hint(2) is False
    assert await world.source.hint(3) is False


async def test_what_a_write_of_ours_made_is_not_entered() -> None:
    world = World()
    await world.source.poll()
    world.shop.put(1, world.clock.utc())
    assert await world.source.poll() == 1

    read = world.shop.customers[1]
    world.clock.advance(timedelta(seconds=3))
    attribute = CustomAttribute(attribute_code="erp_account", value="C-1")
    ours = {"updated_at": world.clock.utc(), "custom_attributes": (attribute,), "group_id": 4}
    world.shop.customers[1] = read.model_copy(update=ours)
    await remember_own(world.links, read, world.shop.customers[1], group_id=4)

    assert await world.source.poll() == 0
    assert await world.source.hint(1) is False
    world.clock.advance(timedelta(seconds=3))
    later = {"updated_at": world.clock.utc(), "lastname": "Byron"}
    world.shop.customers[1] = world.shop.customers[1].model_copy(update=later)
    assert await world.source.poll() == 1


@pytest.mark.parametrize("theirs", [{"lastname": "Byron"}, {"group_id": 9}])
async def test_what_somebody_else_changed_meanwhile_is_entered(theirs: dict[str, Any]) -> None:
    """The answer to our write holds it too, and it was not carried."""
    world = World()
    await world.source.poll()
    world.shop.put(1, world.clock.utc())
    read = world.shop.customers[1]
    await world.source.poll()

    world.clock.advance(timedelta(seconds=3))
    world.shop.customers[1] = read.model_copy(update={"updated_at": world.clock.utc(), **theirs})
    await remember_own(world.links, read, world.shop.customers[1], group_id=read.group_id)

    assert await world.source.poll() == 1


async def test_two_changes_in_one_second_are_both_entered() -> None:
    """The shop tells whole seconds only; the second was taken for the first."""
    world = World()
    await world.source.poll()
    world.shop.put(1, world.clock.utc())
    assert await world.source.poll() == 1

    changed = world.shop.customers[1].model_copy(update={"lastname": "Byron"})
    world.shop.customers[1] = changed

    # The row has the date that was read: it is asked for once more when nothing can come.
    world.clock.advance(timedelta(seconds=40))

    assert await world.source.poll() == 1
    assert await world.source.poll() == 0
