"""The flows between the simulated shop and the simulated ERP, over HTTP on both sides.

The engine's part, entering events and trying again, is played by the test.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.customers import Customers
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.d365.fo.returns import Returns
from pricing_proxy.d365.transport import Transport
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.shop import states
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from sync.customers.flow import CustomerContext, CustomerFlow
from sync.customers.mapping import CustomerMarket
from sync.customers.matching import AccountMatcher
from sync.customers.rules import CustomerRules
from sync.engine.flow import Event, Flow
from sync.engine.outcomes import Done, HeldError, SkippedError, WaitForError
from sync.engine.sources import Events, Watermarks
from sync.magento.access import magento_access
from sync.magento.auth import Credentials
from sync.magento.client import MagentoClient
from sync.orders.flow import OrderFlow, OrderMarket
from sync.orders.rules import OrderRules
from sync.orders.selling import Selling
from sync.orders.sold_products import SoldProducts
from sync.orders.source import OrderSource
from sync.orders.writer import OrderWriter
from sync.returns.flow import ReturnFlow, ReturnMarket
from sync.returns.rules import ReturnRules
from tests.d365.loopback import DirectPolicy
from tests.fakes.entering import FakeEvents, FakeWatermarks
from tests.fakes.order_shop import FakeLinks, FakeWork
from tests.integration.test_documents_over_sandbox import Signed
from tests.sandbox.conftest import Client, settings

MARKET = "b2b_de"
STORE = 3
MAX_REQUEST = timedelta(seconds=2)
FULL = {"sales_tax_group": "DOM", "item_group": "VAT19"}
RULES = OrderRules.model_validate(
    {
        "start_at": "2020-01-01T00:00:00Z",
        "guest_account": "C-1003",
        "site": "1",
        "warehouse": "13",
        "origin": "WEB",
        "shipping": {"flatrate_*": {"mode": "10"}, "virtual": {"mode": "10"}},
        "payment": {"checkmo": {"method": "CHECK"}, "purchaseorder": {"method": "CHECK"}},
        "countries": {"DE": "DEU"},
        "tax": {
            "DE-19": FULL,
            "DE-7": {"sales_tax_group": "DOM", "item_group": "VAT7"},
            "none": {"sales_tax_group": "DOM", "item_group": "NONE"},
        },
        "shipping_item": "FREIGHT",
        "rounding": {"item": "ROUNDING", "limit": "0.05"},
        "tax_difference": "hold",
    }
)


class NoMap:
    """A price service that nobody asks here."""

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Forget them."""


