"""How long until the shop knows what the ERP did with an order, while many orders are watched.

Slips are posted and days of shipping confirmed, one by one, at no fixed distance from the looks
of the workers, one of which is killed now and then. Each is there when its shipment, or its
comment, stands in the shop; asked are the two control ports alone. First the ERP tells nothing,
then by business events.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import requests

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, bounded, events
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage, stage
from tests.chaos.stock_latency import share

_CHANGES = 40
_APART_SECONDS = (0.5, 4.5)
_KILL_EVERY_SECONDS = 25.0
_POLL_SECONDS, _HINT_SECONDS = 90.0, 5.0
_READS_A_MINUTE, _QUIET_SECONDS = 120, 90.0
# Until the last order is in the ERP and was looked at: a worker brings some twenty a second.
_SETTLED_SECONDS, _PER_ORDER_SECONDS = 120.0, 0.4


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to come into the shop.

    Attributes:
        order: The shop's id of the order.
        told: What stands on its shipment, or on itself, once it is there.
    """

    order: int
    told: str


def status(options: Options) -> list[Figure]:
    """ERP slip or day of shipping -> the shop: by poll, with hints, and within the reads."""
    tuning = Tuning(order_status=True, sweep_seconds=3600)
    with stage(workers=2, latency_ms=options.latency_ms, tuning=tuning, has_events=True) as on:
        on.dial(event_loss=1)
        on.workers.start()
        on.warm_up()
        orders = _watched(on, options.orders)
        quiet = _reads_a_minute(on)
        made: list[_Change] = []
        random = Random(13)
        by_poll = _lateness(on, orders, made, random, seconds=options.drain_seconds, has_kills=True)
        for worker in on.workers.all:
            worker.revive()
            worker.until_ready()
        on.dial(event_loss=0)
        by_hint = _lateness(on, orders, made, random, seconds=options.drain_seconds)
        wrong = [each for each in made if _count(on, each) != 1]
        moving = on.rows("SELECT count(*) FROM watched_order WHERE due_at IS NOT NULL")[0][0]
        return [
            Figure(name="orders watched, changes", value=f"{moving}, {len(made)}"),
            bounded("in the ERP -> in the shop by poll, p95", share(by_poll, 0.95), _POLL_SECONDS),
            Figure(name="by poll, p50 and longest", value=_spread(by_poll)),
            bounded("in the ERP -> in the shop by hint, p95", share(by_hint, 0.95), _HINT_SECONDS),
            Figure(name="by hint, p50 and longest", value=_spread(by_hint)),
            Figure(
                name="calls of the ERP a minute while nothing happens",
                value=f"{quiet:.0f}",
                bar=f"<= {_READS_A_MINUTE}",
                is_met=quiet <= _READS_A_MINUTE,
            ),
            Figure(
                name="changes that are not in the shop exactly once",
                value=str(len(wrong)),
                bar="= 0",
                is_met=not wrong,
            ),
            *events(on),
        ]


def _watched(on: Stage, count: int) -> list[Any]:
    """Place orders, and wait until they are in the ERP and all were looked at; return them."""
    on.place(count, kind="simple")
    seconds = _SETTLED_SECONDS + count * _PER_ORDER_SECONDS
    query = "SELECT count(*) FROM watched_order WHERE status > ''"
    on.until(lambda: on.rows(query)[0][0] >= count, seconds=seconds, look=2.0)
    found = [each for each in on.orders() if each["ext_order_id"]]
    if len(found) < 2 * _CHANGES:
        raise ChaosError(f"of {count} orders, {len(found)} are in the ERP")
    return found


def _reads_a_minute(on: Stage) -> float:
    before, began = on.calls("fo"), time.monotonic()
    time.sleep(_QUIET_SECONDS)
    return (on.calls("fo") - before) / ((time.monotonic() - began) / 60)


def _lateness(
    on: Stage,
    orders: Sequence[Any],
    made: list[_Change],
    random: Random,
    *,
    seconds: float,
    has_kills: bool = False,
) -> list[float]:
    """Have things happen in the ERP; return how late each was in the shop, sorted."""
    waiting: dict[_Change, float] = {}
    late: list[float] = []
    killed_at = time.monotonic()

    def look(until: float) -> None:
        while waiting:
            there = [each for each in waiting if _count(on, each)]
            late.extend(time.monotonic() - waiting.pop(each) for each in there)
            on.workers.revive()
            if time.monotonic() >= until:
                return
            time.sleep(0.1)

    while len(late) + len(waiting) < _CHANGES:
        # What moves again before anybody looked is told once.
        busy = {each.order for each in waiting}
        free = [each for each in orders if each["entity_id"] not in busy]
        change = _happened(on, random.choice(free), len(made))
        if change is not None:
            made.append(change)
            waiting[change] = time.monotonic()
        if has_kills and time.monotonic() - killed_at > _KILL_EVERY_SECONDS:
            random.choice([each for each in on.workers.all if each.is_alive]).kill()
            killed_at = time.monotonic()
        pause = time.monotonic() + random.uniform(*_APART_SECONDS)
        look(pause)
        time.sleep(max(0.0, pause - time.monotonic()))
    look(time.monotonic() + seconds)
    return sorted([*late, *[float("inf")] * len(waiting)])


def _happened(on: Stage, order: Any, number: int) -> _Change | None:
    """Have something happen to an order; None where the ERP refuses it."""
    path, entity = f"fo/orders/{order['increment_id']}", int(order["entity_id"])
    try:
        if number % 2:
            # Each change another day, so that each has words of its own.
            day = datetime.now(UTC).date() + timedelta(days=10 + number)
            on.ask("POST", f"{path}/promise", {"ships": f"{day}"})
            return _Change(entity, f"To be shipped on {day}.")
        slip = f"CH-{number}"
        on.ask("POST", f"{path}/ship", {"lines": {"1": 1}, "slip": slip, "carrier": "DHL"})
    except requests.HTTPError:
        # Nothing of it is left, or the ERP has none in stock.
        return None
    return _Change(entity, f"/{slip}/")


def _count(on: Stage, change: _Change) -> int:
    """Return how often a change stands in the shop."""
    papers = on.ask("GET", f"magento/orders/{change.order}")
    written = [*papers["comments"]]
    written += [each for shipment in papers["shipments"] for each in shipment["comments"]]
    return sum(change.told in (each or "") for each in written)


def _spread(late: Collection[float]) -> str:
    return f"{share(late, 0.5):.1f} s, {max(late):.1f} s"
