"""Every instrument that the price service alone has, with unit and meaning.

In Prometheus' own registry: an OpenTelemetry instrument costs several times as much per
page, and `/metrics` is what operators scrape. What is counted for each page is a
`LoopCounter`, which costs less still; what can be asked for (`READ_WHEN_SCRAPED`) is read
only then. Labels have few values: never a SKU, a customer or a reason text.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pricing_proxy.telemetry.loop_counters import LoopCounter, LoopHistogram
from pricing_proxy.telemetry.program_metrics import ProgramMetrics

_PREFIX = "pricing_proxy_"
# From a page in memory (under 1 ms) to a checkout's last moment (4 s).
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 1.5, 2.5, 4)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of an instrument that is read when scraped."""

    labels: tuple[str, ...]
    value: float


Read = Callable[[], Iterable[Reading]]


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument that is read when scraped.

    Attributes:
        name: Its name, with its unit.
        meaning: What it says.
        labels: Names of its labels.
        only_rises: Whether it counts events, instead of showing a state.
    """

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    only_rises: bool = False


READ_WHEN_SCRAPED = (
    Instrument("flights", "Loads under way."),
    Instrument("oldest_flight_seconds", "Age of the oldest load."),
    Instrument("poison_skus", "SKUs kept out of batches because the ERP refused them."),
    Instrument("l1_bytes", "Bytes that prices cost in this process, by estimate."),
    Instrument("l1_entries", "Prices remembered in this process."),
    Instrument("redis_failures", "Redis calls that failed or were not sent.", only_rises=True),
    Instrument("bad_values", "Values in Redis that did not decode.", only_rises=True),
    Instrument("verified", "1 while Redis was heard of within the lease."),
    Instrument("breaker_open", "0 closed, 1 probing, 2 open or isolated.", ("breaker",)),
    Instrument("gate_closed_seconds", "Time until the gate opens; 0 when open.", ("gate",)),
    Instrument(
        "bulkhead_calls", "Calls by class, running and waiting.", ("bulkhead", "class", "place")
    ),
    Instrument(
        "odd_lines",
        "Lines that the ERP answered so that nothing can be shown, by kind (code, unreadable, "
        "implausible).",
        ("market", "kind"),
        only_rises=True,
    ),
    Instrument("map_age_seconds", "Age of a market's maps.", ("market", "map")),
    Instrument("prices_refused", "1 while the source takes no line at all.", ("market",)),
    Instrument("map_rows", "Rows of a market's maps.", ("market", "map")),
    Instrument("map_refused", "1 while the ERP lists too few for belief.", ("market", "map")),
    Instrument("map_odd_rows", "Rows that this replica could not read.", ("market", "map")),
    Instrument(
        "worker_restarts",
        "How often a worker of this replica ended unasked; each worker tells of all.",
        ("worker",),
        only_rises=True,
    ),
    Instrument("shop_ids_lost", "1 while Redis has lost the shop's customer ids.", ("market",)),
)


class Metrics(ProgramMetrics):
    """The instruments of one process of the price service."""

    def __init__(self) -> None:
        super().__init__(_PREFIX, calls="erp_call")
        self.requests = self._loop_counter(
            "requests",
            "Price requests answered, by mode and outcome (answered, refused).",
            ("mode", "outcome"),
        )
        self.request_seconds = LoopHistogram(
            f"{_PREFIX}request_seconds",
            "Time from the parsed request to the encoded answer.",
            "mode",
            _SECONDS,
            self.registry,
        )
        self.lines = self._loop_counter(
            "lines", "Lines answered, by the state of what was known of their price.", ("state",)
        )
        self.lookups = self._loop_counter(
            "lookups", "Lines by where their price came from (l1, l2, source).", ("level",)
        )
        self.invalidations = self._loop_counter(
            "invalidations", "Invalidations received, by scope and level.", ("scope", "level")
        )

    def read_when_scraped(self, readers: Mapping[str, Read]) -> None:
        """Connect each instrument of `READ_WHEN_SCRAPED` with what reads it, by its name."""
        for instrument in READ_WHEN_SCRAPED:
            self.registry.register(_Read(instrument, readers[instrument.name]))

    def _loop_counter(self, name: str, meaning: str, labels: tuple[str, ...]) -> LoopCounter:
        return LoopCounter(f"{_PREFIX}{name}", meaning, labels, self.registry)


class _Read:
    """Asks for its values only when somebody looks."""

    def __init__(self, instrument: Instrument, read: Read) -> None:
        self._instrument = instrument
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Yield the instrument without values, so that registering reads nothing."""
        yield self._family()

    def collect(self) -> Iterable[Metric]:
        """Yield the instrument with its present values."""
        family = self._family()
        for reading in self._read():
            family.add_metric(reading.labels, reading.value)
        yield family

    def _family(self) -> CounterMetricFamily | GaugeMetricFamily:
        shown = self._instrument
        kind = CounterMetricFamily if shown.only_rises else GaugeMetricFamily
        return kind(f"{_PREFIX}{shown.name}", shown.meaning, labels=shown.labels)
