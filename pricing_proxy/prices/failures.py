"""Remember which keys lately failed to load, so that they are not asked for at every request.

A failure is not data: it never answers a line, it only spaces out the next tries. What the ERP
refuses for a line's own sake ("poison") is remembered in `prices.refusals`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.names import is_same_name
from pricing_proxy.prices.query import Context, Failure, Key
from pricing_proxy.prices.refusals import FORGOTTEN_AFTER_US, REFUSED, KeptOut, Refusals
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
# When this many keys are remembered, those whose pause has ended are dropped.
_MANY = 50_000
# What failed alone so often in a row is not asked for together with others: an error that
# passes proves nothing, but one that does not pass looks the same and takes them down.
_OFTEN_ALONE = 2
# Why such a line is asked for alone.
BROKEN = "fails_in_erp"

_REASONS: dict[type[UpstreamError], str] = {
    CallRefusedError: "erp_unavailable",
    UpstreamDeniedError: "erp_denied",
    UpstreamContractError: "erp_contract",
    UpstreamRejectedError: REFUSED,
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
    alone: int


class FailureMemory:
    """Pauses of failed keys, and what was refused, in one process.

    Args:
        now_us: The monotonic clock.
        draw: Returns a random number in [0, 1).

    Attributes:
        refusals: What the ERP refused, and to whom.
    """

    def __init__(self, *, now_us: Callable[[], int], draw: Callable[[], float]) -> None:
        self._now_us = now_us
        self._draw = draw
        self._pauses: dict[tuple[Context, Key], _Pause] = {}
        self.refusals = Refusals(now_us=now_us, draw=draw)

    def standing(self, context: Context, key: Key) -> Failure | None:
        """Return why the key must not be tried now, None when it may be."""
        pause = self._pauses.get((context, key))
        if pause is not None and self._now_us() < pause.until_us:
            return Failure(pause.reason, pause.until_us)
        return self.refusals.standing(context, key)

    def is_suspect(self, context: Context, key: Key) -> bool:
        """Return whether the key must be asked for alone, for the sake of all others."""
        pause = self._pauses.get((context, key)) if self._pauses else None
        if pause is not None and pause.alone >= _OFTEN_ALONE:
            return True
        return self.refusals.is_suspect(context, key)

    def note_failure(
        self, context: Context, key: Key, reason: str, *, was_alone: bool = False
    ) -> Failure:
        """Pause a key: 1 to 3 s at first, doubling to 15 s while it keeps failing.

        Args:
            context: Whose price.
            key: Which price.
            reason: The word that answers give.
            was_alone: Whether the key was asked for alone, and the ERP itself failed at it.
        """
        self._make_room()
        earlier = self._pauses.get((context, key))
        length_us, alone = self._first_pause_us(), 0
        if earlier is not None:
            length_us, alone = min(earlier.length_us * 2, _LONGEST_PAUSE_US), earlier.alone
        until_us = self._now_us() + length_us
        alone = alone + 1 if was_alone else alone
        self._pauses[context, key] = _Pause(until_us, length_us, reason, alone)
        return Failure(reason, until_us)

    def note_refusal(self, context: Context, key: Key, *, began_us: int) -> Failure:
        """Note that the ERP refused a key that was asked for alone; see `Refusals.note`."""
        pause = self.note_failure(context, key, REFUSED)
        return self.refusals.note(context, key, began_us=began_us) or pause

    def note_success(self, context: Context, key: Key) -> None:
        """Forget a key's failures."""
        if self._pauses:
            self._pauses.pop((context, key), None)
        self.refusals.note_success(context, key)

    def kept_out(self) -> list[KeptOut]:
        """Return the SKUs that are kept out or asked for alone, and why; for operators."""
        now_us = self._now_us()
        broken: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for (context, key), pause in self._pauses.items():
            if pause.alone >= _OFTEN_ALONE and now_us < pause.until_us + FORGOTTEN_AFTER_US:
                lines = broken.setdefault((context.market, key.sku), [])
                lines.append((context.account, pause.until_us))
        rows = [
            KeptOut(
                *name,
                reason=BROKEN,
                customers=len({account for account, _ in lines}),
                lines=sum(until_us > now_us for _, until_us in lines),
                is_alone=False,
                longest_us=max(until_us for _, until_us in lines),
            )
            for name, lines in broken.items()
        ]
        return sorted([*self.refusals.view(), *rows])

    def clear(self, *, market: str | None = None, sku: str | None = None) -> int:
        """Forget failures and refusals, all or as named; return how many SKUs were kept out."""

        def is_meant(of_market: str, of_sku: str) -> bool:
            return market in {None, of_market} and (sku is None or is_same_name(sku, of_sku))

        meant = {row[:2] for row in self.kept_out() if is_meant(*row[:2])}
        self._pauses = {
            (context, key): pause
            for (context, key), pause in self._pauses.items()
            if not is_meant(context.market, key.sku)
        }
        self.refusals.clear(is_meant)
        return len(meant)

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
