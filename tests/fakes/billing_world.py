"""The simulated shop, an ERP that bills and credits, and invoices between them, on a told clock.

Faults, late writes and processes that die are those of `fulfilment_world`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.order_request import LineRequest, OrderRequest
from pricing_proxy.sandbox.shop.stores import store_named
from sync.engine.odd_rows import OddRowBook
from sync.invoices.credit_carrier import CreditCarrier
from sync.invoices.crediting import MemoWriter
from sync.invoices.finding import BillFinder
from sync.invoices.flow import InvoiceFlow, InvoiceMarket
from sync.invoices.invoice_carrier import InvoiceCarrier
from sync.invoices.invoicing import InvoiceWriter
from sync.invoices.line_reader import BillLines
from sync.invoices.rules import FLOW, InvoiceRules
from sync.invoices.shop_order import BilledOrderReader
from sync.invoices.source import InvoiceSource
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.order_models import Order
from sync.papers.entering import FactEntry
from sync.papers.looks import Looks
from sync.papers.odd_papers import OddPaperBook
from sync.papers.read_budget import ReadBudget
from sync.papers.watched_market import WatchedMarket
from sync.sales.value_lines import SHIPPING_KEY, line_reference, value_lines
from sync.store.watched_order_record import WatchedRecord
from tests.fakes.bill_erp import COMPANY, BillErp
from tests.fakes.billing_shop import BillingShop
from tests.fakes.fulfilment_world import MARKET, STORES, Fault, FulfilmentWorld
from tests.fakes.memory_engine import Entered
from tests.fakes.stock_store import FakeLocks


@dataclass
class Billed:
    """An order on both sides.

    Attributes:
        lots: The ERP's lots of its goods, each with the shop's row that it names.
        freight: The lot of its shipping; empty where it has none.
    """

    order: int
    erp_number: str
    lots: dict[str, int] = field(default_factory=dict)
    freight: str = ""


class BillingWorld(FulfilmentWorld):
    """Two systems and the flow.

    Args:
        faults: What happens at the shop's and the ERP's calls, one after the other; then nothing.
        bundle: How the ERP has bundles with a price of their own.
        has_returns: Whether credit memos of the shop become returns in the ERP.
        rules: The market's.
    """

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        bundle: Any = "parent",
        has_returns: bool = True,
        **rules: Any,
    ) -> None:
        self.billing_rules = InvoiceRules(**rules)
        self.has_returns = has_returns
        super().__init__(faults, bundle=bundle)

    def new_process(self) -> None:
        """Begin anew, with what is kept."""
        if not hasattr(self, "billing"):
            self.billing = BillingShop(self.shop, before=self.read, send=self.send)
            self.bills = BillErp(self.clock, self.read)
        orders = BilledOrderReader(self.billing, self.stock, stores=STORES)
        lines = BillLines(self.bills)
        shared: dict[str, Any] = {"orders": orders, "locks": FakeLocks(), "want": self._want}
        invoicing = InvoiceWriter(self.billing, rules=self.billing_rules, market=MARKET, **shared)
        crediting = MemoWriter(self.billing, has_returns=self.has_returns, **shared)
        carriers: dict[str, Any] = {"orders": orders, "rules": self.billing_rules}
        flow = InvoiceFlow(
            {
                MARKET: InvoiceMarket(
                    invoices=InvoiceCarrier(lines, writer=invoicing, **carriers),
                    credits=CreditCarrier(lines, writer=crediting, **carriers),
                )
            }
        )
        self.engine.flows = {flow.name: flow}
        self.its = WatchedMarket(flow=FLOW, code=MARKET, company=COMPANY)
        budget = ReadBudget(60, clock=self.clock)
        self.finder = BillFinder(
            self.bills,
            self.its,
            watch=self.watch,
            odd_rows=OddPaperBook(OddRowBook(self.odd_rows, self.clock), self.watch, self.its),
            budget=budget,
        )
        self.source = InvoiceSource(
            self.its,
            looks=Looks(self.its, watch=self.watch, marks=self.marks, budget=budget),
            finder=self.finder,
            entering=FactEntry(self.engine, FLOW, MARKET),
            marks=self.marks,
            budget=budget,
            clock=self.clock,
        )

    async def look(self) -> None:
        """Let schedules run once."""
        await self.engine.looked("bills", self.source.look)

    def order_of(self, *lines: tuple[str, int] | LineRequest, **members: Any) -> Billed:
        """Place an order of SKUs and quantities, and have it in the ERP."""
        return self.enter(self.place(*lines, **members))

    def place(self, *lines: tuple[str, int] | LineRequest, **members: Any) -> int:
        """Place an order, and return the shop's id of it."""
        view = store_named(MARKET)
        assert view is not None
        wanted = tuple(
            each
            if isinstance(each, LineRequest)
            else LineRequest(sku=each[0], quantity=Decimal(each[1]))
            for each in lines
        )
        row = self.shop.place(OrderRequest(store=view, lines=wanted, **members))
        return int(row["entity_id"])

    def enter(self, order_id: int) -> Billed:
        """Have an order of the shop in the ERP."""
        order = Order.model_validate(self.shop.order(order_id))
        number = f"SO-{next(self._numbers)}"
        billed = Billed(order.entity_id, number)
        for value in value_lines(order.items, self.splitting):
            lot = self.bills.sell(
                number,
                line_reference(order.increment_id, value.key),
                item=value.sku,
                quantity=value.quantity,
                net=value.net,
                tax=value.tax,
            )
            billed.lots[lot] = value.key
        if order.shipping_amount:
            net = order.shipping_amount - order.shipping_discount_amount
            billed.freight = self.bills.sell(
                number,
                line_reference(order.increment_id, SHIPPING_KEY),
                item="FREIGHT",
                quantity=Decimal(1),
                net=net + order.shipping_discount_tax_compensation_amount,
                tax=order.shipping_tax_amount,
            )
        self.watch.linked.append(
            WatchedRecord(
                order_id=order.entity_id,
                number=order.increment_id,
                erp_number=number,
                since=self.clock.utc(),
            )
        )
        return billed

    def bill(self, number: str, billed: Billed, *quantities: int, freight: bool = False) -> None:
        """Post an invoice of so much of each lot."""
        wanted = {
            lot: Decimal(each) for lot, each in zip(billed.lots, quantities, strict=False) if each
        }
        if freight:
            wanted[billed.freight] = Decimal(1)
        self.bills.invoice(number, wanted)

    def give_back(self, number: str, billed: Billed, quantities: Mapping[str, int]) -> None:
        """Enter a return of lots and post its credit note."""
        wanted = {lot: Decimal(each) for lot, each in quantities.items()}
        self.bills.enter_return(f"RET-{number}", wanted)
        self.bills.credit(number, f"RET-{number}")
        del billed

    def of(self, billed: Billed) -> list[Entered]:
        """Return the events of an order."""
        return self.engine.of_document(FLOW, billed.order)

    def invoiced(self, billed: Billed) -> dict[int, Decimal]:
        """Return what is invoiced of each row that the ERP names."""
        rows = self.shop.order(billed.order)["items"]
        return {r["item_id"]: r["qty_invoiced"] for r in rows if r["qty_invoiced"]}

    def memos(self, billed: Billed) -> list[CreditMemo]:
        """Return the order's credit memos."""
        return self.billing.all_memos(billed.order)
