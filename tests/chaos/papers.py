"""Slips, parcels, invoices and credit notes of the ERP come into a shop of many watched orders.

Most orders are quiet. Of some hundreds things happen in any order, in parts, over several orders at
once; half of the ERP's events are lost, others come twice, late, or of what never happened, and
workers and PostgreSQL are killed. In the end both systems must have the same of each order, and the
shop each paper once; all of that is asked of their control ports.
"""

import contextlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from tests.chaos.burden import Burden
from tests.chaos.configuration import COMPANY, ERP_SECRET, Tuning
from tests.chaos.erp_papers import WAREHOUSES, ErpPapers, LoudOrder, Unit, loud_orders
from tests.chaos.figures import Figure, Options, bounded, events
from tests.chaos.killing import Killer
from tests.chaos.mirrored import counted
from tests.chaos.paper_judge import differences, marks_of, strangers
from tests.chaos.processes import ChaosError
from tests.chaos.quiet_orders import watch_quiet_orders
from tests.chaos.stage import Stage, stage
from tests.chaos.stock_latency import share

_LOUD = 200
_DEEDS_A_SECOND = 4.0
_HINTED = 20
_POLL_SECONDS, _HINT_SECONDS = 90.0, 5.0
# Of both flows: `reads_a_minute` as it is by default.
_READS_A_MINUTE, _QUIET_SECONDS = 150, 120.0
_ARRIVAL_SECONDS, _LOOK_SECONDS = 300.0, 1.0
_AT_ONCE = 4
_PIECES = 100_000
_EVENTS = (
    "XYZPackingSlipPostedBusinessEvent",
    "XYZTrackingAddedBusinessEvent",
    "XYZSalesOrderChangedBusinessEvent",
    "SalesInvoicePostedBusinessEvent",
)


def papers(options: Options) -> list[Figure]:
    """Slips, bills and credits of the ERP -> the shop, each once, while many orders are watched."""
    tuning = Tuning(
        order_status=True,
        invoices=True,
        sweep_seconds=3600,
        sources={source: place for place, source in WAREHOUSES.items()},
        concurrency=_AT_ONCE,
        erp_max_request_seconds=options.erp_max_request_seconds,
        shop_max_request_seconds=options.erp_max_request_seconds,
    )
    with stage(
        workers=options.workers, latency_ms=options.latency_ms, tuning=tuning, has_events=True
    ) as on:
        began = time.monotonic()
        posted = ErpPapers(on, _placed(on, min(_LOUD, options.orders)), Random(13))
        for worker in on.workers.all:
            worker.kill()
        watch_quiet_orders(on, options.orders - len([*posted.orders]))
        seeded = time.monotonic() - began
        on.workers.start()
        burden = Burden()
        first = _first_look(on, posted, options.orders, burden)
        storm = _Storm(on, posted, burden, _killer(on, options))
        storm.play(options)
        drained = storm.drained(options.drain_seconds)
        found = on.ask("GET", "magento/papers")
        wrong = differences(posted.units, found)
        quiet = _calls_a_minute(on, _QUIET_SECONDS)
        return [
            Figure(name="orders watched, placed in", value=f"{options.orders}, {seeded:.0f} s"),
            *first,
            Figure(name="papers of the ERP", value=f"{posted.posted} of {len([*posted.orders])}"),
            counted("quantities, amounts and papers that differ", wrong),
            counted("quiet orders with papers", strangers(posted.units, found)),
            bounded("posted -> in the shop, p95", share(storm.late, 0.95), _POLL_SECONDS),
            Figure(
                name="posted -> in the shop, p50 and longest",
                value=f"{share(storm.late, 0.5):.1f} s, {share(storm.late, 1):.1f} s",
            ),
            *storm.figures(options),
            Figure(name="all well after the last paper within", value=f"{drained:.0f} s"),
            _within_budget("calls of the ERP a minute while nothing happens", quiet),
            Figure(name="memory of a worker, at the most", value=f"{burden.peak_mb:.0f} MB"),
            *events(on),
            counted("events that wait for a person", _held(on)),
        ]


def _held(on: Stage) -> list[str]:
    query = "SELECT flow, business_key, error_text FROM sync_event WHERE state = 'held' ORDER BY id"
    return [f"{flow} {key}: {text}" for flow, key, text in on.rows(query)]


