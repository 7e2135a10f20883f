"""A watch that keeps what it is told of calls to other systems."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from pricing_proxy.resilience.operation import CallReport


@dataclass
class RecordedCalls:
    """Keeps attempts on the wire, and the names of the calls that began."""

    reports: list[CallReport] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)

    def span(self, name: str) -> AbstractContextManager[object]:
        self.spans.append(name)
        return nullcontext()

    def count(self, report: CallReport) -> None:
        self.reports.append(report)
