"""Whatever happens in shop and ERP, in whatever order: the shop sells what there is.

Random schedules of orders, cancellations, refunds, late and doubtful orders in the ERP,
reservations, picks, slips, short closes, corrections, adjustments and other channels' orders,
moved lines, partial and full runs, kills, and looks that never come; source items that somebody
sets by hand, that the shop refuses, or that an earlier write sets late. Steps happen between any
two calls of the flow, too.

    after a write   the SKU is right, as of what was read for it and of what the shop had when the
                    write began; what happened since has it written again
    at rest         salable = max(0, free - safety - elsewhere) - sum of m of orders not in the ERP;
                    while the shop refuses a source, its others hold what they must
    always          no shipment that the shop had counted is refused for want of goods

`SCHEDULES` says how many are played, and `SEED` where they begin.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from pricing_proxy.sandbox.shop.wire import RefusedError
from pricing_proxy.sandbox.stock.ledger import StockLine, StockRefusedError, place_of
from sync.magento.source_items import SourceQuantity
from sync.mirror.keys import folded
from sync.sales.value_lines import line_reference
from sync.stock.layout import Stock
from sync.stock.writer import REFUSED
from sync.store.order_writes import OrderWrite
from sync.store.shop_line_records import ShopLine
from tests.fakes.stock_erp import WAREHOUSES, ErpLine
from tests.fakes.stock_world import ERP, StockWorld

SCHEDULES = int(os.environ.get("SCHEDULES", "200"))
SEED = int(os.environ.get("SEED", "1"))
STEPS = 30
PIECES, BOXES = "LAMP-01", "LAMP-02"
PER_BOX = {PIECES: 1, BOXES: 4}
NOTHING = Decimal(0)
# The shop dates by seconds. What is dated as it was when it was read is read again once nothing
# that is dated so can come any more: after `Polling.overlap`, and two seconds for its edges.
SETTLED = timedelta(seconds=32)

SHOP = Stock(
    market="b2b_de",
    id=3,
    company=ERP,
    sources={"berlin": ["13"], "hamburg": ["14", "24"]},
    default="berlin",
    stores=frozenset({3, 4}),
)
ONE = replace(SHOP, sources={"berlin": ["13"]})
MAIN = Stock(
    market="base",
    id=1,
    company=ERP,
    sources={"default": ["13"]},
    default="default",
    stores=frozenset({1}),
)
LAYOUTS = ((ONE,), (SHOP,), (SHOP, MAIN))
STORES = {"b2b_de": "b2b_de", "base": "default"}


class DiedError(BaseException):
    """The process was killed."""


@dataclass
class Sale:
    """An order of the shop on its way.

    Attributes:
        sent: The journal's entry of its line; None while it is not sent.
        line: The ERP's line; None while there is none.
        is_told: Whether the journal's entry has its end, or the order was read back.
    """

    order: int
    item: int
    market: str
    sku: str
    quantity: int
    increment_id: str
    sent: OrderWrite | None = None
    line: ErpLine | None = None
    is_told: bool = False


@dataclass
class Seen:
    """What was free of a SKU, and whose orders were in that, when it was read."""

    free: Mapping[str, Decimal]
    present: frozenset[int]


@dataclass
class Schedule:
    """One run of the model."""

    number: int
    sales: list[Sale] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.number)
        safety = Decimal(self.random.choice([0, 0, 3]))
        stocks = [replace(each, safety_stock=safety) for each in self.random.choice(LAYOUTS)]
        self.world = StockWorld(*stocks, before=self.between)
        self.world.erp.per_sold = PER_BOX
        self.stocks = stocks
        self.is_calm = True
        self.moved: set[str] = set()
        self.unseen: set[str] = set()
        self.edited: set[str] = set()
        self.disturbed: set[tuple[str, str]] = set()
        self.told_at: dict[int, datetime] = {}
        self.reads: dict[tuple[str, str, datetime | None], Seen] = {}
        self.used: dict[tuple[str, str], Seen] = {}
        for sku in PER_BOX:
            for warehouse in WAREHOUSES:
                place = place_of(sku, warehouse)
                self.world.erp.ledger.put(place, Decimal(self.random.randrange(0, 120)))
                self.world.erp.ledger.expect(place, Decimal(20))

    async def play(self) -> None:
        """Play all steps, then rest and compare."""
        await self.world.settle()
        self.compare()
        for _ in range(STEPS):
            await self.step()
        self.is_calm = True
        self.finish()
        if self.world.sources.refuses:
            await self.world.settle()
            self.compare_others()
            self.world.sources.refuses.clear()
        await self.world.settle()
        self.compare()

    async def step(self) -> None:
        """Do one thing, and let time pass."""
        self.world.clock.advance(timedelta(milliseconds=self.random.choice([100, 1500, 20_000])))
        if self.random.random() < 0.6:
            self.happen(self.random.choice([*SHOP_STEPS, *ERP_STEPS, *ERP_STEPS]))
            return
        self.is_calm = self.random.random() < 0.5
        try:
            runs = [self.watch, self.partial, self.full, self.look, self.write, self.write]
            runs.append(self.leave_refunded)
            await self.random.choice(runs)()
        except DiedError:
            self.log.append("died")
            self.world.new_process()
        self.is_calm = True

    async def between(self, name: str) -> None:
        """Let something happen between two calls of the flow, take time, or die."""
        if name == "on hand answered":
            self.note_read()
        if name == "orders":
            self.unseen.clear()
        if not self.is_calm:
            self.world.clock.advance(timedelta(milliseconds=self.random.choice([1, 200, 2500])))
            if self.random.random() < 0.25:
                self.happen(self.random.choice([*SHOP_STEPS, *ERP_STEPS]))
            if self.random.random() < 0.02:
                raise DiedError

    def move(self, sku: str) -> None:
        """Note that something of a SKU moved in the shop."""
        self.moved.add(sku)
        self.unseen.add(sku)

    def happen(self, step: "Callable[[Schedule], str | None]") -> None:
        """Let something happen in a system."""
        told = step(self)
        if told:
            self.log.append(f"{step.__name__} {told}")

    def note_read(self) -> None:
        """Keep what was free and whose orders were in it, for what is made of this read."""
        items, began_at = self.world.erp.asked
        present = frozenset(sale.item for sale in self.sales if sale.line is not None)
        for stock in self.stocks:
            for sku in items:
                free = {
                    source: self.world.erp.free(sku, warehouses)
                    for source, warehouses in stock.sources.items()
                }
                seen = Seen(free, present)
                self.reads[stock.market, sku, began_at] = self.used[stock.market, sku] = seen

    async def watch(self) -> None:
        """Look at the shop's orders, as each minute."""
        await self.world.orders.watch()

    async def leave_refunded(self) -> None:
        """Pieces are refunded before they leave, which is looked at, and leave all the same."""
        if not self.sales:
            return
        sale = self.random.choice(self.sales)
        self.log.append(f"leaves refunded: {refund(self, sale)}")
        await self.watch()
        for _ in range(2):
            self.log.append(f"ship {ship(self, sale)}")

    async def partial(self) -> None:
        """Read and write what is wanted of a market."""
        market = self.random.choice(self.stocks).market
        await self.world.plan_wanted(market)
        if self.random.random() < 0.7:
            await self.write()

    async def full(self) -> None:
        """Read everything of a market; it is written some time later."""
        await self.world.plan(self.random.choice(self.stocks).market)

    async def look(self) -> None:
        """Compare what is known of a market with the shop."""
        await self.world.look(self.random.choice(self.stocks).market)

    async def write(self) -> None:
        """Write what is planned of a market, and compare."""
        stock = self.random.choice(self.stocks)
        for change in self.world.planned(stock.market):
            self.used[stock.market, change.key] = self.reads[
                stock.market, change.key, change.began_at
            ]
        self.moved.clear()
        self.edited.clear()
        for sku in await self.world.write(stock.market):
            if self.refused(stock, sku):
                continue
            if sku not in self.edited:
                self.disturbed.discard((stock.market, sku))
                await self.compare_written(stock, sku)

    def finish(self) -> None:
        """Bring over all that is on its way."""
        for sale in self.sales:
            if sale.sent is not None and not sale.is_told:
                if sale.line is None:
                    arrive(self, sale)
                tell(self, sale)

    async def compare_written(self, stock: Stock, sku: str) -> None:
        """After a write the SKU is right; if something moved meanwhile, it is written again."""
        used = self.used[stock.market, sku]
        expected = self.expected(stock, sku, used.free, used.present)
        if self.salable(stock, sku) != expected:
            assert sku in self.moved or self.is_doubtful(sku), self.story(
                f"{sku} of {stock.market} was written wrong, {expected} is right"
            )
            if sku in self.unseen:
                # After the write had looked at the orders a last time: the next look finds it.
                await self.world.orders.look()
                if not self.world.is_wanted(stock.market, sku):
                    # It was within the second at which the order had been read.
                    self.world.clock.advance(SETTLED)
                    await self.world.orders.look()
            assert self.world.is_wanted(stock.market, sku), self.story(
                f"{sku} of {stock.market} is wrong, {expected} is right, and nobody knows"
            )

    def refused(self, stock: Stock, sku: str) -> set[str]:
        """Return the sources of a SKU that the shop refuses."""
        return {
            source for source in stock.sources if (sku, source) in self.world.sources.refuses
        } | {
            source
            for source in stock.sources
            if self.world.known(stock.market, sku).get(f"{REFUSED}{source}") is not None
        }

    def compare_others(self) -> None:
        """While the shop refuses a source of a SKU, its others hold what they must."""
        present = frozenset(sale.item for sale in self.sales if sale.line is not None)
        for stock in self.stocks:
            for sku in PER_BOX:
                refused = self.refused(stock, sku)
                for source in [each for each in stock.sources if refused and each not in refused]:
                    free = self.world.erp.free(sku, stock.sources[source])
                    mine = self.expected(stock, sku, {source: free}, present)
                    mine += self.absent(stock, sku, present) + self.inside(stock, sku, source)
                    rest = self.rest_of_ended_twice(stock, sku, source, present)
                    mine -= min(rest, self.sold(stock, sku, {source: free}, present))
                    assert self.world.sources.sold_from(sku, source) == mine, self.story(
                        f"{sku} in {source} beside {refused}, {mine} is right"
                    )

    def inside(self, stock: Stock, sku: str, source: str) -> Decimal:
        """Return what orders that are in the ERP have reserved in a source."""
        kept = self.world.lines.kept
        return sum(
            (
                self.left(sale)
                for sale in self.sales
                if (sale.line is not None or self.left(sale) < 0)
                and (sale.sku, sale.market) == (sku, stock.market)
                and kept[sale.item].counted == source
            ),
            NOTHING,
        )

    def compare(self) -> None:
        """At rest, everything is right by what the two systems hold."""
        present = frozenset(sale.item for sale in self.sales if sale.line is not None)
        for stock in self.stocks:
            for sku in PER_BOX:
                free = {
                    source: self.world.erp.free(sku, warehouses)
                    for source, warehouses in stock.sources.items()
                }
                expected = self.expected(stock, sku, free, present)
                assert self.salable(stock, sku) == expected, self.story(
                    f"{sku} of {stock.market} at rest, {expected} is right"
                )

    def expected(
        self, stock: Stock, sku: str, free: Mapping[str, Decimal], present: frozenset[int]
    ) -> Decimal:
        """Return what may be sold of a SKU, by what is free and whose orders are in that."""
        sold = self.sold(stock, sku, free, present)
        # Sources do not go below nothing for what the shop ended twice.
        return max(sold, self.ended_twice(stock, sku)) - self.absent(stock, sku, present)

    def sold(
        self, stock: Stock, sku: str, free: Mapping[str, Decimal], present: frozenset[int]
    ) -> Decimal:
        """Return what sources sell of a SKU, whatever was ended twice."""
        others = sum(
            (self.absent(each, sku, present) for each in self.stocks if each is not stock), NOTHING
        )
        # Both stocks are filled from the first warehouse of their default sources.
        elsewhere = {source: others if source == stock.default else NOTHING for source in free}
        return sum(
            (
                max(NOTHING, each - stock.safety_stock - elsewhere[source])
                for source, each in free.items()
            ),
            NOTHING,
        )

    def rest_of_ended_twice(
        self, stock: Stock, sku: str, source: str, present: frozenset[int]
    ) -> Decimal:
        """Return what a source gives of what left the others twice, which have less than that."""
        kept = self.world.lines.kept
        its = [sale for sale in self.sales if (sale.sku, sale.market) == (sku, stock.market)]
        ended = sum(
            (
                max(NOTHING, -self.left(sale))
                for sale in its
                if sale.item in kept and kept[sale.item].counted != source
            ),
            NOTHING,
        )
        others = {
            each: self.world.erp.free(sku, warehouses)
            for each, warehouses in stock.sources.items()
            if each != source
        }
        return max(NOTHING, ended - self.sold(stock, sku, others, present))

    def ended_twice(self, stock: Stock, sku: str) -> Decimal:
        """Return what the shop ended more than a SKU's orders had reserved of a stock."""
        its = [sale for sale in self.sales if (sale.sku, sale.market) == (sku, stock.market)]
        return sum((max(NOTHING, -self.left(sale)) for sale in its), NOTHING)

    def absent(self, stock: Stock, sku: str, present: frozenset[int]) -> Decimal:
        """Return what is reserved of a stock's SKU by orders that are not in the ERP."""
        return sum(
            (
                max(NOTHING, self.left(sale))
                for sale in self.sales
                if (sale.sku, sale.market) == (sku, stock.market) and sale.item not in present
            ),
            NOTHING,
        )

    def salable(self, stock: Stock, sku: str) -> Decimal:
        """Return what the shop sells, below zero where it owes."""
        held = sum((self.world.sources.sold_from(sku, each) for each in stock.sources), NOTHING)
        return held - self.world.sources.reserved(sku, stock.id)

    def unshipped(self, sale: Sale, line: ShopLine) -> Decimal:
        """Return what the shop lets leave, refunded or not, if all refunds were seen."""
        rows = self.world.shop.order(sale.order)["items"]
        [row] = [each for each in rows if each["item_id"] == sale.item]
        if line.refunded != row["qty_refunded"]:
            return NOTHING
        return Decimal(row["qty_ordered"] - row["qty_shipped"] - row["qty_canceled"])

    def left(self, sale: Sale) -> Decimal:
        """Return what an order has reserved, by the shop's own rows."""
        rows = self.world.shop.inventory.reservations.rows(sale.sku)
        placed = -Decimal(sale.quantity)
        freed = (each.quantity for each in rows if each.order_id == str(sale.order))
        return -(placed + sum(freed, NOTHING))

    def is_doubtful(self, sku: str) -> bool:
        """Return whether nobody can say yet whether an order is in the ERP."""
        return any(
            sale.sku == sku and sale.sent is not None and self.is_open(sale) for sale in self.sales
        )

    def is_open(self, sale: Sale) -> bool:
        """Return whether what a sale's journal says is younger than a minute or has no end."""
        told_at = self.told_at.get(sale.item)
        return told_at is None or self.world.clock.utc() - told_at < timedelta(minutes=1)

    def story(self, what: str) -> str:
        """Return what happened, for whoever has to find out why."""
        lines = "\n".join(f"  {line}" for line in self.world.lines.kept.values())
        steps = "\n".join(f"  {step}" for step in self.log)
        return f"schedule {self.number}: {what}\n{steps}\n{lines}\n{self.world.erp.ledger.lines}"


