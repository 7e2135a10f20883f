"""The simulated shop and ERP with stock between them, and what compares the two."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

from pricing_proxy.sandbox.shop.inventory.inventory import is_uncounted
from sync.engine.windows import ClockReading, Window
from sync.magento.credit_memo_models import CreditMemo, CreditMemoHead
from sync.magento.odd_rows import RowPage
from sync.magento.shipment_models import Shipment
from sync.magento.stock_models import SalableRow, StockSourceLink
from sync.mirror.keys import folded
from sync.reconciliation.comparing import DriftReport, compared
from sync.stock.comparing import StockComparison
from sync.stock.judged_rows import JudgedRows
from sync.stock.judging import Judging
from sync.stock.layout import Stock
from sync.stock.line_warehouses import LineWarehouses
from sync.stock.mapping import UNRESERVED_AND_UNWANTED
from sync.stock.source import OnHand
from sync.stock.unposted import UnpostedPapers
from sync.store.mirror_known import KnownRows, RowOfMirror, RunWrote
from sync.store.mirror_records import Values
from tests.fakes.known_rows import FakeKnownRows
from tests.fakes.stock_erp import COMPANY
from tests.fakes.stock_shop import StockShop
from tests.fakes.stock_world import ERP, StockWorld

MARKET, HERE, THERE = "b2b_de", "berlin", "hamburg"
STOCK = Stock(
    market=MARKET,
    id=3,
    company=ERP,
    sources={HERE: ["13"], THERE: ["14", "24"]},
    default=HERE,
    stores=frozenset({3, 4}),
)


H = TypeVar("H", bound=CreditMemoHead)


@dataclass
class _Papers:
    """The shop's credit memos, shipments, links and salable quantities."""

    world: StockWorld
    behind: timedelta = timedelta(0)

    async def credit_memos_changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[CreditMemoHead], None]:
        del without
        memos = self.world.shop.credit_memos.values()
        rows = [self._dated(CreditMemoHead.model_validate(memo)) for memo in memos]
        now = self.world.clock.utc()
        shown = now - self.behind
        yield RowPage(
            [row for row in rows if window.takes(row.entity_id, row.updated_at)],
            reading=ClockReading(now, shown, shown + timedelta(seconds=1)),
        )

    async def credit_memo(self, entity_id: int) -> CreditMemo | None:
        memo = CreditMemo.model_validate(self.world.shop.credit_memos[entity_id])
        assert memo.created_at is not None
        return self._dated(memo).model_copy(update={"created_at": memo.created_at - self.behind})

    def _dated(self, row: H) -> H:
        return row.model_copy(update={"updated_at": row.updated_at - self.behind})

    async def shipments_of(self, order_id: int) -> list[Shipment]:
        rows = [each for each in self.world.shop.shipments.values() if each["order_id"] == order_id]
        return [Shipment.model_validate(row) for row in rows]

    async def links(self) -> list[StockSourceLink]:
        links = self.world.shop.inventory.network.links()
        return [StockSourceLink.model_validate(each) for each in links]

    async def salable(self, website: str, skus: Collection[str]) -> list[SalableRow]:
        del website
        shop = self.world.shop
        return [
            SalableRow(
                sku=product.sku,
                qty=Decimal(0)
                if is_uncounted(product)
                else shop.inventory.salable(product.sku, STOCK.id),
                is_salable=shop.inventory.is_salable(product, STOCK.id),
            )
            for product in map(shop.catalog.by_sku, skus)
            if product is not None
        ]


@dataclass(frozen=True)
class _Shop:
    url: str
    source_items: StockShop
    products: StockShop
    stocks: _Papers


class ComparedWorld:
    """Two systems that are alike, until something happens to one of them."""

    def __init__(self, stock: Stock = STOCK) -> None:
        self.stock = stock
        self.world = StockWorld(stock)
        self.known = FakeKnownRows()
        self.clock_behind = timedelta(0)

    async def settle(self) -> None:
        """Have everything written, and known as one run."""
        await self.world.settle()
        self.learn(run=7)

    def learn(self, *, run: int) -> None:
        """Keep what is known by now, as written by a run."""
        now = self.world.clock.utc()
        for sku in self.world.erp.per_sold:
            values = self.world.known(MARKET, sku)
            if values:
                place = (self.stock.scope, folded(sku))
                self.known.rows[place] = RowOfMirror(
                    scope=self.stock.scope,
                    folded=folded(sku),
                    key=sku,
                    values=values,
                    shop_id=None,
                    run=run,
                    read_at=now,
                    changed_at=now,
                    stays=(),
                )
                self.known.runs.setdefault(place, []).insert(0, RunWrote(run, values))

    def keep_back(self, sku: str, **settings: Any) -> None:
        """Have somebody set how the shop sells a product's stock."""
        catalog = self.world.shop.catalog
        catalog.put(replace(catalog.named(sku), stock_settings=settings))

    def wrote(self, sku: str, run: int, values: Values) -> None:
        """Have an older run have written something else."""
        self.known.runs.setdefault((self.stock.scope, folded(sku)), []).append(
            RunWrote(run, values)
        )

    def edit(self, sku: str, source: str, quantity: int | Decimal) -> None:
        """Have somebody edit a source item in the shop."""
        self.world.sources.edit(sku, source, Decimal(quantity))

    async def compare(self) -> DriftReport:
        """Compare the two as the command does."""
        return await compared(self.comparison(), clock=self.world.clock)

    def comparison(self) -> StockComparison:
        """Return what compares."""
        world, papers = self.world, _Papers(self.world, self.clock_behind)
        known = cast("KnownRows", self.known)
        reader = OnHand(
            world.erp,
            world.erp,
            company=COMPANY,
            stock=self.stock,
            measure=UNRESERVED_AND_UNWANTED,
            decimals=0,
        )
        judged = JudgedRows(
            self.stock,
            world.layout,
            reader=reader,
            lines=world.lines,
            judging=Judging(world.lines, world.traces, world.erp, clock=world.clock),
            warehouses=LineWarehouses(
                world.erp, company=COMPANY, stock=self.stock, lines=world.lines
            ),
        )
        return StockComparison(
            self.stock,
            world.layout,
            reader=reader,
            judged=judged,
            orders=world.orders,
            shop=_Shop(
                url="https://shop.example.com",
                source_items=world.sources,
                products=world.sources,
                stocks=papers,
            ),
            known=known,
            erp=world.erp,
            company=COMPANY,
            papers=UnpostedPapers(
                world.sources,
                memos=papers,
                shipments=papers,
                lines=world.lines,
                traces=world.traces,
                stores=self.stock.stores,
                clock=world.clock,
            ),
        )
