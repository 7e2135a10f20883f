"""How long until the shop's sources follow the ERP, for SKUs that somebody has ordered.

Orders are placed and brought to the ERP; then their SKUs are counted anew there, one by one, at
no fixed distance from the minute in which they are watched. Each is right when its source holds
what the ERP has free, and what orders that both systems have take off it in the shop; asked are
the two control ports alone.
"""

import math
import time
from collections.abc import Collection, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, bounded, events
from tests.chaos.mirrored import SOURCE, VIEW, Mirrored, counted
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage, stage

_STOCK, _WAREHOUSE = 3, "13"
_SKUS, _FEWEST = 40, 20
_CHANGES = 60
_LOWERED = 5
# Two minutes and a half, and so over every part of the minute between two watches.
_APART_SECONDS = (0.5, 4.5)
_MOST_SECONDS = 90.0
# Until all orders that do not wait for a person are in the ERP.
_ARRIVAL_SECONDS = 60.0
# Two watches, and some to spare.
_SETTLED_SECONDS = 150.0


def stock(options: Options) -> list[Figure]:
    """ERP change -> the shop's source, for SKUs with open orders: p95 within 90 s."""
    tuning = Tuning(mirrors=("products", "stock"))
    with stage(workers=2, latency_ms=options.latency_ms, tuning=tuning, skus=options.skus) as on:
        sources = Mirrored(on, options.drain_seconds)
        on.workers.start()
        on.warm_up()
        sources.adopted("stock")
        skus = _ordered(on, sources.plain(_SKUS), seconds=_SETTLED_SECONDS)
        before = {system: on.calls(system) for system in ("fo", "magento")}
        began = time.monotonic()
        late = _lateness(on, skus, seconds=options.drain_seconds)
        minutes = (time.monotonic() - began) / 60
        spent = {system: (on.calls(system) - count) / minutes for system, count in before.items()}
        wrong = [sku for sku in skus if not _is_right(on, sku)]
        return [
            Figure(name="SKUs with open orders, changes", value=f"{len(skus)}, {len(late)}"),
            Figure(
                name="changed in the ERP -> in the shop, p50", value=f"{share(late, 0.5):.1f} s"
            ),
            bounded("changed in the ERP -> in the shop, p95", share(late, 0.95), _MOST_SECONDS),
            Figure(name="changed in the ERP -> in the shop, longest", value=f"{late[-1]:.1f} s"),
            counted("SKUs that are wrong at the end", wrong),
            *(
                Figure(name=f"calls of {system} a minute", value=f"{rate:.0f}")
                for system, rate in spent.items()
            ),
            *events(on),
        ]


def _ordered(on: Stage, skus: Sequence[str], *, seconds: float) -> list[str]:
    """Have SKUs ordered, and wait until the ERP has the orders and the shop the right stock.

    Left out is what is sold by the box, as the ERP's pieces are not the shop's, and what waits for
    a person, such as an item that may not be sold.
    """
    orders = {
        sku: on.placed(store=VIEW, customer=1, lines=[{"sku": sku, "quantity": 2}]) for sku in skus
    }
    on.until(lambda: {*orders.values()} <= on.delivered(), seconds=_ARRIVAL_SECONDS, look=1.0)
    delivered = on.delivered()
    arrived = [sku for sku, order in orders.items() if order in delivered]
    right: list[str] = []

    def are_right() -> bool:
        right[:] = [sku for sku in arrived if _is_right(on, sku)]
        return len(right) == len(arrived)

    on.until(are_right, seconds=seconds, look=5.0)
    if len(right) < _FEWEST:
        raise ChaosError(
            f"of {len(skus)} SKUs with orders, {len(arrived)} orders arrived, and {len(right)} "
            "SKUs are right at the start"
        )
    return right


def _lateness(on: Stage, skus: Sequence[str], *, seconds: float) -> list[float]:
    """Count SKUs anew in the ERP; return how late each was right in the shop, sorted."""
    random = Random(12)
    changed: dict[str, float] = {}
    late: list[float] = []

    def look(until: float) -> None:
        while True:
            right = [sku for sku in changed if _is_right(on, sku)]
            late.extend(time.monotonic() - changed.pop(sku) for sku in right)
            on.workers.revive()
            if time.monotonic() >= until or not changed:
                return
            time.sleep(0.5)

    for number in range(_CHANGES):
        if free := [sku for sku in skus if sku not in changed]:
            sku = random.choice(free)
            # Less than is ordered at times; not for more SKUs than may be lowered in a day.
            count = {"change": number + 1} if number % _LOWERED else {"quantity": 1}
            on.ask("POST", f"fo/stock/{sku}", {"warehouse": _WAREHOUSE, **count})
            changed[sku] = time.monotonic()
        pause = time.monotonic() + random.uniform(*_APART_SECONDS)
        look(pause)
        time.sleep(max(0.0, pause - time.monotonic()))
    look(time.monotonic() + seconds)
    return sorted([*late, *[math.inf] * len(changed)])


def _is_right(on: Stage, sku: str) -> bool:
    """Return whether the source holds what the ERP has free, and what orders take off it."""
    shop = on.ask("GET", f"magento/stock/{sku}")
    [reserved] = [each["reserved"] for each in shop["stocks"] if each["stock_id"] == _STOCK]
    held = [each["quantity"] for each in shop["source_items"] if each["source_code"] == SOURCE]
    wanted = max(Decimal(0), _free(on.ask("GET", f"fo/stock/{sku}"))) + reserved
    return bool(sum(held, Decimal(0)) == wanted)


def _free(erp: Any) -> Decimal:
    place = erp["warehouses"].get(_WAREHOUSE)
    if place is None:
        return Decimal(0)
    return Decimal(place["available"] - place["on_order"] - place["reserved_ordered"])


def share(values: Collection[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else math.inf