Step = Callable[[Schedule], str | None]


def place(play: Schedule) -> str:
    """Somebody orders."""
    stock, sku = play.random.choice(play.stocks), play.random.choice([*PER_BOX])
    quantity = play.random.randrange(1, 7)
    number = play.world.place(STORES[stock.market], sku, quantity)
    order = play.world.shop.order(number)
    [row] = order["items"]
    play.sales.append(
        Sale(number, row["item_id"], stock.market, sku, quantity, order["increment_id"])
    )
    play.move(sku)
    return f"{quantity} {sku} of {stock.market} as #{number}"


def cancel(play: Schedule) -> str | None:
    """An order is cancelled in the shop, whatever the ERP does."""
    return _done(play, "cancel")


def invoice(play: Schedule) -> str | None:
    """An order is paid."""
    return _done(play, "invoice")


def ship(play: Schedule, chosen: Sale | None = None) -> str | None:
    """A part of an order leaves, from where the flow has counted it, or where there is plenty.

    Of a chosen one, pieces leave that were refunded before.
    """
    sale = chosen or (play.random.choice(play.sales) if play.sales else None)
    line = play.world.lines.kept.get(sale.item) if sale else None
    most = NOTHING
    if sale is not None and line is not None:
        most = play.left(sale) if chosen is None else play.unshipped(sale, line)
    if sale is None or line is None or most <= 0:
        return None
    stock = play.world.layout.stocks[sale.market]
    source = line.counted or stock.default
    quantity = min(most, Decimal(play.random.randrange(1, 7)))
    inside = sum(
        (each.inside for each in play.world.lines.kept.values() if _is_in(each, sale.sku, source)),
        NOTHING,
    )
    is_sure = bool(line.counted) and line.inside >= quantity
    if not is_sure and play.world.sources.held(sale.sku, source) < inside + quantity:
        return None
    body = {
        "items": [{"order_item_id": sale.item, "qty": quantity}],
        "arguments": {"extension_attributes": {"source_code": source}},
    }
    play.move(sale.sku)
    refused = _refused(play, "ship", sale, body)
    is_excused = not refused or (sale.market, sale.sku) in play.disturbed
    assert is_excused or "save" not in refused, play.story(
        f"{quantity} of #{sale.order} cannot leave {source}"
    )
    return None if refused else f"{quantity} of #{sale.order} from {source}"


