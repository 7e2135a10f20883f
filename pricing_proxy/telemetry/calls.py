"""What both programs tell of their calls to other systems: counts, times and spans.

<name>s{system, operation, outcome}        attempts on the wire
<name>_seconds{system, operation}          how long they took

An operation is named in the code, so labels and spans carry no key, query or body.
"""

from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry, Counter, Histogram

from pricing_proxy.clock import MICROSECONDS_PER_SECOND
from pricing_proxy.resilience.errors import UpstreamDeniedError, UpstreamThrottledError
from pricing_proxy.resilience.operation import CallReport
from pricing_proxy.telemetry.refused_calls import RefusedCalls
from pricing_proxy.telemetry.traces import Traces

# Of these alerts ask how often they were: Prometheus sees no increase in a counter that is absent
# until its first event, and each operation's is there from its first call on.
_ASKED_FOR = (UpstreamThrottledError.__name__, UpstreamDeniedError.__name__)
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class CallTelemetry:
    """Counts and traces the calls of one process; a `resilience.operation.CallWatch`.

    Args:
        registry: Where the counts are shown.
        name: What a call is called in the instruments' names.
        refused: Told of each call.
        traces: Where spans go.
    """

    def __init__(
        self, registry: CollectorRegistry, *, name: str, refused: RefusedCalls, traces: Traces
    ) -> None:
        self._calls = Counter(
            f"{name}s",
            "Calls on the wire, by operation and how they ended.",
            ("system", "operation", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            f"{name}_seconds",
            "Time of a call on the wire.",
            ("system", "operation"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._called: set[tuple[str, str]] = set()
        self._refused = refused
        self._traces = traces

    def span(self, name: str) -> AbstractContextManager[object]:
        """Record a call, its waiting and retries included, as a span."""
        return self._traces.span(name)

    def count(self, report: CallReport) -> None:
        """Count an attempt."""
        outcome = "answered" if report.error is None else type(report.error).__name__
        called = (report.system, report.operation)
        if called not in self._called:
            self._called.add(called)
            for asked in _ASKED_FOR:
                self._calls.labels(*called, asked)
        self._calls.labels(*called, outcome).inc()
        seconds = report.wire_us / MICROSECONDS_PER_SECOND
        self._seconds.labels(*called).observe(seconds)
        self._refused.note(report)
