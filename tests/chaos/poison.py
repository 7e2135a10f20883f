"""The ERP exports nonsense, and the shop meets the sync for the first time: nothing is written.

All prices 0, all stock 0, half a catalog, none at all: each waits or is not believed, with an
alert, and the shop stays as it was. A run that was right is undone: the shop is as before it.
"""

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, events
from tests.chaos.mirrored import VIEW, Mirrored, counted, moved
from tests.chaos.stage import stage

_RENAMED = 40
_COUNTED = 30


def poison(options: Options) -> list[Figure]:
    """First run on a full shop, all prices 0, all stock 0, half a catalog, none; and an undo."""
    with stage(
        workers=1,
        latency_ms=options.latency_ms,
        tuning=Tuning(mirrors=("products", "stock")),
        skus=options.skus,
    ) as on:
        on.turn("magento", consumer_speed=50)
        products = Mirrored(on, options.drain_seconds)
        before = products.shop()
        on.workers.start()
        looked = products.settled("products")
        figures = [
            Figure(name="first run", value=str(dict(looked["rows"]))),
            counted("products written by the first run", moved(before, products.shop())),
            products.alerted("products", "wait for a person"),
        ]
        products.adopted("products")
        products.adopted("stock")
        return [
            *figures,
            *_undone(products),
            *_no_stock(products),
            *_no_prices(products),
            *_no_catalog(products),
            *events(on),
        ]


def _undone(products: Mirrored) -> list[Figure]:
    before = products.shop()
    renamed = products.plain(_RENAMED)
    products.change({sku: {"name": f"Falsch {sku}"} for sku in renamed})
    run = products.resynced("products")
    there = moved(before, products.shop())
    products.undo(run["run"]["id"])
    products.settled("products", after=run["run"]["id"])
    after = products.shop()
    # Else the next read would plan the same again.
    products.change({sku: {"name": before[sku]["views"][VIEW]["name"]} for sku in renamed})
    return [
        counted("products renamed by a run", there, most=len(renamed)),
        counted("products that differ after its undo", moved(before, after)),
    ]


def _no_stock(products: Mirrored) -> list[Figure]:
    before = products.source_quantities(products.plain(_COUNTED))
    products.on.dial(zero_stock=True)
    products.resynced("stock")
    after = products.source_quantities(before)
    products.on.dial(zero_stock=False)
    return [
        counted("SKUs emptied when all stock is 0", {s for s in before if before[s] != after[s]}),
        products.alerted("stock", "wait for a person"),
    ]


def _no_prices(products: Mirrored) -> list[Figure]:
    before = products.shop()
    products.on.dial(zero_prices=True)
    run = products.resynced("products")
    after = products.shop()
    products.on.dial(zero_prices=False)
    waits = run["rows"].get("waiting", 0)
    return [
        counted("products written when all prices are 0", moved(before, after)),
        Figure(name="rows that wait", value=str(waits), bar="> 0", is_met=waits > 0),
        products.alerted("products", "wait for a person"),
    ]


def _no_catalog(products: Mirrored) -> list[Figure]:
    before, figures = products.shop(), []
    for name, share in (("half a", 0.5), ("no", 0.0)):
        products.on.dial(catalog_share=share)
        state = products.resynced("products")["run"]["state"]
        written = moved(before, products.shop())
        figures += [
            counted(f"products written with {name} catalog", written),
            Figure(name="that read", value=state, bar="failed", is_met=state == "failed"),
        ]
    return [*figures, products.alerted("products", "could not be read")]