@dataclass
class World:
    """Two systems, the flows between them, and the least of an engine."""

    sandbox: Sandbox
    shop: MagentoClient
    calls: DocumentCalls
    control: ClientSession
    rules: OrderRules = RULES
    links: FakeLinks = field(default_factory=FakeLinks)
    events: FakeEvents = field(default_factory=FakeEvents)
    clock: SystemClock = field(default_factory=SystemClock)

    async def place(self, count: int = 1, **members: Any) -> list[str]:
        """Place orders in the shop and return their numbers."""
        address = f"{self.sandbox.control_url}/systems/magento/orders"
        body = {"count": count, **members}
        async with self.control.post(address, json=body) as answer:
            assert answer.status == 201, await answer.text()
            return [order["increment_id"] for order in (await answer.json())["orders"]]

    async def dial(self, system: str, **members: Any) -> None:
        address = f"{self.sandbox.control_url}/systems/{system}/dials"
        async with self.control.patch(address, json=members) as answer:
            assert answer.status == 200, await answer.text()

    @property
    def source(self) -> OrderSource:
        return self.source_into(self.events, FakeWatermarks())

    def source_into(self, events: Events, watermarks: Watermarks) -> OrderSource:
        return OrderSource(
            self.shop,
            events,
            watermarks,
            market_of_store={STORE: MARKET},
            rules={MARKET: self.rules},
            overlap=timedelta(seconds=30),
        )

    async def poll(self) -> int:
        return await self.source.poll()

    async def carry(self, flow: Flow, key: str, **payload: Any) -> Done:
        event = Event(
            id=1,
            flow=flow.name,
            market=MARKET,
            business_key=key,
            source_key="x",
            payload=payload,
            attempts=0,
            fence=1,
        )
        return await flow.carry(FakeWork(event, self.clock, links=self.links))

    async def carry_order(self, key: str) -> Done:
        """Carry an order, and its customer first where the order waits for one."""
        try:
            return await self.carry(self.orders, key)
        except WaitForError as waiting:
            await self.carry(self.customers, waiting.business_key)
            return await self.carry(self.orders, key)

    @property
    def orders(self) -> OrderFlow:
        writer = OrderWriter(
            SalesOrders(self.calls), company="demf", rules=self.rules, erp_max_request=MAX_REQUEST
        )
        sold = SoldProducts(
            self.shop, self.calls, company="demf", unit_attribute=None, clock=self.clock
        )
        market = OrderMarket(
            selling=Selling(market=MARKET, company="demf", currencies=frozenset({"EUR"})),
            rules=self.rules,
            store_ids=frozenset({STORE}),
            sold=sold,
            writer=writer,
        )
        return OrderFlow(self.shop, markets={MARKET: market})

    @property
    def customers(self) -> CustomerFlow:
        market = CustomerMarket(
            code=MARKET, company="demf", currency="EUR", countries={"DE": "DEU"}
        )
        rules = CustomerRules(group={"*": "10"})
        erp = Customers(self.calls)
        matcher = AccountMatcher(
            erp,
            self.shop,
            market=market,
            rules=rules,
            links=self.links,
            neighbours={},
            website_of={MARKET: STORE},
        )
        context = CustomerContext(market=market, rules=rules, erp=erp, matcher=matcher)
        return CustomerFlow(
            self.shop, contexts={MARKET: context}, published=NoMap(), erp_max_request=MAX_REQUEST
        )

    @property
    def returns(self) -> ReturnFlow:
        market = ReturnMarket(
            company="demf",
            rules=ReturnRules(undelivered="send", disposition="Credit"),
            splitting=self.rules.splitting,
            returns=Returns(self.calls),
            orders=SalesOrders(self.calls),
            expects=lambda _: True,
        )
        return ReturnFlow(self.shop, markets={MARKET: market}, erp_max_request=MAX_REQUEST)

    def told(self) -> dict[str, Any]:
        """Return the ERP's orders by reference; each reference must be there once."""
        orders = self.sandbox.documents.orders.told()
        found = {order["reference"]: order for order in orders}
        assert len(found) == len(orders)
        return found


def event_of_order(key: str) -> Event:
    return Event(
        id=1,
        flow="orders",
        market=MARKET,
        business_key=key,
        source_key="x",
        payload={},
        attempts=0,
        fence=1,
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    integration = INTEGRATIONS[0]
    credentials = Credentials(
        consumer_key=integration.consumer_key,
        consumer_secret=integration.consumer_secret,
        token=integration.token,
        token_secret=integration.token_secret,
    )
    clock = SystemClock()
    async with (
        Sandbox(settings(tmp_path)) as sandbox,
        ClientSession() as session,
        magento_access(sandbox.magento_url, credentials, clock=clock) as shop,
    ):
        client = Client(sandbox, session)
        await client.sign_in()
        transport = Transport(
            session, base_url=sandbox.fo_url, tokens=Signed(client), clock=clock, system="fo"
        )
        calls = DocumentCalls(
            transport, policy=DirectPolicy(), clock=clock, request_time=timedelta(seconds=10)
        )
        yield World(sandbox, shop, calls, session)


async def test_orders_of_every_kind_arrive_with_the_shops_totals(world: World) -> None:
    placed = await world.place(16, kind="mixed")

    assert await world.poll() == 16
    notes = [(await world.carry_order(key)).note for key in placed]

    told = world.told()
    assert set(told) == set(placed)
    for key, note in zip(placed, notes, strict=True):
        order = await world.shop.order_by_increment_id(key)
        assert order is not None
        assert note == f"is in the ERP as {order.ext_order_id}"
        assert told[key]["number"] == order.ext_order_id
        assert not told[key]["is_stopped"]
        totals = await SalesOrders(world.calls).totals("demf", order.ext_order_id)
        assert totals is not None
        assert abs(totals.OrderTotalAmount.value - order.grand_total) <= Decimal("0.01"), key
    assert await world.poll() == 0


async def test_a_renamed_field_holds_every_order_until_it_is_turned_back(world: World) -> None:
    placed = await world.place(2, kind="simple")
    renamed = {"SalesOrderHeadersV3.DeliveryModeCode": "DeliveryMode"}
    await world.dial("fo", rename_fields=renamed)

    for key in placed:
        with pytest.raises(HeldError) as caught:
            await world.carry_order(key)
        assert caught.value.field == "DeliveryModeCode"
        assert "DeliveryModeCode" in str(caught.value.diff)
    assert world.told() == {}

    await world.dial("fo", rename_fields={})
    for key in placed:
        await world.carry_order(key)
    assert set(world.told()) == set(placed)


async def test_an_answer_lost_after_the_commit_doubles_nothing(world: World) -> None:
    (key,) = await world.place(1, kind="simple")
    await world.carry(world.customers, "1")
    await world.carry(world.customers, "2")
    await world.carry(world.customers, "3")
    work = FakeWork(event_of_order(key), world.clock, links=world.links)
    await world.dial("fo", commit_then_drop=0.5)
    for _ in range(60):
        try:
            await world.orders.carry(work)
            break
        except UpstreamError:
            continue
    await world.dial("fo", commit_then_drop=0)
    await world.orders.carry(work)

    order = world.told()[key]
    assert not order["is_stopped"]
    references = [line["OrderLineReference"] for line in order["lines"]]
    assert len(references) == len(set(references))


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"payment_method": "bitcoin"}, 'orders.payment."bitcoin"'),
        ({"shipping_method": "owls_express"}, 'orders.shipping."owls_express"'),
        ({"address": {"country_id": "NL"}}, 'orders.countries."NL"'),
        ({"shipping_address": {"city": "x" * 61}}, "orders.field_lengths.DeliveryAddressCity"),
        ({"total_off_by": "0.50"}, "fees"),
    ],
)
async def test_bad_orders_are_held_and_others_of_the_customer_flow_on(
    world: World, members: dict[str, Any], named: str
) -> None:
    (bad,) = await world.place(1, kind="simple", customer=1, **members)
    (good,) = await world.place(1, kind="simple", customer=1)

    with pytest.raises(HeldError) as caught:
        await world.carry_order(bad)
    await world.carry_order(good)

    assert named in caught.value.advice
    assert set(world.told()) == {good}


