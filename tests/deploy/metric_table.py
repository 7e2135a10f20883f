"""Every metric of both programs, read off the instruments themselves.

    python -m tests.deploy.metric_table

writes `deploy/prometheus/metrics.md`; tests hold it against the code, against what a running
service answers, and alerts and dashboards against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from pricing_proxy.clock import SystemClock
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.telemetry.metrics import READ_WHEN_SCRAPED, Metrics
from pricing_proxy.telemetry.program_metrics import ProgramMetrics
from pricing_proxy.telemetry.traces import Traces
from sync.engine.metrics import SyncMetrics
from sync.serve.mirror_counting import MirrorCounting
from tests.code.sources import ROOT

FILE = ROOT / "deploy" / "prometheus" / "metrics.md"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
_TOP = """\
# Every metric

Made by `python -m tests.deploy.metric_table` out of the code. A histogram `X` is read as
`X_bucket`, `X_sum` and `X_count`. No label names a SKU, a customer or a document.
"""
_HEAD = """
## {program}

| metric | kind | labels | meaning |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A metric as it is scraped."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names that queries use."""
        family = self.name.removesuffix("_total")
        return tuple(f"{family}{suffix}" for suffix in SUFFIXES[self.kind])


def metrics() -> dict[str, list[Shown]]:
    """Return the metrics of each program, by name."""
    return {
        "pricing-proxy serve": sorted(_shown(_service()), key=lambda shown: shown.name),
        "d365-sync run": sorted(_shown(_sync()), key=lambda shown: shown.name),
    }


def labels_of_series() -> dict[str, tuple[str, ...]]:
    """Return the labels of every name that a query may use."""
    found: dict[str, tuple[str, ...]] = {"up": ("job", "instance")}
    for shown in (each for program in metrics().values() for each in program):
        more = ("le",) if shown.kind == "histogram" else ()
        for name in shown.series:
            found[name] = (*shown.labels, *(more if name.endswith("_bucket") else ()))
    return found


def table() -> str:
    """Return the file's text."""
    parts = [_TOP]
    for program, found in metrics().items():
        parts.append(_HEAD.format(program=program))
        for shown in found:
            labels = ", ".join(f"`{label}`" for label in shown.labels)
            parts.append(f"| `{shown.name}` | {shown.kind} | {labels} | {shown.meaning} |\n")
    return "".join(parts)


def _service() -> CollectorRegistry:
    metrics = Metrics()
    metrics.read_when_scraped({each.name: lambda: () for each in READ_WHEN_SCRAPED})
    return _as_it_runs(metrics)


def _sync() -> CollectorRegistry:
    async def unread() -> None:
        return None

    metrics = SyncMetrics(SystemClock())
    MirrorCounting(metrics.registry, unread)
    return _as_it_runs(metrics)


def _as_it_runs(metrics: ProgramMetrics) -> CollectorRegistry:
    metrics.watch_background()
    metrics.watch_certificates({})
    metrics.watch_calls(Traces(service="none", exporter=None, sample_ratio=0))
    metrics.count_connections(Crowd("metrics"))
    return metrics.registry


def _shown(registry: CollectorRegistry) -> Iterator[Shown]:
    for collector in registry._collector_to_names:
        # One of prometheus_client's own shows its labels only once there are values.
        own: Any = getattr(collector, "_labelnames", None)
        if own is not None and hasattr(collector, "_documentation"):
            instrument: Any = collector
            yield _row(instrument._name, instrument._type, own, instrument._documentation)
            continue
        for family in collector.collect():
            labels: tuple[str, ...] = getattr(family, "_labelnames")  # noqa: B009 -- untyped
            yield _row(family.name, family.type, labels, family.documentation)


def _row(name: str, kind: str, labels: tuple[str, ...], meaning: str) -> Shown:
    full = f"{name}_total" if kind == "counter" else name
    return Shown(full, kind, tuple(labels), " ".join(meaning.split()))


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
