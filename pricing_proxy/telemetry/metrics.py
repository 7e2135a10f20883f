"""Every instrument of both programs' shared parts and the price service, with unit and meaning.

In Prometheus' own registry: an OpenTelemetry instrument costs several times as much per
page, and `/metrics` is what operators scrape. What is counted for each page is a
`LoopCounter`, which costs less still.
Labels have few values: never a SKU, a customer or a reason text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from pricing_proxy.telemetry.loop_counters import LoopCounter, LoopHistogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# From a page in memory (under 1 ms) to a checkout's last moment (4 s).
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 1.5, 2.5, 4)
_CALL_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a gauge that is read when scraped."""

    labels: tuple[str, ...]
    value: float


class Metrics:
    """The instruments of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = LoopCounter(
            "pricing_proxy_requests",
            "Price requests answered, by mode and outcome (answered, refused).",
            ("mode", "outcome"),
            self.registry,
        )
        self.request_seconds = LoopHistogram(
            "pricing_proxy_request_seconds",
            "Time from the parsed request to the encoded answer.",
            "mode",
            _SECONDS,
            self.registry,
        )
        self.lines = LoopCounter(
            "pricing_proxy_lines",
            "Lines answered, by the state of what was known of their price.",
            ("state",),
            self.registry,
        )
        self.lookups = LoopCounter(
            "pricing_proxy_lookups",
            "Lines by where their price came from (l1, l2, source).",
            ("level",),
            self.registry,
        )
        self.calls = Counter(
            "pricing_proxy_erp_calls",
            "Calls on the wire, by operation and how they ended.",
            ("system", "operation", "outcome"),
            registry=self.registry,
        )
        self.call_seconds = Histogram(
            "pricing_proxy_erp_call_seconds",
            "Time of a call on the wire.",
            ("system", "operation"),
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        self.invalidations = Counter(
            "pricing_proxy_invalidations",
            "Invalidations received, by scope and level.",
            ("scope", "level"),
            registry=self.registry,
        )

    def observe(
        self,
        name: str,
        meaning: str,
        labels: tuple[str, ...],
        read: Callable[[], Iterable[Reading]],
    ) -> None:
        """Add a gauge whose values are read when scraped."""
        self.registry.register(_ReadGauge(name, meaning, labels, read))

    def observe_value(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Add a gauge without labels that is read when scraped."""
        Gauge(name, meaning, registry=self.registry).set_function(read)

    def text(self) -> bytes:
        """Return all values in Prometheus' text format."""
        return generate_latest(self.registry)


class _ReadGauge:
    """Asks for its values only when somebody looks."""

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: tuple[str, ...],
        read: Callable[[], Iterable[Reading]],
    ) -> None:
        self._name = name
        self._meaning = meaning
        self._labels = labels
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Yield the gauge with its present values."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for reading in self._read():
            family.add_metric(reading.labels, reading.value)
        yield family
