"""Counts what was answered, with instruments bound to their labels once."""

from collections import Counter
from collections.abc import Sequence

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.query import QuotedLine
from pricing_proxy.telemetry.metrics import Metrics


class PriceMeter:
    """Told about every answer of `/v1/prices`.

    Args:
        metrics: The process' instruments.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._answered = {mode: metrics.requests.labels(mode, "answered") for mode in Mode}
        self._refused = {mode: metrics.requests.labels(mode, "refused") for mode in Mode}
        self._seconds = {mode: metrics.request_seconds.labels(mode) for mode in Mode}
        self._levels = {level: metrics.lookups.labels(level) for level in ("l1", "l2", "source")}
        self._states = {state: metrics.lines.labels(state) for state in State}

    def answered(
        self, mode: Mode, lines: Sequence[QuotedLine], *, seconds: float, is_refused: bool
    ) -> None:
        """Count one answer and its lines."""
        (self._refused if is_refused else self._answered)[mode].inc()
        self._seconds[mode].observe(seconds)
        for level, count in Counter([line.level for line in lines]).items():
            self._levels[level].inc(count)
        for state, count in Counter([line.state for line in lines]).items():
            self._states[state].inc(count)
