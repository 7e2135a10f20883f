"""The flows between the simulated shop and the simulated ERP, over HTTP on both sides.

The flows are put together as in production; the engine's part, entering events and trying
again, is played by the test:

async with flow_world(folder) as world:
    [number] = await world.place()
    await world.carry_order(number)
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import Clock, SystemClock
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.json_numbers import read_json
from pricing_proxy.d365.transport import Transport
from pricing_proxy.http_exchange import Guard, Request
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.sandbox.server import Sandbox
from sync.customers.building import customer_flow, customer_source
from sync.customers.flow import CustomerFlow
from sync.customers.source import CustomerSource
from sync.engine.flow import Event, Flow
from sync.engine.outcomes import Done, IdentifiedError, WaitForError
from sync.engine.sources import Events, Marks
from sync.given import Given
from sync.magento.order_models import Order
from sync.magento.shop import Shop
from sync.magento.way import shop_way
from sync.orders.building import order_flow, order_source
from sync.orders.flow import OrderFlow
from sync.orders.source import OrderSource
from sync.returns.building import return_flow, return_source
from sync.returns.flow import ReturnFlow
from sync.returns.source import ReturnSource
from sync.settings import SyncSettings
from tests.d365.loopback import DirectPolicy
from tests.fakes import given
from tests.fakes.customer_links import FakeCompany
from tests.fakes.entering import FakeEvents, FakeWatermarks
from tests.fakes.order_shop import FakeLinks, FakeWork
from tests.fakes.wishes import FakeWishes
from tests.integration.sync_running import MARKET, Placing, sync_settings
from tests.integration.test_documents_over_sandbox import Signed
from tests.sandbox.conftest import Client
from tests.sandbox.conftest import settings as sandbox_settings


class RecordingTransport(Transport):
    """Keeps every request exactly as it goes on the wire."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.requests: list[Request] = []

    async def send(
        self,
        request: Request,
        *,
        deadline: Deadline,
        guard: Guard | None = None,
        read: Callable[[bytes], Any] = read_json,
    ) -> Any:
        """Send it."""
        self.requests.append(request)
        return await super().send(request, deadline=deadline, guard=guard, read=read)


class Flows(NamedTuple):
    """What carries events."""

    orders: OrderFlow
    customers: CustomerFlow
    returns: ReturnFlow


class Sources(NamedTuple):
    """What enters events."""

    orders: OrderSource
    customers: CustomerSource
    returns: ReturnSource


@dataclass
class FlowWorld(Placing):
    """Two systems, the flows between them, and the least of an engine."""

    settings: SyncSettings
    shop: Shop
    transport: RecordingTransport
    calls: DocumentCalls
    links: FakeLinks = field(default_factory=FakeLinks)
    wishes: FakeWishes = field(default_factory=FakeWishes)
    events: FakeEvents = field(default_factory=FakeEvents)
    clock: Clock = field(default_factory=SystemClock)

    def with_orders(self, **rules: Any) -> None:
        """Change rules of the orders."""
        document = self.settings.model_dump(mode="python")
        document["sync"]["markets"][MARKET]["orders"].update(rules)
        self.settings = SyncSettings.model_validate(document)

    @property
    def flows(self) -> Flows:
        """The flows, as they begin."""
        return self.flows_with(FakeCompany({MARKET: self.links}))

    def flows_with(self, kept: object) -> Flows:
        """Return the flows over links that are kept elsewhere."""
        built = self._given(kept, self.events, FakeWatermarks())
        return Flows(order_flow(built), customer_flow(built), return_flow(built))

    def sources_into(self, events: Events, watermarks: Marks) -> Sources:
        """Return the sources."""
        built = self._given(FakeCompany({MARKET: self.links}), events, watermarks)
        return Sources(order_source(built), customer_source(built), return_source(built))

    @property
    def sources(self) -> Sources:
        """The sources, at their first poll."""
        return self.sources_into(self.events, FakeWatermarks())

    async def carry(self, flow: Flow, key: str, **payload: Any) -> Done:
        """Carry one event; of a document that is known by its number, as the engine does."""
        event = event_of(flow.name, key, **payload)
        try:
            return await flow.carry(self._work(event))
        except IdentifiedError as error:
            event = replace(event, document_id=error.document_id)
            return await flow.carry(self._work(event))

    def _work(self, event: Event) -> FakeWork:
        return FakeWork(
            event,
            self.clock,
            links=self.links,
            wishes=self.wishes,
            longest=self.settings.sync.delivery.longest,
        )

    async def carry_memo(self, memo_id: int) -> Done:
        """Carry a credit memo."""
        memo = await self.shop.credit_memos.credit_memo(memo_id)
        assert memo is not None
        return await self.carry(self.flows.returns, memo.increment_id, entity_id=memo_id)

    async def order(self, number: str) -> Order:
        """Return the shop's only order of a number."""
        (order,) = await self.shop.orders.orders_by_increment_id(number)
        return order

    async def carry_order(self, key: str) -> Done:
        """Carry an order, and its customer first where the order waits for one."""
        flows = self.flows
        try:
            return await self.carry(flows.orders, key)
        except WaitForError as waiting:
            await self.carry(flows.customers, waiting.business_key)
            return await self.carry(flows.orders, key)

    def told(self) -> dict[str, Any]:
        """Return the ERP's orders by reference; each reference must be there once."""
        orders = self.sandbox.documents.orders.told()
        found = {order["reference"]: order for order in orders}
        assert len(found) == len(orders)
        return found

    def _given(self, kept: object, events: Events, watermarks: Marks) -> Given:
        return given.given(
            self.settings,
            shop=self.shop,
            erps={"sandbox": self.calls},
            kept=kept,
            events=events,
            watermarks=watermarks,
            clock=self.clock,
        )


def event_of(flow: str, key: str, **payload: Any) -> Event:
    """Return an event as the engine gives it to a flow."""
    return Event(
        id=1,
        flow=flow,
        market=MARKET,
        business_key=key,
        source_key="x",
        payload=payload,
        attempts=0,
        fence=1,
    )


@asynccontextmanager
async def flow_world(folder: Path) -> AsyncIterator[FlowWorld]:
    """Start both systems."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            Sandbox(sandbox_settings(folder, account_attribute=True))
        )
        session = await stack.enter_async_context(ClientSession())
        # A write in doubt is waited out after two seconds.
        settings = sync_settings(sandbox, "embedded", delivery={"erp_max_request_seconds": 2})
        shop = await stack.enter_async_context(shop_way(settings.sync.magento, clock=clock))
        client = Client(sandbox, session)
        await client.sign_in()
        transport = RecordingTransport(
            session, base_url=sandbox.fo_url, tokens=Signed(client), clock=clock, system="fo"
        )
        calls = DocumentCalls(
            transport, policy=DirectPolicy(), clock=clock, request_time=timedelta(seconds=10)
        )
        yield FlowWorld(
            sandbox=sandbox,
            control=session,
            settings=settings,
            shop=shop,
            transport=transport,
            calls=calls,
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FlowWorld]:
    """Return both systems with the flows between them."""
    async with flow_world(tmp_path) as opened:
        yield opened