def _refused(play: Schedule, action: str, sale: Sale, body: Mapping[str, object] | None) -> str:
    """Act in the shop; return what it says, empty where it is done."""
    try:
        play.world.act(action, sale.order, body)
    except RefusedError as refused:
        return str(refused.body["message"])
    return ""


def _is_in(line: ShopLine, sku: str, source: str) -> bool:
    return line.counted == source and line.folded == folded(sku)


def refund(play: Schedule, chosen: Sale | None = None) -> str | None:
    """A part of an order is refunded, shipped or not, back to stock or not."""
    if not play.sales:
        return None
    sale, quantity = chosen or play.random.choice(play.sales), play.random.randrange(1, 4)
    body = {
        "items": [{"order_item_id": sale.item, "qty": quantity}],
        "arguments": {"shipping_amount": 0},
    }
    stock = play.world.layout.stocks[sale.market]
    sold = sum((play.world.sources.sold_from(sale.sku, each) for each in stock.sources), NOTHING)
    # Of goods that no source sells, the shop frees nothing, and no document of it tells.
    if play.random.random() < 0.5 or sold < quantity:
        returned = {"return_to_stock_items": [sale.item]}
        body["arguments"] = {"shipping_amount": 0, "extension_attributes": returned}
    play.disturbed.add((sale.market, sale.sku))
    if play.random.random() < 0.7:
        _done(play, "invoice", sale)
    return _done(play, "refund", sale, body)


