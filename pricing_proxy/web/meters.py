"""Counts what was answered."""

from collections import Counter
from collections.abc import Sequence

from pricing_proxy.domain.freshness import Mode
from pricing_proxy.prices.query import QuotedLine
from pricing_proxy.telemetry.metrics import Metrics


class PriceMeter:
    """Told about every answer of `/v1/prices`.

    Args:
        metrics: The process' instruments.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def answered(
        self, mode: Mode, lines: Sequence[QuotedLine], *, seconds: float, is_refused: bool
    ) -> None:
        """Count one answer and its lines."""
        metrics = self._metrics
        metrics.requests.add((mode, "refused" if is_refused else "answered"))
        metrics.request_seconds.observe(mode, seconds)
        for level, count in Counter([line.level for line in lines]).items():
            metrics.lookups.add((level,), count)
        for state, count in Counter([line.state for line in lines]).items():
            metrics.lines.add((state,), count)
