"""Counters for the hot path of one event loop: a dict and an addition, no lock.

`prometheus_client`'s own take a lock for each label and call. These are only written by
the loop that serves, and read by it when `/metrics` is asked for.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric


class LoopCounter:
    """Counts by label values.

    Args:
        name: Name of the metric, without `_total`.
        meaning: What is counted.
        labels: Names of the labels.
        registry: Where it is shown.
    """

    def __init__(
        self, name: str, meaning: str, labels: Sequence[str], registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._meaning = meaning
        self._labels = labels
        self._counts: dict[tuple[str, ...], int] = {}
        registry.register(self)

    def begin(self, *labels: tuple[str, ...]) -> None:
        """Show these label values before they are counted, as 0.

        Prometheus sees no increase in a counter that is absent until its first event.
        """
        for values in labels:
            self._counts.setdefault(values, 0)

    def add(self, labels: tuple[str, ...], count: int = 1) -> None:
        """Count `count` more for these label values."""
        self._counts[labels] = self._counts.get(labels, 0) + count

    def totals(self, label: str) -> dict[str, int]:
        """Return the sums by the values of one label, as far as any were counted."""
        place = list(self._labels).index(label)
        totals: dict[str, int] = {}
        for values, count in self._counts.items():
            if not count:
                continue
            # A label may be an enum's member, which is a str that not every encoder takes.
            value = str(values[place])
            totals[value] = totals.get(value, 0) + count
        return totals

    def collect(self) -> Iterator[Metric]:
        """Yield the counts for Prometheus."""
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        yield family


class LoopHistogram:
    """Counts durations by size and one label.

    Args:
        name: Name of the metric, with its unit.
        meaning: What is measured.
        label: Name of the label.
        bounds: Upper bounds of the buckets, rising; the last bucket has none.
        registry: Where it is shown.
    """

    def __init__(
        self,
        name: str,
        meaning: str,
        label: str,
        bounds: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name = name
        self._meaning = meaning
        self._label = label
        self._bounds = bounds
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        registry.register(self)

    def observe(self, label: str, value: float) -> None:
        """Count one value."""
        counts = self._counts.get(label)
        if counts is None:
            counts = self._counts[label] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[label] = self._sums.get(label, 0.0) + value

    def collect(self) -> Iterator[Metric]:
        """Yield the buckets for Prometheus, each with all smaller ones in it."""
        family = HistogramMetricFamily(self._name, self._meaning, labels=[self._label])
        for label, counts in self._counts.items():
            total, buckets = 0, []
            for bound, count in zip((*map(str, self._bounds), "+Inf"), counts, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric([label], buckets, self._sums[label])
        yield family
