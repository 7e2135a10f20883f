"""Some products of a catalog change in the ERP, and some of these were edited in the shop.

Afterwards exactly these differ, in exactly the changed fields, whatever the worker was at when it
was killed. The name belongs to the ERP and is overwritten; a price that somebody edited stays.
Views of other markets, and which variants a product has, are part of what is compared.
"""

import copy
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from tests.chaos.configuration import Tuning
from tests.chaos.cuts import Cuts
from tests.chaos.figures import Figure, Options, events
from tests.chaos.mirrored import VIEW, Digests, Mirrored, Products, counted, digest, moved
from tests.chaos.stage import stage

_MOST_CHANGED, _MOST_EDITED = 1000, 50
_KILLS = 3
# Slow enough to be met while it writes.
_CONSUMER_SPEED, _WRITE_COST = 1, 10
_DEARER, _CENT = Decimal("1.1"), Decimal("0.01")


def catalog(options: Options) -> list[Figure]:
    """Some products change, some of them were edited in the shop; only these fields are written."""
    tuning = Tuning(mirrors=("products",))
    with stage(workers=1, latency_ms=options.latency_ms, tuning=tuning, skus=options.skus) as on:
        products = Mirrored(on, options.drain_seconds)
        on.workers.start()
        products.adopted("products")
        changed = products.plain(min(_MOST_CHANGED, max(8, options.skus // 10)))
        prices = {sku: _dearer(one["price"]) for sku, one in products.some(changed).items()}
        edited = changed[: max(2, min(_MOST_EDITED, len(changed) // 20))]
        named, priced = edited[::2], edited[1::2]
        products.edit({sku: {"store": VIEW, "name": f"By hand {sku}"} for sku in named})
        products.edit({sku: {"price": str(prices[sku] + 1)} for sku in priced})
        before, some = products.digests(), products.some(changed)
        products.change(
            {
                sku: {"name": f"Neu {sku}", "base_price": str(price), "price_unit": 1}
                for sku, price in prices.items()
            }
        )

        on.turn("magento", consumer_speed=_CONSUMER_SPEED, write_cost=_WRITE_COST)
        products.forget_writes()
        cuts = Cuts(products, _KILLS)
        with cuts.going_on():
            run = products.resynced("products")
        killed = cuts.figures()
        after = products.digests()
        unasked = products.resynced("products")
        return [
            Figure(name="products, changed, edited", value=_sizes(after, changed, edited)),
            *killed,
            counted(
                "products that are not as they should be",
                moved(_wanted(before, some, prices, kept=priced), after),
            ),
            counted("products that should not differ and do", moved(before, after) - {*changed}),
            _recorded(products, run, len(edited)),
            Figure(
                name="rows of a second read",
                value=str(sum(unasked["rows"].values())),
                bar="= 0",
                is_met=not unasked["rows"],
            ),
            *events(on),
        ]


def _dearer(price: Decimal) -> Decimal:
    """Return a price that is another, and not so much so that it waits."""
    return (price * _DEARER).quantize(_CENT)


def _wanted(
    before: Digests, changed: Products, prices: Mapping[str, Decimal], *, kept: Collection[str]
) -> Digests:
    wanted = dict(before)
    for sku, one in changed.items():
        new: Any = copy.deepcopy(one)
        new["views"].setdefault(VIEW, {})["name"] = f"Neu {sku}"
        if sku not in kept:
            new["price"] = prices[sku]
        wanted[sku] = digest(new)
    return wanted


def _recorded(products: Mirrored, run: Any, count: int) -> Figure:
    found = sum(products.story(run["run"]["id"])["edited"].values())
    return Figure(name="edits recorded", value=str(found), bar=f"= {count}", is_met=found == count)


def _sizes(shop: Any, changed: list[str], edited: list[str]) -> str:
    return f"{len(shop):,}, {len(changed):,}, {len(edited)}"
