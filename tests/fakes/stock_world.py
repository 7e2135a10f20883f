"""The simulated shop, an ERP and the stock flow between them, on a clock that is told.

Everything between the two systems is the program's; only planning and keeping are in memory.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, cast

from pricing_proxy.resilience.errors import UpstreamRejectedError
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.shop.back_office import ACTIONS
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.order_request import LineRequest, OrderRequest
from pricing_proxy.sandbox.shop.stores import store_named
from pricing_proxy.sandbox.shop.tables import Shop
from sync.engine.flow import Work
from sync.magento.reserving_models import ReservingOrder
from sync.mirror.chunk_events import KEY, RUN
from sync.mirror.edits import otherwise
from sync.mirror.keys import folded
from sync.mirror.ports import PlannedRow
from sync.stock.judged_rows import JudgedRows
from sync.stock.judging import Judging
from sync.stock.layout import Layout, Stock
from sync.stock.line_warehouses import LineWarehouses
from sync.stock.mapping import UNRESERVED_AND_UNWANTED
from sync.stock.open_orders import OpenOrders
from sync.stock.source import OnHand
from sync.stock.writer import StockWriter
from sync.store.mirror_records import MirrorChange, RowEnd, RowOutcome, Values
from tests.fakes.entering import FakeEvents, polling
from tests.fakes.stock_erp import COMPANY, StockErp
from tests.fakes.stock_shop import StockShop
from tests.fakes.stock_store import FakeLines, FakeLocks, FakeTraces, FakeWants
from tests.virtual_time import ManualClock

ERP = f"prod/{COMPANY}"


async def nothing(_: str) -> None:
    """Happen."""


class _Call:
    async def sent(self) -> None:
        """Be journalled."""

    async def acked(self, status: int, response: Any) -> None:
        """Be journalled."""


@dataclass(frozen=True)
class _Event:
    payload: Mapping[str, Any]


class _Work:
    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.event = _Event(payload)

    def call(self, system: str, operation: str, request: Mapping[str, Any]) -> _Call:
        del system, operation, request
        return _Call()


@dataclass
class _Plan:
    """What is planned for one market and not written yet, and what the shop refused of it."""

    known: dict[str, Values] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    changes: dict[str, MirrorChange] = field(default_factory=dict)
    refused: dict[str, RowOutcome] = field(default_factory=dict)


class StockWorld:
    """Two systems and the flow.

    Args:
        stocks: What is filled.
        before: Happens before each call of a system, and may raise.
    """

    def __init__(self, *stocks: Stock, before: Callable[[str], Awaitable[None]] = nothing) -> None:
        self.clock = ManualClock()
        self.shop = Shop(_book(), ShopDials(), clock=self.clock)
        self.sources = StockShop(self.shop, before)
        self.erp = StockErp(self.clock, before)
        self.lines, self.traces, self.wants = FakeLines(), FakeTraces(), FakeWants()
        self.layout = Layout(stocks)
        self._polling = polling(FakeEvents(), self.clock)
        self._plans = {stock.market: _Plan() for stock in stocks}
        self.new_process()

    def new_process(self) -> None:
        """Begin anew, with what is kept."""
        self.orders = OpenOrders(
            self.sources,
            self.sources,
            lines=self.lines,
            polling=self._polling,
            want=self.wants,
            layout=self.layout,
            expects=_expected,
        )
        self._readers: dict[str, OnHand] = {}
        self._writers: dict[str, StockWriter] = {}
        for stock in self.layout.stocks.values():
            reader = OnHand(
                self.erp,
                self.erp,
                company=COMPANY,
                stock=stock,
                measure=UNRESERVED_AND_UNWANTED,
                decimals=0,
            )
            self._readers[stock.market] = reader
            self._writers[stock.market] = StockWriter(
                stock,
                JudgedRows(
                    stock,
                    self.layout,
                    reader=reader,
                    lines=self.lines,
                    judging=Judging(self.lines, self.traces, self.erp, clock=self.clock),
                    warehouses=LineWarehouses(
                        self.erp, company=COMPANY, stock=stock, lines=self.lines
                    ),
                ),
                shop=self.sources,
                skus=self.sources,
                orders=self.orders,
                lines=self.lines,
                locks=FakeLocks(),
                want=self.wants,
            )

    def place(self, store: str, sku: str, quantity: int) -> int:
        """Place an order in the shop and return its id."""
        view = store_named(store)
        assert view is not None
        line = LineRequest(sku=sku, quantity=Decimal(quantity))
        return int(self.shop.place(OrderRequest(store=view, lines=(line,)))["entity_id"])

    def act(self, action: str, order: int, body: Mapping[str, Any] | None = None) -> Any:
        """Let somebody in the shop's back office do something; raises `RefusedError`."""
        return ACTIONS[action](self.shop, order, body or {})

    def is_wanted(self, market: str, sku: str) -> bool:
        """Return whether a SKU is going to be written in any case."""
        _, is_forced = self.wants.keys.get(market, {}).get(folded(sku), (sku, False))
        return is_forced

    async def plan(self, market: str, keys: Mapping[str, bool] | None = None) -> None:
        """Read SKUs, all of them where none is named, and plan what differs or is forced."""
        plan, forced = (
            self._plans[market],
            {folded(key) for key, is_due in (keys or {}).items() if is_due},
        )
        async for page in self._readers[market].pages(keys=None if keys is None else [*keys]):
            for row in page.rows:
                known = plan.known.get(folded(row.key))
                # One that was forced and is not written yet stays forced.
                before = plan.changes.pop(folded(row.key), None)
                is_forced = before is not None or folded(row.key) in forced
                wanted = {
                    name: value
                    for name, value in row.values.items()
                    if known is None or is_forced or known.get(name) != value
                }
                if wanted:
                    plan.changes[folded(row.key)] = MirrorChange(
                        run=1,
                        scope=row.scope,
                        key=row.key,
                        wanted=wanted,
                        known=known,
                        before=None,
                        is_noted=True,
                        edited=(),
                        shop_id=None,
                        began_at=page.began_at,
                        ended_at=page.ended_at,
                    )

    async def look(self, market: str) -> list[str]:
        """Have what the shop has otherwise than known written again; return these SKUs."""
        plan, now = self._plans[market], self.clock.utc()
        rows = [
            MirrorChange(
                run=1,
                scope=self.layout.stocks[market].scope,
                key=plan.keys[key],
                wanted=known,
                known=known,
                before=None,
                is_noted=True,
                edited=(),
                shop_id=None,
                began_at=now,
                ended_at=now,
            )
            for key, known in plan.known.items()
        ]
        found = [each.row.key for each in await otherwise(self._writers[market], rows)]
        await self.wants(market, found, is_forced=True, reason="edited in the shop")
        return found

    async def plan_wanted(self, market: str) -> None:
        """Read what is wanted; if that fails, it stays so."""
        wanted = self.wants.take(market)
        try:
            await self.plan(market, dict(wanted))
        except BaseException:
            for key, is_forced in wanted:
                await self.wants(market, [key], is_forced=is_forced, reason="again")
            raise

    def planned(self, market: str) -> Sequence[MirrorChange]:
        """Return what is planned."""
        return list(self._plans[market].changes.values())

    def known(self, market: str, sku: str) -> Values:
        """Return what the shop has acknowledged of a SKU."""
        return self._plans[market].known.get(folded(sku), {})

    def refused(self, market: str) -> Mapping[str, RowOutcome]:
        """Return the rows of which the shop has refused something, by SKU."""
        return self._plans[market].refused

    async def write(
        self, market: str, missing: Collection[str] = (), *, is_alone: bool = False
    ) -> list[str]:
        """Write what is planned and return the SKUs; if that fails, it stays planned.

        Args:
            market: Whose.
            missing: SKUs that the shop does not have.
            is_alone: Whether each is written by an event of its own.
        """
        plan = self._plans[market]
        changes = list(plan.changes.values())
        if not changes:
            return []
        batch = [PlannedRow(change=each, held=None, values=each.wanted) for each in changes]
        for outcome in await self._written(market, batch, is_alone=is_alone):
            assert (outcome.end is RowEnd.MISSING) is (outcome.key in missing), outcome
            key = folded(outcome.key)
            plan.keys[key] = outcome.key
            plan.refused.pop(key, None)
            if outcome.end is RowEnd.REFUSED:
                plan.refused[key] = outcome
            plan.known[key] = {**plan.known.get(key, {}), **outcome.values}
            plan.changes.pop(key, None)
        return [each.key for each in changes if each.key not in missing]

    async def _written(
        self, market: str, batch: Sequence[PlannedRow], *, is_alone: bool
    ) -> list[RowOutcome]:
        """Write a batch, and each row by itself where the shop refuses it, as the mirror does."""
        parts = [[each] for each in batch] if is_alone else [batch]
        found: list[RowOutcome] = []
        for part in parts:
            payload = {KEY: part[0].change.key} if is_alone else {RUN: 1}
            try:
                found += await self._writers[market].write(part, cast("Work", _Work(payload)))
            except UpstreamRejectedError as error:
                if len(part) == 1:
                    if not error.reasons:
                        raise
                    found.append(_refused(part[0]))
                    continue
                for each in part:
                    found += await self._written(market, [each], is_alone=is_alone)
        return found

    async def settle(self) -> None:
        """Do all that is due until nothing is, as schedules would."""
        for _ in range(20):
            self.clock.advance(timedelta(minutes=1))
            await self.orders.watch()
            for market in self.layout.stocks:
                await self.plan_wanted(market)
                await self.write(market)
        for market in self.layout.stocks:
            await self.look(market)
            await self.plan_wanted(market)
            await self.write(market)
            again = [each.key for each in self.refused(market).values()]
            await self.plan(market, dict.fromkeys(again, True))
            await self.write(market, is_alone=True)
            await self.plan(market)
            await self.write(market)


def _refused(row: PlannedRow) -> RowOutcome:
    return RowOutcome(scope=row.change.scope, key=row.change.key, end=RowEnd.REFUSED, values={})


async def _expected(_: ReservingOrder) -> bool:
    return True


@cache
def _book() -> Book:
    return build_book(CatalogSize(skus=1, customers=1), date(2026, 11, 29))
