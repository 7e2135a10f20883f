"""How background work fares, read when scraped.

<program>_background_failures_total{work}   times that it failed
<program>_background_failing{work}          1 while it failed lately
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pricing_proxy.supervision import Supervision


class BackgroundMetrics:
    """The instruments of one program's background work.

    Args:
        registry: Where they are registered.
        prefix: Of their names.
        supervision: What is asked.
    """

    def __init__(
        self, registry: CollectorRegistry, *, prefix: str, supervision: Supervision
    ) -> None:
        self._prefix = prefix
        self._supervision = supervision
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield both instruments."""
        failures = CounterMetricFamily(
            f"{self._prefix}background_failures",
            "Times that background work failed, and began again.",
            labels=("work",),
        )
        failing = GaugeMetricFamily(
            f"{self._prefix}background_failing",
            "1 while background work failed lately.",
            labels=("work",),
        )
        for view in self._supervision.view():
            failures.add_metric((view.name,), view.failures)
            failing.add_metric((view.name,), view.is_failing)
        yield failures
        yield failing
