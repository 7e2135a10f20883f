"""Remember which keys lately failed to load, so that they are not asked for at every request.

A failure is not data: it never answers a line, it only spaces out the next tries.
SKUs that make the ERP refuse a whole batch ("poison") are kept out of batches for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.prices.query import Context, Failure, Key
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

# The first pause is drawn from this range, so that keys that failed together do not retry together.
_FIRST_PAUSE_US = (1 * SECOND_US, 3 * SECOND_US)
_LONGEST_PAUSE_US = 15 * SECOND_US
_POISON_US = 600 * SECOND_US
# When this many keys are remembered, those whose pause has ended are dropped.
_MANY = 50_000

POISON_REASON = "refused_by_erp"
_REASONS: dict[type[UpstreamError], str] = {
    CallRefusedError: "erp_unavailable",
    UpstreamDeniedError: "erp_denied",
    UpstreamContractError: "erp_contract",
    UpstreamRejectedError: "refused_by_erp",
    UpstreamThrottledError: "erp_throttled",
    UpstreamTimeoutError: "erp_timeout",
    UpstreamUnavailableError: "erp_unavailable",
}


def reason_of(error: UpstreamError) -> str:
    """Return the word by which answers name what went wrong."""
    return _REASONS.get(type(error), "upstream_failed")


def retry_after_us(error: UpstreamError) -> int:
    """Return how long the error itself asks to wait, 0 when it does not say."""
    if isinstance(error, CallRefusedError | UpstreamThrottledError) and error.retry_after:
        return error.retry_after // timedelta(microseconds=1)
    return 0


@dataclass(slots=True)
class _Pause:
    until_us: int
    length_us: int
    reason: str


class FailureMemory:
    """Pauses of failed keys and of poison SKUs, in one process.

    Args:
        now_us: The monotonic clock.
        draw: Returns a random number in [0, 1).
    """

    def __init__(self, *, now_us: Callable[[], int], draw: Callable[[], float]) -> None:
        self._now_us = now_us
        self._draw = draw
        self._pauses: dict[tuple[Context, Key], _Pause] = {}
        self._poison: dict[tuple[str, str], int] = {}

    def standing(self, context: Context, key: Key) -> Failure | None:
        """Return why the key must not be tried now, None when it may be."""
        pause = self._pauses.get((context, key))
        if pause is not None and self._now_us() < pause.until_us:
            return Failure(pause.reason, pause.until_us)
        return self.poison(context, key)

    def poison(self, context: Context, key: Key) -> Failure | None:
        """Return the failure of a poison SKU; it holds for every mode."""
        until_us = self._poison.get((context.market, key.sku))
        if until_us is None:
            return None
        if self._now_us() < until_us:
            return Failure(POISON_REASON, until_us)
        del self._poison[context.market, key.sku]
        return None

    def note_failure(self, context: Context, key: Key, reason: str) -> Failure:
        """Pause a key: 1 to 3 s at first, doubling to 15 s while it keeps failing."""
        self._make_room()
        earlier = self._pauses.get((context, key))
        length_us = self._first_pause_us() if earlier is None else earlier.length_us * 2
        length_us = min(length_us, _LONGEST_PAUSE_US)
        until_us = self._now_us() + length_us
        self._pauses[context, key] = _Pause(until_us, length_us, reason)
        return Failure(reason, until_us)

    def note_success(self, context: Context, key: Key) -> None:
        """Forget a key's failures."""
        if self._pauses:
            self._pauses.pop((context, key), None)

    def note_poison(self, context: Context, key: Key) -> Failure:
        """Keep a SKU out of batches for ten minutes."""
        until_us = self._now_us() + _POISON_US
        self._poison[context.market, key.sku] = until_us
        return Failure(POISON_REASON, until_us)

    @property
    def poison_count(self) -> int:
        """How many SKUs are remembered as poison."""
        return len(self._poison)

    def _first_pause_us(self) -> int:
        shortest, longest = _FIRST_PAUSE_US
        return shortest + round((longest - shortest) * self._draw())

    def _make_room(self) -> None:
        if len(self._pauses) < _MANY:
            return
        now_us = self._now_us()
        self._pauses = {k: p for k, p in self._pauses.items() if p.until_us > now_us}
        if len(self._pauses) >= _MANY:
            self._pauses.clear()
