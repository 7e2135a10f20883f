"""A large shop: what is read without a change, what of it is written, and what that takes.

The worker reads by itself, as after a day. Judged is what the shop was asked to write and what it
then has: every product and every source item, before and after, page by page.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, events
from tests.chaos.mirrored import Held, Mirrored, counted, moved
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage, stage
from tests.chaos.watching import Watched

# Where stock lies: three sources of one stock, each filled from a warehouse of the ERP.
WAREHOUSES = {"berlin": "13", "hamburg": "14", "muenchen": "24"}
STOCK = 4
_EVERY_NTH = 10
# By so many pieces more or less; what is sold in boxes of ten counts boxes.
_PIECES, _BOX, _BOXED = 30, 10, "SPOT-"
_CONSUMER_SPEED = 1000


def fullread(options: Options) -> list[Figure]:
    """A first run on a full shop, and a full read in which nothing has changed: no write."""
    tuning = Tuning(mirrors=("products",), batch_rows=100)
    with stage(workers=1, latency_ms=options.latency_ms, tuning=tuning, skus=options.skus) as on:
        on.turn("magento", consumer_speed=_CONSUMER_SPEED)
        products = Mirrored(on, options.drain_seconds)
        full, watch = products.digests(), Watched(products, "products")
        with watch.going_on():
            on.workers.start()
            looked = products.settled("products")
        figures = [
            Figure(name="products", value=f"{len(full):,}"),
            Figure(name="first run", value=_told(looked)),
            *watch.figures("first run"),
            _unwritten("requests written by the first run", products),
        ]
        products.adopted("products", how="keep")
        before, watch = products.digests(), Watched(products, "products")
        products.forget_writes()
        with watch.going_on():
            again = products.read_again("products")
        after = products.digests()
        return [
            *figures,
            counted("products that the adoption changed", moved(full, before)),
            Figure(name="full read without a change", value=_told(again)),
            *watch.figures("full read"),
            _unwritten("requests written by it", products),
            counted("products that differ after it", moved(before, after)),
            *events(on),
        ]


def stocktake(options: Options) -> list[Figure]:
    """Three sources; of every tenth SKU the ERP counts another number: exactly these are written.

    The shop begins with what the ERP has, as if it had been filled before.
    """
    tuning = Tuning(mirrors=("stock",), sources=WAREHOUSES, stock_id=STOCK)
    with stage(workers=1, latency_ms=options.latency_ms, tuning=tuning, skus=options.skus) as on:
        stock = Mirrored(on, options.drain_seconds)
        stock_up(on)
        full, watch = stock.held(WAREHOUSES), Watched(stock, "stock")
        with watch.going_on():
            on.workers.start()
            looked = stock.settled("stock")
        figures = [
            Figure(name="SKUs x sources", value=f"{len(full):,}"),
            Figure(name="first run", value=_told(looked)),
            *watch.figures("first run"),
            _unwritten("requests written by the first run", stock),
        ]
        stock.adopted("stock")
        before = stock.held(WAREHOUSES)
        wanted = _count_anew(stock, before)
        stock.forget_writes()
        watch = Watched(stock, "stock")
        with watch.going_on():
            run = stock.read_again("stock")
        after = stock.held(WAREHOUSES)
        rows = sum(each["rows"] for each in stock.writes().values())
        changed = moved(before, wanted)
        return [
            *figures,
            Figure(name="full read, a tenth changed", value=_told(run)),
            *watch.figures("full read"),
            Figure(
                name="source items written",
                value=f"{rows:,}",
                bar=f"= {len(changed):,}",
                is_met=rows == len(changed),
            ),
            counted("source items that are not as they should be", moved(wanted, after)),
            *events(on),
        ]


def stock_up(on: Stage) -> None:
    """Give the shop's stock three sources, which hold what the ERP's warehouses have."""
    on.ask("POST", "magento/sources", {"source_code": "muenchen"})
    made = {"name": "Large", "websites": ["b2b_de"], "sources": [*WAREHOUSES]}
    if on.ask("POST", "magento/stocks", made)["stock_id"] != STOCK:
        raise ChaosError("the shop has another number of stocks than was thought")
    for source, warehouse in WAREHOUSES.items():
        on.ask("POST", f"magento/sources/{source}/stocked", {"warehouse": warehouse})


def _count_anew(stock: Mirrored, before: Held) -> Held:
    """Have the ERP count other numbers of every tenth SKU; return what the shop must have then."""
    skus = sorted({sku for _, sku in before})[::_EVERY_NTH]
    wanted, changes = dict(before), {}
    for number, sku in enumerate(skus):
        pieces = _PIECES if number % 2 else -_PIECES
        changes[sku] = dict.fromkeys(WAREHOUSES.values(), pieces)
        units = pieces // _BOX if sku.startswith(_BOXED) else pieces
        for source in WAREHOUSES:
            wanted[source, sku] = max(Decimal(0), before[source, sku] + units)
    stock.recount(changes)
    return wanted


def _told(run: Any) -> str:
    """Return what became of a run, in short."""
    rows = ", ".join(f"{count:,} {state}" for state, count in run["rows"].items())
    its = run["run"]
    began, ended = (datetime.fromisoformat(its[name]) for name in ("began_at", "changed_at"))
    seconds = (ended - began).total_seconds()
    return f"{its['state']}: {its['rows_read']:,} rows in {seconds:.0f} s; {rows or 'none differ'}"


def _unwritten(name: str, mirrored: Mirrored) -> Figure:
    requests = sum(each["requests"] for each in mirrored.writes().values())
    return Figure(name=name, value=str(requests), bar="= 0", is_met=not requests)
