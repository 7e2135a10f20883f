"""Counts what was answered."""

from collections import Counter
from collections.abc import Sequence
from itertools import product

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.query import Quote
from pricing_proxy.prices.recalling import RecalledLines
from pricing_proxy.telemetry.loop_counters import LoopCounter
from pricing_proxy.telemetry.metrics import Metrics


class PriceMeter:
    """Told about every answer that prices, carts included.

    Args:
        metrics: The process' instruments.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        metrics.requests.begin(*product(Mode, ("answered", "refused")))
        metrics.lines.begin(*product(State))

    def answered(self, mode: Mode, quote: Quote, *, seconds: float, is_refused: bool) -> None:
        """Count one answer and its lines."""
        metrics = self._metrics
        metrics.requests.add((mode, "refused" if is_refused else "answered"))
        metrics.request_seconds.observe(mode, seconds)
        if isinstance(quote.lines, RecalledLines):
            count = len(quote.lines)
            metrics.lookups.add((quote.lines.level,), count)
            metrics.lines.add((State.FRESH,), count)
            return
        if quote.is_from_memory:
            metrics.lookups.add(("l1",), len(quote.lines))
        else:
            _count(metrics.lookups, [line.level for line in quote.lines])
        _count(metrics.lines, [line.state for line in quote.lines])


def _count(counter: LoopCounter, values: Sequence[str]) -> None:
    first = values[0]
    if values.count(first) == len(values):
        # All alike, as on most pages: cheaper than tallying.
        counter.add((first,), len(values))
        return
    for value, count in Counter(values).items():
        counter.add((value,), count)