async def test_500_old_orders_stay_in_the_shop_and_export_sends_one(world: World) -> None:
    placed = await world.place(500, kind="simple")
    later = datetime.now(UTC) + timedelta(minutes=5)
    world.rules = RULES.model_copy(update={"start_at": later})

    assert await world.poll() == 0
    assert await world.source.sweep() == 0
    assert world.events.entered == {}
    assert await world.source.export(placed[7]) is True

    (event,) = world.events.entered.values()
    with pytest.raises(SkippedError):
        await world.carry(world.orders, placed[6])
    with pytest.raises(WaitForError) as waiting:
        await world.carry(world.orders, event["key"], **event["payload"])
    await world.carry(world.customers, waiting.value.business_key)
    await world.carry(world.orders, event["key"], **event["payload"])
    assert set(world.told()) == {placed[7]}


async def test_a_cancelled_order_is_stopped_in_the_erp(world: World) -> None:
    (key,) = await world.place(1, kind="guest")
    await world.carry_order(key)
    order = await world.shop.order_by_increment_id(key)
    assert order is not None
    states.cancel(world.sandbox.shop, order.entity_id)

    assert await world.poll() == 1
    with pytest.raises(HeldError, match="is stopped in the ERP"):
        await world.carry(world.orders, key, task="cancel")

    assert world.told()[key]["is_stopped"]


async def test_a_customer_of_the_shop_gets_an_account_and_the_shop_is_told(world: World) -> None:
    done = await world.carry(world.customers, "2")

    customer = await world.shop.customer(2)
    assert customer is not None
    account = world.links.keys["customer", "2"]
    assert f"is account {account}" in done.note
    row = await Customers(world.calls).find("demf", account)
    assert row is not None


@pytest.mark.parametrize("kind", ["simple", "configurable", "bundle"])
async def test_a_refund_becomes_a_return_linked_to_the_lots_sold(world: World, kind: str) -> None:
    (key,) = await world.place(1, kind=kind)
    await world.carry_order(key)
    order = await world.shop.order_by_increment_id(key)
    assert order is not None
    invoice(world.sandbox.shop, order.entity_id, {})
    memo_id = int(refund(world.sandbox.shop, order.entity_id, {}))

    await world.carry(world.returns, "memo", entity_id=memo_id)
    await world.carry(world.returns, "memo", entity_id=memo_id)

    (found,) = world.sandbox.documents.returns.told()
    lots = {line["InventoryLotId"] for line in world.told()[key]["lines"]}
    returned = [line["ReturningInventoryLotId"] for line in found["lines"]]
    assert set(returned) == lots
    assert len(returned) == len(lots)
    assert await world.shop.has_returns() is False