def _done(
    play: Schedule, action: str, sale: Sale | None = None, body: Mapping[str, object] | None = None
) -> str | None:
    sale = sale or (play.random.choice(play.sales) if play.sales else None)
    if sale is None:
        return None
    play.move(sale.sku)
    is_done = not _refused(play, action, sale, body)
    return f"#{sale.order} {body or ''}" if is_done else None


def send(play: Schedule, chosen: Sale | None = None) -> str | None:
    """A line goes to the ERP; nobody knows yet what becomes of it."""
    waiting = [sale for sale in play.sales if sale.sent is None and play.left(sale)]
    sale = chosen or (play.random.choice(waiting) if waiting else None)
    if sale is None:
        return None
    sale.sent = OrderWrite(
        is_deletion=False,
        number=f"SO-{sale.order}",
        reference=line_reference(sale.increment_id, sale.item),
        sent_at=play.world.clock.utc(),
        done_at=None,
    )
    play.world.traces.writes[sale.order] = [sale.sent]
    return f"#{sale.order}"


def arrive(play: Schedule, chosen: Sale | None = None) -> str | None:
    """A line is in the ERP, and wants what the shop has reserved for it."""
    coming = [sale for sale in play.sales if sale.sent is not None and sale.line is None]
    sale = chosen or (play.random.choice(coming) if coming else None)
    if sale is None or sale.sent is None:
        return None
    stock = play.world.layout.stocks[sale.market]
    warehouses = [each for all_ in stock.sources.values() for each in all_]
    is_usual = play.random.random() < 0.7
    warehouse = warehouses[0] if is_usual else play.random.choice(warehouses)
    sale.line = play.world.erp.order(
        sale.sent.number,
        sale.sku,
        warehouse,
        Decimal(sale.quantity) * PER_BOX[sale.sku],
        reference=sale.sent.reference,
    )
    return f"#{sale.order} from {warehouse}"