def _placed(on: Stage, count: int) -> list[Unit]:
    """Have orders of every kind in both systems, and enough of everything."""
    on.workers.start()
    on.warm_up()
    before = {order["entity_id"] for order in on.orders()}
    on.place(count)
    placed = {order["entity_id"] for order in on.orders()} - before
    if not on.until(lambda: placed <= on.delivered(), seconds=_ARRIVAL_SECONDS, look=2.0):
        raise ChaosError(f"of {count} orders {len(placed - on.delivered())} are not in the ERP")
    # As an order is found at the first look, nothing of it is news.
    on.until(lambda: _looked_at(on) >= len(before) + count, seconds=_ARRIVAL_SECONDS, look=1.0)
    loud = loud_orders(on, placed)
    accounts = {each["number"]: each["customer"] for each in on.ask("GET", "fo/orders", None)}
    skus = {line["sku"] for order in on.orders() for line in order["lines"]}
    for sku in skus:
        for place in WAREHOUSES:
            with contextlib.suppress(requests.HTTPError):
                on.ask("POST", f"fo/stock/{sku}", {"warehouse": place, "quantity": _PIECES})
    return [*_units(loud, accounts)]


def _units(orders: Sequence[LoudOrder], accounts: Any) -> list[Unit]:
    """Return orders by themselves, and two of a customer together."""
    units, alone = [], dict[str, LoudOrder]()
    for place, order in enumerate(orders):
        if place % 3 == 0 or order.bundle:
            units.append(Unit([order]))
        elif (other := alone.pop(accounts[order.number], None)) is not None:
            units.append(Unit([other, order]))
        else:
            alone[accounts[order.number]] = order
    return [*units, *(Unit([order]) for order in alone.values())]


def _killer(on: Stage, options: Options) -> Killer:
    kills = options.postgres_kills
    at = [options.phase_seconds * (n + 1) / (kills + 1) for n in range(kills)]
    return Killer(on, options.kill_every_seconds, at)


def _first_look(on: Stage, posted: ErpPapers, count: int, burden: Burden) -> list[Figure]:
    """Wait until all orders were looked at for the first time, while the ERP tells of some."""
    before, began = on.calls("fo"), time.monotonic()
    late: list[float] = []
    waiting: dict[tuple[int, str], float] = {}
    seconds = 120 + count * 60 * 2 / _READS_A_MINUTE / 20
    told = list(posted.orders)[:_HINTED]
    while _looked_at(on) < count or waiting or told:
        if time.monotonic() - began > seconds:
            raise ChaosError(f"not all of {count} orders were looked at within {seconds:.0f} s")
        if told and not waiting:
            order = told.pop()
            posted.promise(posted.units[0], order)
            if order.days:
                waiting[order.order, order.days[-1]] = time.monotonic()
        _note_told(on, waiting, late)
        _see(on, burden)
        time.sleep(0.2)
    minutes = (time.monotonic() - began) / 60
    # What was saved up, and the papers that a process begins with, come on top.
    a_minute = (on.calls("fo") - before) / max(minutes, 1)
    return [
        Figure(name="all looked at for the first time within", value=f"{minutes * 60:.0f} s"),
        _within_budget("calls of the ERP a minute meanwhile", a_minute, spare=_READS_A_MINUTE),
        bounded(
            "in the ERP -> in the shop by hint meanwhile, p95", share(late, 0.95), _HINT_SECONDS
        ),
    ]


def _looked_at(on: Stage) -> int:
    return int(on.rows("SELECT count(*) FROM watched_order WHERE status > ''")[0][0])


def _note_told(on: Stage, waiting: dict[tuple[int, str], float], late: list[float]) -> None:
    for order, day in [*waiting]:
        comments = on.ask("GET", f"magento/orders/{order}")["comments"]
        if any(f"To be shipped on {day}." in each for each in comments):
            late.append(time.monotonic() - waiting.pop((order, day)))


