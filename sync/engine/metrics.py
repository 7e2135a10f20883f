"""Every instrument of the sync, with unit and meaning, in a registry of its own.

Attempts are counted where they end. What stands in the events' table is looked up every
few seconds, not when scraped: a scrape never waits for a database that is away, and shows
by `counted_seconds` how old its numbers are. Labels have few values: never a key.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.background import Background
from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.telemetry.program_metrics import ProgramMetrics
from sync.store.alerts import AlertStore
from sync.store.odd_rows import OddRowStore
from sync.store.overview import FlowState, Overview
from sync.store.states import EventState

_log = logging.getLogger(__name__)

FENCE_LOST = "fence_lost"
"""The outcome of an attempt that ended after somebody else had taken its event."""

_PREFIX = "d365_sync_"
# From an event that calls nobody to the longest attempt (5 min).
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_LOOK_SECONDS = 5.0


class SyncMetrics(ProgramMetrics):
    """The instruments of one process of the sync."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(_PREFIX, calls="call")
        self._clock = clock
        self._counted_us: int | None = None
        labels = ("flow", "market")
        self._attempts = Counter(
            f"{_PREFIX}attempts",
            "Attempts, by the state in which they left their event, or fence_lost.",
            (*labels, "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{_PREFIX}attempt_seconds",
            "Time of an attempt, from claim to end.",
            labels,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._events = self._gauge("events", "Events by state.", (*labels, "state"))
        self._lag = self._gauge("lag_seconds", "Age of the oldest event that is not ended.", labels)
        about = "Rows that cannot be read and that nobody has set aside."
        self._odd_rows = self._gauge("odd_rows", about, ("flow",))
        about = "Open alerts of this database, by kind: held, late, silent, lost, and so on."
        self._alerts = self._gauge("open_alerts", about, ("kind",))
        self._gates = self._gauge(
            "gate_closed_seconds",
            "Time until the gate opens that throttling has closed; 0 when open.",
            ("gate",),
        )
        self._business_events = Counter(
            f"{_PREFIX}business_events",
            "Business events of the ERP, by what became of them.",
            ("state",),
            registry=self.registry,
        )
        self._show_age()

    def attempted(self, *, flow: str, market: str, outcome: str, began_us: int) -> None:
        """Count an attempt that has ended now.

        Args:
            flow: Of the event.
            market: Of the event.
            outcome: The state it was left in, or `FENCE_LOST`.
            began_us: When it began, on the monotonic clock.
        """
        seconds = (self._clock.monotonic_us() - began_us) / MICROSECONDS_PER_SECOND
        self._attempts.labels(flow, market, outcome).inc()
        self._seconds.labels(flow, market).observe(seconds)

    def business_event(self, state: str) -> None:
        """Count a business event of the ERP."""
        self._business_events.labels(state).inc()

    def counted(
        self,
        flows: Sequence[FlowState],
        odd_rows: Mapping[str, int],
        open_alerts: Mapping[str, int],
    ) -> None:
        """Show what stands in the tables; a state without events is 0."""
        self._alerts.clear()
        for kind, count in open_alerts.items():
            self._alerts.labels(kind).set(count)
        self._odd_rows.clear()
        for source, count in odd_rows.items():
            self._odd_rows.labels(source).set(count)
        for found in flows:
            for state in EventState:
                count = found.counts.get(state, 0)
                self._events.labels(found.flow, found.market, state.value).set(count)
            # Prometheus sees no increase in a counter that is absent until its first event.
            self._attempts.labels(found.flow, found.market, FENCE_LOST)
            self._lag.labels(found.flow, found.market).set(found.lag.total_seconds())
        self._counted_us = self._clock.monotonic_us()

    def show_gate(self, name: str, closed_seconds: Callable[[], float]) -> None:
        """Show for how long a gate stays closed, whenever somebody looks."""
        self._gates.labels(name).set_function(closed_seconds)

    def _gauge(self, name: str, meaning: str, labels: Sequence[str]) -> Gauge:
        return Gauge(f"{_PREFIX}{name}", meaning, labels, registry=self.registry)

    def _show_age(self) -> None:
        age = Gauge(
            f"{_PREFIX}counted_seconds",
            "How long ago events were counted last; -1 before the first time.",
            registry=self.registry,
        )
        age.set_function(self._age_of_counts)

    def _age_of_counts(self) -> float:
        if self._counted_us is None:
            return -1
        return (self._clock.monotonic_us() - self._counted_us) / MICROSECONDS_PER_SECOND


class Counting(Background):
    """Looks at the tables every few seconds for the metrics; an async context manager."""

    def __init__(
        self,
        overview: Overview,
        odd_rows: OddRowStore,
        alerts: AlertStore,
        metrics: SyncMetrics,
    ) -> None:
        self._overview = overview
        self._odd_rows = odd_rows
        self._alerts = alerts
        self._metrics = metrics

    async def _for_ever(self) -> None:
        while True:
            try:
                self._metrics.counted(
                    await self._overview.flows(),
                    await self._odd_rows.counts(),
                    await self._alerts.count_open(),
                )
            except (SQLAlchemyError, OSError) as error:
                _log.debug("events cannot be counted (%s)", type(error).__name__)
            await asyncio.sleep(_LOOK_SECONDS)
