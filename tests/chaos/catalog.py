"""Some products of a catalog change in the ERP, and some of these were edited in the shop.

Afterwards exactly these differ, in exactly the changed fields; a worker is killed meanwhile. The
name belongs to the ERP and is overwritten; a weight that somebody edited stays.
"""

import copy
import threading
import time
from typing import Any

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, events
from tests.chaos.mirrored import VIEW, Mirrored, counted, moved
from tests.chaos.stage import Stage, stage

_KILL_AFTER_SECONDS = 4.0
_MOST_CHANGED = 1000


def catalog(options: Options) -> list[Figure]:
    """Some products change, some of them were edited in the shop; only these fields are written."""
    with stage(
        workers=1, latency_ms=options.latency_ms, tuning=Tuning(mirrors=True), skus=options.skus
    ) as on:
        on.turn("magento", consumer_speed=50)
        products = Mirrored(on, options.drain_seconds)
        on.workers.start()
        products.adopted("products")
        changed = products.plain(min(_MOST_CHANGED, max(8, options.skus // 10)))
        edited = changed[: max(2, len(changed) // 20)]
        named, weighed = edited[::2], edited[1::2]
        products.edit({sku: {"store": VIEW, "name": f"By hand {sku}"} for sku in named})
        products.edit({sku: {"weight": 99} for sku in weighed})
        before = products.shop()
        products.change({sku: {"name": f"Neu {sku}", "weight": 7} for sku in changed})

        killer = threading.Timer(_KILL_AFTER_SECONDS, _kill, args=(on,))
        killer.start()
        run = products.resynced("products")
        killer.join()
        after = products.shop()
        wanted = _wanted(before, changed, kept=weighed)
        unasked = products.resynced("products")
        return [
            Figure(name="products, changed, edited", value=_sizes(after, changed, edited)),
            counted("products that are not as they should be", moved(wanted, after)),
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


def _kill(on: Stage) -> None:
    for worker in on.workers.all:
        worker.kill()
    time.sleep(1)
    on.workers.revive()


def _wanted(before: Any, changed: list[str], *, kept: list[str]) -> dict[str, Any]:
    wanted = {sku: copy.deepcopy(one) for sku, one in before.items()}
    for sku in changed:
        wanted[sku]["views"].setdefault(VIEW, {})["name"] = f"Neu {sku}"
        if sku not in kept:
            wanted[sku]["weight"] = type(before[sku]["weight"])(7)
    return wanted


def _recorded(products: Mirrored, run: Any, count: int) -> Figure:
    found = sum(products.story(run["run"]["id"])["edited"].values())
    return Figure(name="edits recorded", value=str(found), bar=f"= {count}", is_met=found == count)


def _sizes(shop: Any, changed: list[str], edited: list[str]) -> str:
    return f"{len(shop)}, {len(changed)}, {len(edited)}"
