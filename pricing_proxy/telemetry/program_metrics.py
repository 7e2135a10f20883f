"""What the metrics of both programs have in common: a registry, connections, calls, the text."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest

from pricing_proxy.supervision import Supervision
from pricing_proxy.telemetry.background_metrics import BackgroundMetrics
from pricing_proxy.telemetry.calls import CallTelemetry
from pricing_proxy.telemetry.certificate_metrics import CertificateEnd, CertificateMetrics
from pricing_proxy.telemetry.connection_metrics import ConnectionMetrics, CountedCrowd
from pricing_proxy.telemetry.refused_calls import RefusedCalls
from pricing_proxy.telemetry.traces import Traces


class ProgramMetrics:
    """The instruments of one process, in a registry of their own.

    Args:
        prefix: Of the instruments' names.
        calls: What its calls to other systems are called, after the prefix.

    Attributes:
        refused: Which calls get nothing but refusals.
    """

    def __init__(self, prefix: str, *, calls: str) -> None:
        self.registry = CollectorRegistry()
        self._prefix = prefix
        self._calls = calls
        self.refused = RefusedCalls(self.registry, prefix=prefix)

    def count_connections(self, *crowds: CountedCrowd) -> None:
        """Count the connections of the listeners."""
        ConnectionMetrics(self.registry, prefix=self._prefix, crowds=crowds)

    def watch_certificates(self, ends: Mapping[str, CertificateEnd]) -> None:
        """Show when certificates of our apps end, by environment."""
        CertificateMetrics(self.registry, prefix=self._prefix, ends=ends)

    def watch_background(self) -> Supervision:
        """Return what counts how background work fares."""
        supervision = Supervision()
        BackgroundMetrics(self.registry, prefix=self._prefix, supervision=supervision)
        return supervision

    def watch_calls(self, traces: Traces) -> CallTelemetry:
        """Return what counts and traces the calls to other systems."""
        name = f"{self._prefix}{self._calls}"
        return CallTelemetry(self.registry, name=name, refused=self.refused, traces=traces)

    def text(self) -> bytes:
        """Return all values in Prometheus' text format."""
        return generate_latest(self.registry)
