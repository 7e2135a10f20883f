"""How long loads take: when it is worth asking again for lines that are being loaded.

Estimated as TCP does its round trips (RFC 6298): the mean of what was seen, and as much more as
it varies. Nothing depends on it but when a browser comes back.
"""

from collections.abc import Callable
from dataclasses import dataclass

_MILLISECOND_US = 1000
# Before anything was seen: most calls of an ERP end within.
_UNKNOWN_US = 500 * _MILLISECOND_US
# Asking twice in a tenth of a second gains nobody anything; after five seconds few are left who
# wait, and a gate that stays closed for longer may be opened by an operator.
_SHORTEST_US, _LONGEST_US = 100 * _MILLISECOND_US, 5000 * _MILLISECOND_US
# Shares of the newest in the mean and in how much it varies; the variations that are waited for.
_NEW_IN_MEAN, _NEW_IN_VARIATION, _VARIATIONS = 8, 4, 4


@dataclass(slots=True)
class _Seen:
    mean_us: int
    variation_us: int


class LoadTimes:
    """What loads of each market took, as far as they brought prices.

    Args:
        opens_in_us: Returns how long no call of a market can begin, 0 when it can.
    """

    def __init__(self, opens_in_us: Callable[[str], int]) -> None:
        self._opens_in_us = opens_in_us
        self._seen: dict[str, _Seen] = {}

    def note(self, market: str, took_us: int) -> None:
        """Take a load into account."""
        seen = self._seen.get(market)
        if seen is None:
            self._seen[market] = _Seen(took_us, took_us // 2)
            return
        off_us = abs(took_us - seen.mean_us)
        seen.variation_us += (off_us - seen.variation_us) // _NEW_IN_VARIATION
        seen.mean_us += (took_us - seen.mean_us) // _NEW_IN_MEAN

    def ask_again_ms(self, market: str, *, began_us: int, now_us: int) -> int:
        """Return in how many milliseconds a load under way has most likely ended, in bounds.

        Args:
            market: Whose load it is.
            began_us: When it began (monotonic).
            now_us: The monotonic clock.
        """
        seen = self._seen.get(market)
        usual_us = _UNKNOWN_US if seen is None else _likely_us(seen)
        gone_us = max(now_us - began_us, 0)
        # Whatever has taken longer than most may well take half as long again.
        left_us = max(usual_us - gone_us, gone_us // 2 if gone_us > usual_us else 0)
        closed_us = self._opens_in_us(market)
        if closed_us > 0:
            left_us = max(left_us, closed_us + usual_us)
        return min(max(left_us, _SHORTEST_US), _LONGEST_US) // _MILLISECOND_US


def _likely_us(seen: _Seen) -> int:
    return seen.mean_us + _VARIATIONS * seen.variation_us
