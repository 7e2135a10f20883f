"""How often a shop is asked while nothing happens in it, and how often each row is read by polls.

The sources are put together as in production, and ask a shop of tables; what is counted is what
reaches it. A minute has at most 15 requests, sweeps included, while the shop hints.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
import pytest

from pricing_proxy.http_exchange import Guard, Request
from pricing_proxy.http_replies import Reply
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.sandbox.shop.criteria import find, parse_criteria
from sync.customers.building import CUSTOMERS
from sync.engine.pace import Pace
from sync.engine.schedules import Schedule
from sync.magento.calls import Calls
from sync.magento.search import wire_instant
from sync.magento.shop import Shop
from sync.magento.shop_clock import ShopClock
from sync.orders.building import ORDERS
from sync.returns.building import RETURNS
from sync.settings import SyncSettings
from tests.d365.loopback import DirectPolicy
from tests.fakes.customer_links import FakeCompany
from tests.fakes.entering import FakeEvents, FakeWatermarks
from tests.fakes.given import given
from tests.fakes.order_shop import FakeLinks
from tests.virtual_time import ManualClock

MARKET = "b2b_de"
MOST_A_MINUTE = 15
FLOWS = (ORDERS, CUSTOMERS, RETURNS)
# What asks the shop; the rest asks the ERP or keeps the price service's map.
ASKING = ("poll", "sweep orders", "sweep customers", "sweep returns", "look at odd", "compare")
SECOND = timedelta(seconds=1)
TABLES = {"orders": "entity_id", "customers/search": "id", "creditmemos": "entity_id"}


@dataclass
class TableShop:
    """A transport to a shop of three tables.

    Attributes:
        rows: By route.
        asked_at: When, each time.
        reads: How often polls were answered each version of a row.
        is_polled: Whether it is a poll that asks now.
    """

    clock: ManualClock
    rows: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {route: {} for route in TABLES}
    )
    asked_at: list[datetime] = field(default_factory=list)
    reads: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    is_polled: bool = False
    system: str = "magento"
    base_url: str = "https://shop.example.com"

    def __post_init__(self) -> None:
        self.shop_clock = ShopClock(self.clock)

    async def send(
        self, request: Request, *, deadline: Deadline, guard: Guard | None = None
    ) -> Any:
        del deadline, guard
        self.asked_at.append(self.clock.utc())
        date = format_datetime(self.clock.utc().replace(microsecond=0), usegmt=True)
        headers = {"Content-Type": "application/json", "Date": date}
        reply = Reply(system=self.system, status=200, headers=headers, body=b"")
        self.shop_clock.hear(reply, took=timedelta(0))
        path, _, query = request.target.partition("?")
        route = path.removeprefix("/rest/V1/")
        id_name = TABLES[route]

        def read(row: Mapping[str, Any], name: str) -> Any:
            return row.get(id_name if name == "entity_id" else name)

        criteria = parse_criteria(parse_qsl(query))
        page, total = find(self.rows[route].values(), criteria, read)
        if self.is_polled:
            self.reads.update((route, row[id_name], row["updated_at"]) for row in page)
        return orjson.loads(orjson.dumps({"items": page, "total_count": total}))

    def write(self, route: str, ids: Sequence[int], **members: Any) -> None:
        """Change rows, as of now."""
        at = wire_instant(self.clock.utc())
        for row_id in ids:
            plain = {TABLES[route]: row_id, "increment_id": f"{row_id:09}", "created_at": at}
            more = {"store_id": 1, "website_id": 1, "state": 2 if route == "creditmemos" else "new"}
            row = self.rows[route].setdefault(row_id, {**plain, **more, "items": []})
            row |= {"updated_at": at, **members}


class World:
    """The sources of all flows, over that shop."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shop = TableShop(self.clock)
        self.marks = FakeWatermarks(self.clock)
        self.pace = Pace(self.marks, clock=self.clock, usual=5 * SECOND, is_hinted=True)
        calls = Calls(
            cast("Any", self.shop), policy=DirectPolicy(), clock=self.clock, call_time=SECOND
        )
        built = given(
            settings(),
            shop=Shop(calls, self.clock),
            erps=cast("Any", {"sandbox": None}),
            kept=FakeCompany({MARKET: FakeLinks()}),
            events=FakeEvents(),
            watermarks=self.marks,
            clock=self.clock,
        )
        built = replace(built, polling=replace(built.polling, pace=self.pace))
        flows = {flow.name: flow.build(built) for flow in FLOWS}
        self.hints = {name: flow.hint for name, flow in flows.items()}
        self.schedules = [
            each
            for flow in flows.values()
            for each in flow.schedules
            if each.name.startswith(ASKING)
        ]
        self.done_at: dict[str, datetime] = {}

    async def pass_by(self, time: timedelta) -> list[int]:
        """Do what is due, second by second; return how many requests each minute had."""
        begin, began_at = len(self.shop.asked_at), self.clock.utc()
        for _ in range(time // SECOND):
            self.clock.advance(SECOND)
            for schedule in self.schedules:
                await self._run_if_due(schedule)
        minutes = Counter((at - began_at) // (60 * SECOND) for at in self.shop.asked_at[begin:])
        return [minutes[minute] for minute in range(time // (60 * SECOND))]

    async def _run_if_due(self, schedule: Schedule) -> None:
        every = schedule.every if schedule.pace is None else await schedule.pace()
        now = self.clock.utc()
        others = [
            self.done_at[other.name]
            for other in self.schedules
            if schedule.apart and other.apart and other.name in self.done_at
        ]
        is_apart = all(now - at >= schedule.apart for at in others)
        last = self.done_at.get(schedule.name)
        if is_apart and (last is None or now - last >= every):
            self.shop.is_polled = schedule.name.startswith("poll")
            await schedule.run()
            self.shop.is_polled = False
            self.done_at[schedule.name] = self.clock.utc()

    async def hint(self, flow: str, entity_id: int) -> None:
        """Tell of a row, as the intake does."""
        if (look_up := self.hints[flow]) is not None:
            await look_up(entity_id)
        await self.pace.heard(flow)


def settings() -> SyncSettings:
    url = "https://shop.example.com"
    keys = {"consumer_key": "k", "consumer_secret": "s", "token": "t", "token_secret": "u"}
    environment = {
        "url": "https://erp.example.com",
        "tenant": "contoso.com",
        "time_zone": "Europe/Berlin",
        "sync_client_id": "sync",
        "sync_client_secret": "secret",
    }
    section = {"environment": "sandbox", "legal_entity": "demf", "currency": "EUR"}
    orders = {"start_at": "2026-11-01T00:00:00Z", "payment": {}, "shipping": {}, "countries": {}}
    market = {"website_id": 1, "store_ids": [1], "orders": orders}
    return SyncSettings.model_validate(
        {
            "environments": {"sandbox": environment},
            "markets": {MARKET: section},
            "sync": {"magento": {"url": url, **keys}, "markets": {MARKET: market}},
        }
    )


async def a_world(*, hinting: Sequence[str]) -> World:
    """Return a shop with some rows, whose hints have told of something."""
    world = World()
    for route in TABLES:
        world.shop.write(route, range(1, 41))
    await world.pass_by(240 * SECOND)
    for flow in hinting:
        await world.hint(flow, 1)
    await world.pass_by(60 * SECOND)
    return world


@pytest.mark.parametrize(
    ("hinting", "usual"),
    [(("orders", "customers", "returns"), 6), (("orders",), 6)],
)
async def test_a_quiet_shop_that_hints_is_asked_15_times_a_minute_at_most(
    hinting: Sequence[str], usual: int
) -> None:
    """It was 36 times, and each of the rows that had changed last was read by each of them."""
    world = await a_world(hinting=hinting)

    minutes = await world.pass_by(timedelta(minutes=65))

    assert max(minutes) <= MOST_A_MINUTE
    assert sorted(minutes)[len(minutes) // 2] == usual
    assert max(world.shop.reads.values()) <= 2


async def test_a_bulk_change_is_read_twice_by_polls() -> None:
    world = await a_world(hinting=["orders"])
    world.shop.write("orders", range(1, 197), state="processing")

    await world.pass_by(timedelta(minutes=10))

    assert max(world.shop.reads.values()) == 2


async def test_an_order_that_no_hint_told_of_has_the_shop_polled_often_again() -> None:
    """A shop whose hints are lost costs the first order half a minute, and no other."""
    world = await a_world(hinting=["orders", "customers", "returns"])
    world.shop.write("orders", [41])
    await world.pass_by(31 * SECOND)
    assert "orders.updated_at" in world.marks.kept

    assert await world.pace.every("orders", is_awaited=True) == 5 * SECOND
    assert await world.pace.every("returns", is_awaited=False) == 30 * SECOND

    world.clock.advance(SECOND)
    await world.hint("orders", 41)
    assert await world.pace.every("orders", is_awaited=True) == 30 * SECOND


async def test_without_hints_the_shop_is_polled_as_often_as_configured() -> None:
    world = await a_world(hinting=[])

    minutes = await world.pass_by(timedelta(minutes=5))

    assert set(minutes) == {36}
    assert max(world.shop.reads.values()) <= 2
