"""Notice that this machine slept: its wall clock moved on, its monotonic clock did not.

Ages from before are too small then, and what was known may be outdated. A wall clock that was
set forward looks the same and is taken for sleep: that costs some reading again, no more.
"""

import logging
from collections.abc import Callable

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock

_log = logging.getLogger(__name__)

# Clocks that are being adjusted drift apart by far less between two looks.
_NOTICED_US = MICROSECONDS_PER_SECOND


class SleepWatch:
    """Compares the machine's two clocks whenever it is asked to.

    Args:
        clock: Time.
        on_woken: Is told for how long the machine has slept since the last look, in microseconds.
    """

    def __init__(self, clock: Clock, *, on_woken: Callable[[int], None] = lambda _: None) -> None:
        self._clock = clock
        self._on_woken = on_woken
        self._apart_us = self._now_apart_us()
        self._slept_us = 0

    def look(self) -> None:
        """Tell of it where the machine has slept since the last look, whoever's that was."""
        apart_us = self._now_apart_us()
        slept_us = apart_us - self._apart_us
        self._apart_us = apart_us
        if slept_us < _NOTICED_US:
            return
        _log.warning(
            "this machine slept, or its clock was set forward, by %.0f s: "
            "remembered prices are stale until they are read again",
            slept_us / MICROSECONDS_PER_SECOND,
        )
        self._slept_us += slept_us
        self._on_woken(slept_us)

    def slept_us(self) -> int:
        """Return for how long the machine has slept by now, all in all, in microseconds."""
        self.look()
        return self._slept_us

    def _now_apart_us(self) -> int:
        return self._clock.wall_us() - self._clock.monotonic_us()
