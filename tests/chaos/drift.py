"""Seven causes and pairs of them are planted in both systems: reconciliation must name them.

Planted is over HTTP alone, in what people and papers do: products deleted, numbers edited, orders
placed and shipped by hand, stock counted anew. No worker runs meanwhile, so that nothing of it is
set right. Then `d365-sync reconcile stock --plan --json` is asked, and compared SKU by SKU. After
that it heals: what a person must decide stays as it is, and the rest is as the ERP says.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from random import Random
from urllib.parse import quote

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, events
from tests.chaos.mirrored import SOURCE, WAREHOUSE, Mirrored, counted
from tests.chaos.processes import ChaosError
from tests.chaos.sizes import STOCK, WAREHOUSES, stock_up
from tests.chaos.stage import Stage, stage

UNKNOWN, UNIT, IN_FLIGHT = "unknown SKU", "unit of measure", "order in flight"
NOT_POSTED, ERP_CHANGED = "shipment or memo not posted", "ERP changed since the last read"
OTHER_RUN, EDITED = "another run's write", "edited in the shop"
# In this order: what is edited is edited last, and a unit takes all with it.
ALL = (UNKNOWN, IN_FLIGHT, NOT_POSTED, ERP_CHANGED, OTHER_RUN, EDITED, UNIT)
# What hides the other, or is undone by it, is no pair: a missing SKU; an absolute number.
PAIRS = [
    pair
    for pair in combinations(ALL[1:], 2)
    if pair not in {(OTHER_RUN, EDITED), (OTHER_RUN, UNIT), (NOT_POSTED, OTHER_RUN)}
]
_HEALED = {ERP_CHANGED, OTHER_RUN, EDITED}
_PLANTED, _CLEAN_PER_PLANTED = 50, 20
_LEAST_PER_CENT = 95
_PER_BOX, _RUN_WROTE, _FEWEST = 12, 20, 10
_HEAL_SECONDS, _COMMAND_SECONDS = 120.0, 300.0


@dataclass
class _Planting:
    """What is planted in which SKU."""

    on: Stage
    stock: Mirrored
    random: Random = field(default_factory=lambda: Random(1))
    causes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def having(self, cause: str) -> list[str]:
        """Return the SKUs in which a cause is planted."""
        return [sku for sku, causes in self.causes.items() if cause in causes]

    def plant(self) -> None:
        """Do to both systems what was chosen."""
        for cause in ALL:
            for sku in self.having(cause):
                _PLANT[cause](self, sku)

    def holds(self, sku: str, source: str = SOURCE) -> Decimal:
        """Return what a source of the shop holds."""
        rows = self.on.ask("GET", f"magento/stock/{quote(sku)}")["source_items"]
        found = (row["quantity"] for row in rows if row["source_code"] == source)
        return Decimal(next(found, 0))

    def edit(self, sku: str, quantity: Decimal, source: str = SOURCE) -> None:
        """Edit a source item by hand."""
        body = {"source": source, "quantity": int(quantity)}
        self.on.ask("POST", f"magento/stock/{quote(sku)}", body)

    def order(self, sku: str) -> int:
        """Place an order and return its id."""
        return self.on.placed(customer=1, lines=[{"sku": sku, "quantity": 2}])

    def delete(self, sku: str) -> None:
        """Delete a product of the shop."""
        self.on.ask("DELETE", f"magento/products/{quote(sku)}")

    def ship(self, sku: str) -> None:
        """Place an order, and ship it by hand; of every second one, a piece comes back."""
        order = self.order(sku)
        leaves = {"extension_attributes": {"source_code": SOURCE}}
        self.on.act(order, "ship", arguments=leaves)
        if self.random.random() < 1 / 2:
            self.on.act(order, "invoice")
            [item] = next(one["item_ids"] for one in self.on.orders() if one["entity_id"] == order)
            back = {"extension_attributes": {"return_to_stock_items": [item]}}
            memo = {"items": [{"order_item_id": item, "qty": 1}]}
            self.on.act(order, "refund", **memo, arguments={"shipping_amount": 0, **back})

    def recount(self, sku: str) -> None:
        """Have the ERP count a SKU anew."""
        self.stock.recount({sku: {WAREHOUSE: self.random.randint(11, 17)}})

    def other(self, sku: str) -> None:
        """Have an earlier write arrive late."""
        self.edit(sku, self.holds(sku) + _RUN_WROTE)

    def edited(self, sku: str) -> None:
        """Edit what the source holds."""
        self.edit(sku, self.holds(sku) + self.random.randint(31, 90))

    def unit(self, sku: str) -> None:
        """Have somebody import boxes as pieces."""
        for source in WAREHOUSES:
            held = self.holds(sku, source)
            if held:
                self.edit(sku, held * _PER_BOX, source)


_PLANT: Mapping[str, Callable[[_Planting, str], object]] = {
    UNKNOWN: _Planting.delete,
    IN_FLIGHT: _Planting.order,
    NOT_POSTED: _Planting.ship,
    ERP_CHANGED: _Planting.recount,
    OTHER_RUN: _Planting.other,
    EDITED: _Planting.edited,
    UNIT: _Planting.unit,
}


def drift(options: Options) -> list[Figure]:
    """7 causes x 50 planted and 50 pairs are named, 95 % rightly; nothing is said of clean rows."""
    tuning = Tuning(mirrors=("stock",), sources=WAREHOUSES, stock_id=STOCK)
    with stage(workers=1, latency_ms=options.latency_ms, tuning=tuning, skus=options.skus) as on:
        stock = Mirrored(on, options.drain_seconds)
        stock_up(on)
        on.workers.start()
        stock.adopted("stock")
        planting, clean = _chosen(on, stock)
        _let_an_older_run_write(planting)
        on.workers.end()
        before = _reconciled(on)
        planting.plant()
        found = _reconciled(on)
        figures = [
            counted("differences before anything was planted", before.differing),
            *_named(planting, found),
            counted("clean SKUs of which something is said", found.differing & {*clean}),
            Figure(name="clean SKUs", value=str(len(clean))),
            Figure(name="exit code", value=str(found.code), bar="= 1", is_met=found.code == 1),
        ]
        return [*figures, *_healed(planting), *events(on)]


def _chosen(on: Stage, stock: Mirrored) -> tuple[_Planting, Sequence[str]]:
    held = stock.held([SOURCE])
    # What is there can be shipped, too.
    skus = [sku for sku in stock.plain() if held.get((SOURCE, sku), 0) >= _FEWEST]
    # Each cause, the pairs, and the clean ones.
    count = min(_PLANTED, len(skus) // (len(ALL) + 1 + _CLEAN_PER_PLANTED))
    if not count:
        raise ChaosError("too few SKUs for every cause; --skus 3000 has enough for the full bar")
    left = iter(skus)
    planting = _Planting(on, stock)
    for cause in ALL:
        planting.causes |= {next(left): (cause,) for _ in range(count)}
    planting.causes |= {next(left): PAIRS[number % len(PAIRS)] for number in range(count)}
    return planting, [sku for sku, _ in zip(left, range(count * _CLEAN_PER_PLANTED), strict=False)]


def _let_an_older_run_write(planting: _Planting) -> None:
    """Have a run write other numbers, and a later one write the old ones again."""
    skus = planting.having(OTHER_RUN)
    for more in (_RUN_WROTE, -_RUN_WROTE):
        planting.stock.recount({sku: {WAREHOUSE: more} for sku in skus})
        planting.stock.resynced("stock")


@dataclass(frozen=True)
class _Reconciled:
    """What the command said.

    Attributes:
        code: Its exit code.
        causes: By SKU.
    """

    code: int
    causes: Mapping[str, Collection[str]]

    @property
    def differing(self) -> set[str]:
        """The SKUs of which anything is said."""
        return {*self.causes}


def _reconciled(on: Stage, *words: str) -> _Reconciled:
    code, said = on.asked(
        "reconcile", "stock", "--json", *(words or ["--plan"]), seconds=_COMMAND_SECONDS
    )
    causes: dict[str, set[str]] = {}
    [report] = json.loads(said)
    for each in report["found"]:
        causes.setdefault(each["key"], set()).update(one["cause"] for one in each["causes"])
    return _Reconciled(code, causes)


def _named(planting: _Planting, found: _Reconciled) -> list[Figure]:
    figures = []
    for cause in ALL:
        single = [sku for sku, causes in planting.causes.items() if causes == (cause,)]
        figures.append(_share(f"{cause}, named", single, planting, found))
    pairs = [sku for sku, causes in planting.causes.items() if len(causes) > 1]
    return [*figures, _share("pairs of causes, named", pairs, planting, found)]


def _share(name: str, skus: Sequence[str], planting: _Planting, found: _Reconciled) -> Figure:
    wrong = {
        f"{sku}: {' + '.join(planting.causes[sku])}: {sorted(found.causes.get(sku, ()))}"
        for sku in skus
        if {*planting.causes[sku]} != {*found.causes.get(sku, ())}
    }
    right = len(skus) - len(wrong)
    is_met = right * 100 >= len(skus) * _LEAST_PER_CENT
    value = f"{right} of {len(skus)}" + "".join(f"\n{each}" for each in sorted(wrong)[:3])
    return Figure(name=name, value=value, bar=f">= {_LEAST_PER_CENT} %", is_met=is_met)


def _healed(planting: _Planting) -> list[Figure]:
    """Have it heal, with a worker to write; what a person must decide stays as it is."""
    on = planting.on
    stays = {
        sku: planting.holds(sku) for sku, causes in planting.causes.items() if causes == (UNIT,)
    }
    alone = [sku for sku, causes in planting.causes.items() if {*causes} <= _HEALED]
    _reconciled(on, "--market=b2b_de")
    on.workers.start()

    def is_healed() -> bool:
        return not {*alone} & _reconciled(on).differing

    on.until(is_healed, seconds=_HEAL_SECONDS, look=2.0)
    left = {*alone} & _reconciled(on).differing
    changed = {sku for sku, held in stays.items() if planting.holds(sku) != held}
    return [
        counted("SKUs that are not healed", left),
        counted("SKUs in another unit that were written over", changed),
    ]