@dataclass(slots=True)
class _Storm:
    """Everything happens while workers and PostgreSQL are killed.

    Attributes:
        late: How late papers were in the shop, in seconds.
    """

    on: Stage
    posted: ErpPapers
    burden: Burden
    killer: Killer
    late: list[float] = field(default_factory=list)
    calls: float = 0.0
    seconds: float = 0.0
    hints: int = 0
    _waiting: dict[str, float] = field(default_factory=dict)
    _looked_at: float = 0.0
    _sent: list[dict[str, Any]] = field(default_factory=list)

    def play(self, options: Options) -> None:
        """Post and kill for the time that was asked for, then post the rest."""
        self.on.dial(event_loss=0.5)
        random, before = Random(31), self.on.calls("fo")
        self.killer.began = began = time.monotonic()
        done = 0
        while not self._is_over(options):
            if time.monotonic() - began > done / _DEEDS_A_SECOND:
                order = self.posted.something()
                done += 1
                self._tell(order, random)
            self.killer.work()
            self._look()
        self.posted.rest()
        self.seconds = time.monotonic() - began
        self.calls = (self.on.calls("fo") - before) / (self.seconds / 60)

    def drained(self, seconds: float) -> float:
        """Wait until both systems have the same; return how long that took."""
        began = time.monotonic()

        def is_well() -> bool:
            self._look()
            if self._waiting:
                return False
            return not differences(self.posted.units, self.on.ask("GET", "magento/papers"))

        self.on.until(is_well, seconds=seconds, look=_LOOK_SECONDS)
        self.late += [float("inf")] * len(self._waiting)
        return time.monotonic() - began

    def figures(self, options: Options) -> list[Figure]:
        """Return what it was."""
        killer = self.killer
        return [
            Figure(
                name="kills of a worker, of them with a request on the wire",
                value=f"{killer.kills}, {killer.on_the_wire}",
                bar=f">= {options.wire_kills} on the wire",
                is_met=killer.on_the_wire >= options.wire_kills,
            ),
            Figure(
                name="kills of PostgreSQL",
                value=str(killer.postgres_kills),
                bar=f"= {options.postgres_kills}",
                is_met=killer.postgres_kills == options.postgres_kills,
            ),
            Figure(name="events that were told twice, late or wrongly", value=str(self.hints)),
            Figure(
                name="calls of the ERP a minute, carrying papers included",
                value=f"{self.calls:.0f}",
            ),
        ]

    def _is_over(self, options: Options) -> bool:
        elapsed = time.monotonic() - self.killer.began
        is_over = elapsed > options.phase_seconds and not self.killer.postgres_at
        is_over = is_over and self.killer.on_the_wire >= options.wire_kills
        return is_over or elapsed > 3 * options.phase_seconds

    def _tell(self, order: LoudOrder, random: Random) -> None:
        """Tell of something that happened, happened long ago or never, or was told before."""
        body = {
            "BusinessEventId": random.choice(_EVENTS),
            "ControlNumber": random.randint(1, 10**9),
            "EventId": str(uuid.UUID(int=random.getrandbits(128))).upper(),
            "EventTime": f"/Date({time.time_ns() // 10**6})/",
            "MajorVersion": 0,
            "MinorVersion": 0,
            "LegalEntity": COMPANY,
            "SalesOrderId": order.number,
        }
        self._sent.append(body)
        told = random.sample(self._sent, k=min(2, len(self._sent)))
        address = f"http://127.0.0.1:{self.on.ports.intake}/v1/events/d365/{ERP_SECRET}"
        for each in told:
            # The worker that hears them may just have been killed.
            with contextlib.suppress(requests.RequestException):
                self.on.control.post(address, json=each, timeout=1)
                self.hints += 1

    def _look(self) -> None:
        now = time.monotonic()
        self._waiting |= dict.fromkeys(self.posted.fresh, now)
        self.posted.fresh.clear()
        self.on.workers.revive()
        if now - self._looked_at < _LOOK_SECONDS:
            time.sleep(0.02)
            return
        self._looked_at = now
        _see(self.on, self.burden)
        if self._waiting:
            there = marks_of(self.on.ask("GET", "magento/papers")) & self._waiting.keys()
            self.late += [time.monotonic() - self._waiting.pop(mark) for mark in there]


def _see(on: Stage, burden: Burden) -> None:
    for worker in on.workers.all:
        if worker.is_alive:
            burden.see(worker.pid)


def _calls_a_minute(on: Stage, seconds: float) -> float:
    before, began = on.calls("fo"), time.monotonic()
    time.sleep(seconds)
    return (on.calls("fo") - before) / ((time.monotonic() - began) / 60)


def _within_budget(name: str, a_minute: float, *, spare: int = 0) -> Figure:
    most = _READS_A_MINUTE + spare
    return Figure(name=name, value=f"{a_minute:.0f}", bar=f"<= {most}", is_met=a_minute <= most)
