"""The instruments of both programs' listeners, read when scraped.

<program>_connections{listener, caller}        open, by known and stranger
<program>_connections_closed{listener, reason} closed by us, by reason
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


class CountedCrowd(Protocol):
    """The connections of one listener, as they are counted."""

    @property
    def name(self) -> str:
        """The listener's name."""
        ...

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    @property
    def known(self) -> int:
        """How many of them had a request accepted."""
        ...

    @property
    def reasons(self) -> Iterable[str]:
        """Every reason for which one may be closed."""
        ...

    @property
    def closed(self) -> Mapping[str, int]:
        """How many were closed so far, by reason."""
        ...


class ConnectionMetrics:
    """Counts the connections of a program's listeners.

    Args:
        registry: Where they are shown.
        prefix: Of the instruments' names.
        crowds: The connections.
    """

    def __init__(
        self, registry: CollectorRegistry, *, prefix: str, crowds: Sequence[CountedCrowd]
    ) -> None:
        self._prefix = prefix
        self._crowds = crowds
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield both instruments."""
        opened = GaugeMetricFamily(
            f"{self._prefix}connections",
            "Open connections; known ones had a request accepted.",
            labels=("listener", "caller"),
        )
        closed = CounterMetricFamily(
            f"{self._prefix}connections_closed",
            "Connections closed because they waited too long or were too many, by reason.",
            labels=("listener", "reason"),
        )
        for crowd in self._crowds:
            opened.add_metric((crowd.name, "known"), crowd.known)
            opened.add_metric((crowd.name, "stranger"), crowd.size - crowd.known)
            for reason in crowd.reasons:
                closed.add_metric((crowd.name, reason), crowd.closed.get(reason, 0))
        yield opened
        yield closed
