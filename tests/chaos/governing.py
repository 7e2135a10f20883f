"""A slow storefront has the shop written to as slowly as can be, and orders do not notice.

The width is read off the metrics of the worker, how many probes there were off the shop's calls.
How many writes were in progress at once is what the shop tells, and the same stock is written at
each fixed width before.
"""

import math
import re
import threading
import time
from collections.abc import Sequence

from tests.chaos import widths
from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, bounded
from tests.chaos.mirrored import Mirrored
from tests.chaos.stage import Stage, stage

_SLOW_MS, _USUAL_MS = 400, 25
_PROBES = 10
_BACK_SECONDS = 300.0
# More than while the storefront is slow, which would be taken for usual else.
_LEARNED_PROBES = 40
_ORDERS = 20
_ORDER_SECONDS = 2.0
# Slow enough that there is something to be wide at.
_CONSUMER_SPEED, _WRITE_COST = 20, 4
_LEARN_SECONDS = 240.0
_WIDTH = re.compile(r"^d365_sync_mirror_batches ([0-9.]+)$", re.MULTILINE)


def governor(options: Options) -> list[Figure]:
    """As wide as is good; a slow storefront: at the floor within 10 probes, back in 5 minutes."""
    tuning = Tuning(mirrors=("products", "stock"))
    with stage(
        workers=1, latency_ms=options.latency_ms, tuning=tuning, is_pushed=True, skus=options.skus
    ) as on:
        on.turn("magento", consumer_speed=_CONSUMER_SPEED, write_cost=_WRITE_COST)
        mirrored = Mirrored(on, options.drain_seconds)
        on.workers.start()
        on.warm_up()
        for flow in tuning.mirrors:
            mirrored.adopted(flow)
        skus = mirrored.stocked()
        fixed = widths.at_fixed_widths(mirrored, skus)
        on.until(lambda: _probes(on) >= _LEARNED_PROBES, seconds=_LEARN_SECONDS, look=1.0)
        # A worker that has just begun has measured nothing yet.
        on.until(lambda: _width(on) == tuning.batches, seconds=_LEARN_SECONDS, look=1.0)
        wide = _width(on)
        governed = widths.written_stock(mirrored, skus)
        return [
            Figure(
                name="batches at once",
                value=f"{wide:.0f}",
                bar=f"= {tuning.batches}",
                is_met=wide == tuning.batches,
            ),
            *widths.figures(fixed, governed),
            *_slow(mirrored, skus, wide, options),
        ]


def _slow(mirrored: Mirrored, skus: Sequence[str], wide: float, options: Options) -> list[Figure]:
    """Make the storefront slow while products are written, and well again."""
    on = mirrored.on
    mirrored.change({sku: {"name": f"Neu {sku}"} for sku in mirrored.plain()})
    writing = threading.Thread(target=mirrored.resynced, args=("products",))
    on.turn("magento", page_latency_ms=_SLOW_MS)
    first = _probes(on)
    writing.start()
    on.until(lambda: _width(on) == 1, seconds=120, look=0.3)
    probes, narrow = _probes(on) - first, _width(on)
    late = _lateness(on, seconds=options.drain_seconds)
    slow = widths.written_stock(mirrored, skus)

    on.turn("magento", page_latency_ms=_USUAL_MS)
    began = time.monotonic()
    on.until(lambda: _width(on) == wide, seconds=_BACK_SECONDS + 60, look=1.0)
    back = time.monotonic() - began
    writing.join()
    return [
        Figure(
            name="slow storefront, batches at once",
            value=f"{narrow:.0f} after {probes} probes",
            bar=f"= 1 within {_PROBES} probes",
            is_met=narrow == 1 and probes <= _PROBES,
        ),
        Figure(
            name="slow storefront, writes of stock at once",
            value=f"{slow.most} of {slow.requests}, {slow.seconds:.1f} s",
            bar="= 1",
            is_met=slow.most == 1,
        ),
        bounded("as wide as before, after", back, _BACK_SECONDS),
        bounded("orders pushed meanwhile -> in the ERP, p95", late, _ORDER_SECONDS),
    ]


def _width(on: Stage) -> float:
    text = on.control.get(f"http://127.0.0.1:{on.ports.operators}/metrics", timeout=10).text
    found = _WIDTH.search(text)
    return float(found[1]) if found else math.nan


def _probes(on: Stage) -> int:
    return int(on.ask("GET", "magento/calls")["operations"].get("page", 0))


def _lateness(on: Stage, *, seconds: float) -> float:
    """Place orders; return the 95th percentile of the seconds until they are in the ERP."""
    placed: dict[str, float] = {}
    seen: dict[str, float] = {}

    def look(until: float) -> None:
        while time.monotonic() < until and len(seen) < _ORDERS:
            for number in (on.released() & placed.keys()) - seen.keys():
                seen[number] = time.monotonic() - placed[number]
            time.sleep(0.1)

    for _ in range(_ORDERS):
        placed |= dict.fromkeys(on.place(1), time.monotonic())
        look(time.monotonic() + 0.7)
    look(time.monotonic() + seconds)
    return _share(sorted(seen.values())) if len(seen) == _ORDERS else math.inf


def _share(values: Sequence[float]) -> float:
    return values[math.ceil(len(values) * 0.95) - 1]
