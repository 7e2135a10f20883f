"""How long from the shop to the ERP, with the shop's hints and without."""

import math
import time
from collections.abc import Sequence
from datetime import datetime

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, bounded, verdict
from tests.chaos.stage import Stage, stage

_ORDERS = 60


def push(options: Options) -> list[Figure]:
    """Latency from the shop to the ERP when the shop tells of its orders."""
    return _latency(options, is_pushed=True, most_seconds=2.0)


def poll(options: Options) -> list[Figure]:
    """Latency from the shop to the ERP by polling every 5 s alone."""
    return _latency(options, is_pushed=False, most_seconds=8.0)


def _latency(options: Options, *, is_pushed: bool, most_seconds: float) -> list[Figure]:
    with stage(
        workers=2, latency_ms=options.latency_ms, tuning=Tuning(), is_pushed=is_pushed
    ) as on:
        on.workers.start()
        count = on.warm_up()
        seen: dict[str, float] = {}
        numbers: list[str] = []
        # Spread over several polls, at no fixed distance from them.
        for _ in range(_ORDERS):
            numbers += on.place(1)
            _look(on, seen, until=time.monotonic() + 0.37)
        end = time.monotonic() + options.drain_seconds
        while not set(numbers) <= seen.keys() and time.monotonic() < end:
            _look(on, seen, until=time.monotonic() + 0.1)
        placed_at = {
            number: datetime.fromisoformat(at).timestamp() for number, at in on.placed_at().items()
        }
        late = sorted(seen[number] - placed_at[number] for number in numbers if number in seen)
        is_good = on.judged(count + len(numbers), wait_seconds=options.drain_seconds)
        return [
            *verdict(is_good),
            Figure(name="orders", value=str(len(numbers))),
            Figure(name="placed -> in the ERP, p50", value=f"{_share(late, 0.5):.2f} s"),
            bounded("placed -> in the ERP, p95", _share(late, 0.95), most_seconds),
            Figure(name="placed -> in the ERP, longest", value=f"{late[-1]:.2f} s"),
        ]


def _look(on: Stage, seen: dict[str, float], *, until: float) -> None:
    while time.monotonic() < until:
        now = time.time()
        for number in on.released():
            seen.setdefault(number, now)
        time.sleep(0.03)


def _share(values: Sequence[float], share: float) -> float:
    if not values:
        return math.inf
    return values[min(len(values) - 1, math.ceil(len(values) * share) - 1)]
