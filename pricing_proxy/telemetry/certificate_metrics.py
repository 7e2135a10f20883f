"""When the certificates end by which a program's apps prove who they are.

<program>_certificate_ends_timestamp_seconds{environment}   as seconds since 1970

Only where there is a certificate: when a secret ends, only Entra ID knows, and a federated token
is replaced by the platform within the hour.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

CertificateEnd = Callable[[], datetime | None]
"""Returns when the certificate ends that is in use now; None for none."""


class CertificateMetrics:
    """Shows when certificates end.

    Args:
        registry: Where they are shown.
        prefix: Of the instrument's name.
        ends: What to ask, by the environment.
    """

    def __init__(
        self, registry: CollectorRegistry, *, prefix: str, ends: Mapping[str, CertificateEnd]
    ) -> None:
        self._prefix = prefix
        self._ends = ends
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield the instrument."""
        shown = GaugeMetricFamily(
            f"{self._prefix}certificate_ends_timestamp_seconds",
            "When the certificate ends by which the app proves who it is to Entra ID.",
            labels=("environment",),
        )
        for name, end in self._ends.items():
            at = end()
            if at is not None:
                shown.add_metric((name,), at.timestamp())
        yield shown
