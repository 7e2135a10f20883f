"""The simulated shop, an ERP that delivers, and order status between them, on a clock that is told.

Everything between the two systems is the program's; only the engine and what it keeps are in
memory. Calls may fail, be done though their answer is lost, or late, and the process may die at
any of them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import count
from typing import Any

from pricing_proxy.resilience.errors import UpstreamTimeoutError
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.shop.back_office import ACTIONS
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.order_request import LineRequest, OrderRequest
from pricing_proxy.sandbox.shop.stores import store_named
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import RefusedError
from sync.engine.odd_rows import OddRowBook
from sync.magento.order_models import Order
from sync.mirror.keys import folded
from sync.order_status.cancelling import Canceller
from sync.order_status.flow import OrderStatusFlow, StatusMarket
from sync.order_status.headers import Headers
from sync.order_status.line_changes import LineChanges
from sync.order_status.notes import OrderNotes
from sync.order_status.papers import Papers
from sync.order_status.parcel_carrier import ParcelCarrier
from sync.order_status.rules import Carrier, OrderStatusRules
from sync.order_status.shipping import ShipmentWriter
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.slip_carrier import SlipCarrier
from sync.order_status.source import StatusSource
from sync.order_status.sources import Sources
from sync.order_status.step_carrier import StepCarrier
from sync.papers.entering import FactEntry
from sync.papers.looks import Looks
from sync.papers.odd_papers import OddPaperBook
from sync.papers.read_budget import ReadBudget
from sync.papers.watched_market import WatchedMarket
from sync.sales.value_lines import Splitting, line_reference, value_lines
from sync.store.watched_order_record import WatchedRecord
from tests.fakes.customer_links import FakeCompany
from tests.fakes.entering import FakeOddRows, FakeWatermarks
from tests.fakes.kept_watch import FakeWatch
from tests.fakes.late_shop import Write
from tests.fakes.memory_engine import Entered, MemoryEngine
from tests.fakes.noted_shop import NotedShop
from tests.fakes.shipping_shop import ShippingShop
from tests.fakes.slip_erp import COMPANY, SlipErp
from tests.fakes.stock_shop import StockShop
from tests.fakes.stock_store import FakeLocks
from tests.virtual_time import ManualClock

MARKET = "b2b_de"
VARIANT = "SHADE-0001 : : S : BLACK :"
# Of fewer items none has any.
_WITH_VARIANTS = 30
STORES = frozenset({3, 4})
RULES = OrderStatusRules()
SOURCES = {"13": "berlin", "14": "hamburg"}
LONGEST = {"fo": timedelta(seconds=60), "magento": timedelta(seconds=120)}


class Fault(Enum):
    """What happens at a call."""

    NONE = 0
    LOST_BEFORE = 1
    LOST_AFTER = 2
    LATE = 3
    DIES_BEFORE = 4
    DIES_AFTER = 5
    DIES_LATE = 6


class DiedError(BaseException):
    """The process is gone."""


@dataclass
class Sold:
    """An order on both sides.

    Attributes:
        lots: The ERP's lots of it, each with the shop's row that it names.
    """

    order: int
    erp_number: str
    lots: dict[str, int] = field(default_factory=dict)


class FulfilmentWorld:
    """Two systems and the flow.

    Args:
        faults: What happens at the shop's and the ERP's calls, one after the other; then nothing.
        bundle: How the ERP has bundles with a price of their own.
        sources: The source that each warehouse fills; empty for a shop with one alone.
        rules: What the configuration says, carriers left out.
    """

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        bundle: Any = "parent",
        sources: Mapping[str, str] = SOURCES,
        rules: OrderStatusRules = RULES,
    ) -> None:
        self.clock = ManualClock()
        self.faults = iter(faults)
        self.at: dict[str, Callable[[], object]] = {}
        self.late: list[tuple[datetime, Write]] = []
        self.is_translated = False
        self.shop = Shop(_book(), ShopDials(), clock=self.clock)
        self.stock = StockShop(self.shop, self.read)
        self.shipments = ShippingShop(self.shop, before=self.read, send=self.send)
        self.notes = NotedShop(self.shop, before=self.read, send=self.send)
        self.erp = SlipErp(self.clock, self.read)
        self.watch, self.marks, self.odd_rows = FakeWatch(), FakeWatermarks(), FakeOddRows()
        self.wanted: list[str] = []
        self.locks = FakeLocks()
        self.carriers = {"DHL": Carrier(code="dhl", title="DHL")}
        self.rules = rules
        self.sources = dict(sources)
        self.engine = MemoryEngine(self.clock, FakeCompany(), LONGEST)
        self.splitting = Splitting(bundle=bundle, amount_decimals=2)
        self._numbers = count(1)
        self.watch.told = lambda: [
            one.event.payload["slip"]
            for one in self.engine.entered.values()
            if one.event.payload["fact"] == "slip"
        ]
        self.new_process()

    def new_process(self) -> None:
        """Begin anew, with what is kept."""
        orders = ShopOrderReader(self.stock, stores=STORES)
        shipping = ShipmentWriter(
            self.shipments,
            orders=orders,
            sources=Sources(self.stock, self.stock),
            bundles=self.stock,
            locks=self.locks,
            want=self._want,
        )
        slips = SlipCarrier(
            self.erp, orders=orders, shipping=shipping, warehouses=self.sources, market=MARKET
        )
        parcels = ParcelCarrier(
            self.erp, shipments=self.shipments, carriers=self.carriers, market=MARKET
        )
        steps = self._steps(orders)
        flow = OrderStatusFlow({MARKET: StatusMarket(slips=slips, parcels=parcels, steps=steps)})
        self.engine.flows = {flow.name: flow}
        market = WatchedMarket(flow="order_status", code=MARKET, company=COMPANY)
        budget = ReadBudget(60, clock=self.clock)
        entering = FactEntry(self.engine, "order_status", MARKET)
        odd_rows = OddPaperBook(OddRowBook(self.odd_rows, self.clock), self.watch, market)
        looks = Looks(market, watch=self.watch, marks=self.marks, budget=budget)
        self.watching = StatusSource(
            looks,
            papers=Papers(
                self.erp,
                market,
                watch=self.watch,
                entering=entering,
                odd_rows=odd_rows,
                marks=self.marks,
                budget=budget,
                clock=self.clock,
            ),
            headers=Headers(
                self.erp,
                market,
                watch=self.watch,
                entering=entering,
                odd_rows=odd_rows,
                named=self.rules.progress,
                marks=self.marks,
                budget=budget,
                clock=self.clock,
            ),
            budget=budget,
        )

    def _steps(self, orders: ShopOrderReader) -> StepCarrier:
        notes = OrderNotes(self.notes, locks=self.locks)
        return StepCarrier(
            self.erp,
            company=COMPANY,
            market=MARKET,
            rules=self.rules,
            orders=orders,
            notes=notes,
            canceller=Canceller(
                self.notes,
                orders=orders,
                notes=notes,
                sources=Sources(self.stock, self.stock),
                locks=self.locks,
                want=self._want,
            ),
            lines=LineChanges(self.erp, company=COMPANY, orders=orders, notes=notes),
        )

    def sell(self, *lines: tuple[str, int], warehouse: str = "13") -> Sold:
        """Place an order of SKUs and quantities, and have it in the ERP."""
        view = store_named(MARKET)
        assert view is not None
        wanted = tuple(LineRequest(sku=sku, quantity=Decimal(each)) for sku, each in lines)
        row = self.shop.place(OrderRequest(store=view, lines=wanted))
        order = Order.model_validate(self.shop.order(int(row["entity_id"])))
        sold = Sold(order.entity_id, f"SO-{next(self._numbers)}")
        self.erp.order(sold.erp_number)
        for value in value_lines(order.items, self.splitting):
            reference = line_reference(order.increment_id, value.key)
            lot = self.erp.line(
                sold.erp_number, reference, warehouse=warehouse, quantity=value.quantity
            )
            sold.lots[lot] = value.key
        self.erp.line(sold.erp_number, f"{order.increment_id}-shipping", warehouse="")
        self.watch.linked.append(
            WatchedRecord(
                order_id=order.entity_id,
                number=order.increment_id,
                erp_number=sold.erp_number,
                since=self.clock.utc(),
            )
        )
        return sold

    def act(self, action: str, order: int, body: Mapping[str, Any] | None = None) -> Any:
        """Let somebody in the shop's back office do something; raises `RefusedError`."""
        return ACTIONS[action](self.shop, order, body or {})

    def events(self, sold: Sold) -> list[Entered]:
        """Return the events of an order."""
        return self.engine.of_document("order_status", sold.order)

    def shipped(self, sold: Sold) -> dict[int, Decimal]:
        """Return what is shipped of each row, companions of bundles left out."""
        found: dict[int, Decimal] = {}
        for shipment in self.shipments.all_of(sold.order):
            for line in shipment.items:
                found[line.order_item_id] = found.get(line.order_item_id, Decimal(0)) + line.qty
        return found

    def marks_of(self, sold: Sold) -> list[str]:
        """Return the marks on an order's shipments."""
        return [
            comment.comment
            for shipment in self.shipments.all_of(sold.order)
            for comment in shipment.comments
        ]

    async def look(self) -> None:
        """Let schedules run once."""
        await self.engine.looked("watch", self.watching.look)

    async def step(self, by: timedelta = timedelta(minutes=1)) -> None:
        """Look and carry what is due; a process that dies is followed by another."""
        self.clock.advance(by)
        self.arrive()
        try:
            await self.look()
            await self.engine.carry_due()
        except DiedError:
            self.new_process()

    async def settle(self, minutes: int = 45) -> None:
        """Do all that is due for a while, without any more faults."""
        self.faults = iter(())
        for _ in range(minutes):
            await self.step()

    def arrive(self) -> None:
        """Let writes be done that were sent and are late."""
        now = self.clock.utc()
        due, self.late = (
            [write for at, write in self.late if at <= now],
            [each for each in self.late if each[0] > now],
        )
        for write in due:
            _do(write)

    async def read(self, name: str) -> None:
        """Let something happen before a read."""
        self._happen(name)
        match next(self.faults, Fault.NONE):
            case Fault.LOST_BEFORE | Fault.LOST_AFTER | Fault.LATE:
                raise UpstreamTimeoutError("no answer", system="magento")
            case Fault.DIES_BEFORE | Fault.DIES_AFTER | Fault.DIES_LATE:
                raise DiedError

    async def send(self, name: str, write: Write) -> Any:
        """Do a write, or lose it before, after or until later."""
        self._happen(name)
        fault = next(self.faults, Fault.NONE)
        if fault is Fault.DIES_BEFORE:
            raise DiedError
        if fault in (Fault.LATE, Fault.DIES_LATE):
            self.late.append((self.clock.utc() + LONGEST["magento"] * 0.9, write))
        elif fault is not Fault.LOST_BEFORE:
            answer = self._done(write)
            if fault is Fault.NONE:
                return answer
        if fault in (Fault.DIES_AFTER, Fault.DIES_LATE):
            raise DiedError
        raise UpstreamTimeoutError("no answer", system="magento")

    def _done(self, write: Write) -> Any:
        try:
            return write()
        except RefusedError as error:
            if not self.is_translated:
                raise
            raise RefusedError(error.status, "Das geht so leider nicht.") from error

    def held(self, sku: str, source: str) -> Decimal:
        """Return what a source holds."""
        return self.stock.held(sku, source)

    async def _want(self, skus: Collection[str], *, reason: str) -> None:
        del reason
        self.wanted += [folded(sku) for sku in skus]

    def _happen(self, name: str) -> None:
        if (happens := self.at.pop(name, None)) is not None:
            happens()


def _do(write: Write) -> None:
    # Whoever sent it hears of no refusal any more.
    with suppress(RefusedError):
        write()


@cache
def _book() -> Book:
    return build_book(CatalogSize(skus=_WITH_VARIANTS, customers=1), date(2026, 11, 29))