def tell(play: Schedule, chosen: Sale | None = None) -> str | None:
    """The ERP's answer arrives, or the order is read back later; the shop gets its number."""
    there = [sale for sale in play.sales if sale.line is not None and not sale.is_told]
    sale = chosen or (play.random.choice(there) if there else None)
    if sale is None or sale.sent is None:
        return None
    sale.is_told, now = True, play.world.clock.utc()
    play.told_at[sale.item] = now
    if play.random.random() < 0.6:
        play.world.traces.writes[sale.order] = [replace(sale.sent, done_at=now)]
    else:
        play.world.traces.whole[sale.order] = now
    order = play.world.shop.order(sale.order)
    order["ext_order_id"] = sale.sent.number
    play.world.shop.touch(order)
    return f"#{sale.order}"


def reserve(play: Schedule) -> str | None:
    """A line gets goods that are there or on their way, maybe for a part of it only."""
    line = _any_line(play)
    if line is None or line.on_order <= 0:
        return None
    part, ledger = _part(play, line.on_order), play.world.erp.ledger
    given = ledger.reserve if play.random.random() < 0.5 else ledger.reserve_ordered
    return f"{given(line.lot, part)} of {line.lot}"


def pick(play: Schedule) -> str | None:
    """Goods are taken from their place."""
    line = _any_line(play)
    return None if line is None else _moved(play, play.world.erp.ledger.pick, line)


