"""How long `check` waits, and from when on it calls something slow."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times of one check.

    Attributes:
        wait: For one answer; whoever is silent for longer is called unreachable. Above the
            five seconds of a price call, so that a slow system is told from a dead one.
        total: For one environment with its markets; somebody sits before the screen.
        sampling: After so long no further call is made to measure one more time.
        entra_slow: A token that takes longer holds up the first price after each start.
        erp_slow: The cheapest call; a cart, which waits 1.5 s, has little left after it.
        unsteady: Between the median and the slowest tenth; as much as a cart can absorb.
    """

    wait: timedelta = timedelta(seconds=8)
    total: timedelta = timedelta(seconds=15)
    sampling: timedelta = timedelta(seconds=3)
    entra_slow: timedelta = timedelta(seconds=2)
    erp_slow: timedelta = timedelta(seconds=1)
    unsteady: timedelta = timedelta(milliseconds=500)
