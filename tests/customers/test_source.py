"""Which customers are entered: changes from the first start on, and whoever logs in."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from sync.customers.source import CustomerSource
from sync.magento.master_models import Customer
from tests.customers.test_flow import customer
from tests.fakes.entering import FakeEvents, polling
from tests.virtual_time import ManualClock


class FakeShop:
    """Customers by id."""

    def __init__(self) -> None:
        self.customers: dict[int, Customer] = {}

    def put(self, customer_id: int, at: datetime, *, website_id: int = 1) -> None:
        changes = {"updated_at": at, "website_id": website_id}
        self.customers[customer_id] = customer(customer_id).model_copy(update=changes)

    async def customer(self, customer_id: int) -> Customer | None:
        return self.customers.get(customer_id)

    async def customers_changed(self, since: datetime) -> AsyncGenerator[list[Customer], None]:
        yield [one for one in self.customers.values() if one.updated_at >= since]


class World:
    """A shop and what watches it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shop = FakeShop()
        self.events = FakeEvents()
        self.source = CustomerSource(
            self.shop,
            polling(self.events, self.clock),
            market_of_website={1: "b2b_de"},
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


async def test_each_change_is_entered_once() -> None:
    world = World()
    await world.source.poll()
    for _ in range(2):
        world.clock.advance(timedelta(minutes=1))
        world.shop.put(2, world.clock.utc())
        assert await world.source.poll() == 1

    assert {event["lock"] for event in world.events.entered.values()} == {"customers/b2b_de/#2"}


async def test_a_login_brings_a_customer_of_before() -> None:
    world = World()
    world.shop.put(1, world.clock.utc() - timedelta(days=9))
    world.shop.put(2, world.clock.utc(), website_id=9)

    assert await world.source.hint(customer_id=1) is True
    assert await world.source.hint(customer_id=2) is False
    assert await world.source.hint(customer_id=3) is False