def slip(play: Schedule) -> str | None:
    """Goods leave the ERP, picked, reserved or neither."""
    line = _any_line(play)
    return None if line is None else _moved(play, play.world.erp.ledger.ship, line)


def _moved(play: Schedule, step: Callable[[str, Decimal], None], line: StockLine) -> str | None:
    if line.open <= 0:
        return None
    part = _part(play, line.open)
    try:
        step(line.lot, part)
    except StockRefusedError:
        return None
    return f"{part} of {line.lot}"


def correct(play: Schedule) -> str | None:
    """A slip is taken back."""
    line, ledger = _any_line(play), play.world.erp.ledger
    if line is None or line.shipped <= 0:
        return None
    part = _part(play, line.shipped)
    ledger.put(line.place, ledger.balance(line.place).on_hand + part)
    ledger._set(line.lot, replace(line, shipped=line.shipped - part))
    return f"{part} of {line.lot}"


def close_short(play: Schedule) -> str | None:
    """What is left of a line is not delivered any more."""
    line = _any_line(play)
    if line is None:
        return None
    play.world.erp.ledger.close(line.lot)
    return line.lot


def move(play: Schedule) -> str | None:
    """A line is shipped from elsewhere."""
    line = _any_line(play)
    if line is None:
        return None
    warehouse = play.random.choice(WAREHOUSES)
    try:
        play.world.erp.ledger.change(line.lot, (line.place[0], warehouse), line.quantity)
    except StockRefusedError:
        return None
    return f"{line.lot} to {warehouse}"


def adjust(play: Schedule) -> str:
    """Somebody counts."""
    sku, warehouse = play.random.choice([*PER_BOX]), play.random.choice(WAREHOUSES)
    pieces = Decimal(play.random.randrange(-5, 120))
    play.world.erp.ledger.put(place_of(sku, warehouse), pieces)
    return f"{sku} in {warehouse} to {pieces}"


def sell_elsewhere(play: Schedule) -> str:
    """Another channel's order wants goods."""
    sku, warehouse = play.random.choice([*PER_BOX]), play.random.choice(WAREHOUSES)
    pieces = Decimal(play.random.randrange(1, 30))
    play.world.erp.order("SO-X", sku, warehouse, pieces)
    return f"{pieces} {sku} from {warehouse}"


def edit(play: Schedule) -> str:
    """Somebody sets a source item in the shop, or takes it from sale."""
    sku, stock, source = _any_source(play)
    quantity, status = Decimal(play.random.randrange(0, 150)), 1
    if play.random.random() < 0.3:
        quantity, status = play.world.sources.held(sku, source), 0
    return _set(play, stock, SourceQuantity(sku, source, quantity), status)


def set_late(play: Schedule) -> str | None:
    """What was written once is carried out again, long after it was given up."""
    written = play.world.sources.written
    if not written:
        return None
    late = play.random.choice(written[-12:])
    stock = next(each for each in play.stocks if late.source in each.sources)
    return _set(play, stock, late, 1)


def _set(play: Schedule, stock: Stock, item: SourceQuantity, status: int) -> str:
    play.world.sources.edit(item.sku, item.source, item.quantity, status)
    play.edited.add(item.sku)
    play.disturbed.add((stock.market, item.sku))
    return f"{item.sku} in {item.source} to {item.quantity} ({status})"


def refuse(play: Schedule) -> str | None:
    """The shop refuses a source of a SKU from now on, or takes it again."""
    sku, stock, source = _any_source(play)
    if len(stock.sources) == 1:
        return None
    play.world.sources.refuses ^= {(sku, source)}
    play.disturbed.add((stock.market, sku))
    return f"{sku} in {source}"


def _any_source(play: Schedule) -> tuple[str, Stock, str]:
    stock = play.random.choice(play.stocks)
    return play.random.choice([*PER_BOX]), stock, play.random.choice([*stock.sources])


def _any_line(play: Schedule) -> StockLine | None:
    lines = [*play.world.erp.ledger.lines.values()]
    return play.random.choice(lines) if lines else None


def _part(play: Schedule, whole: Decimal) -> Decimal:
    return Decimal(play.random.randrange(1, max(2, int(whole) + 1)))


SHOP_STEPS: tuple[Step, ...] = (
    *(place, place, place, cancel, invoice, ship, ship, refund, refund),
    *(edit, set_late, refuse),
)
ERP_STEPS: tuple[Step, ...] = (
    *(send, send, arrive, arrive, tell, tell),
    *(reserve, reserve, pick, slip, slip, correct, close_short, move, adjust, sell_elsewhere),
)


@pytest.mark.parametrize("number", range(SEED, SEED + SCHEDULES))
def test_the_shop_sells_what_there_is(number: int) -> None:
    asyncio.run(Schedule(number).play())
