"""What an instant that stands in Redis means to this process.

Ages that processes share are kept on Redis' clock. That clock may step (NTP, a failover to
another node), and instants from before a step tell nothing after it: an old price would look
new. So each stands there with the epoch of the clock by which it was taken. Whoever sees the
clock change begins a new epoch (`heartbeat`), and a price of another epoch than the one that
runs is never younger than `soft`: stale until it is read again.

Two processes in one epoch have the same clock, so none has to see a step at the same moment.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pricing_proxy.domain.freshness import SECOND_US

UNSEEN_US = SECOND_US
"""By so much, all steps together, the clock may be off within an epoch without anybody's noticing.

Measuring it takes a round trip, and a smaller bound would take slow answers for steps. So an age
may be short by a second: a price is fresh for 301 s instead of 300, and what binds a checkout was
read 3 s before it instead of 2.
"""

UNKNOWN_EPOCH = 0
"""Of no clock that anybody vouches for: never the one that runs."""

# A price that is only read again because its age is in doubt must pass for recent nowhere.
_LEAST_DOUBTED_US = 10 * SECOND_US
_NO_OFFSETS: Mapping[int, int] = MappingProxyType({})


class SharedTime(NamedTuple):
    """Redis' clock as a process knows it at one moment.

    Attributes:
        offset_us: Redis' clock minus the process' monotonic clock.
        epoch: In which that holds.
        before: The same offset in earlier epochs, as far as the process lived through them.
    """

    offset_us: int
    epoch: int
    before: Mapping[int, int] = _NO_OFFSETS

    def own_us(self, shared_us: int, epoch: int, *, soft_us: int, now_us: int) -> int:
        """Return when a price was read, by the monotonic clock; in doubt, `soft_us` ago.

        Args:
            shared_us: When it was read, by Redis' clock in `epoch`.
            epoch: Of the price.
            soft_us: Age from which it is stale.
            now_us: The monotonic clock.
        """
        if epoch == self.epoch != UNKNOWN_EPOCH:
            return shared_us - self.offset_us
        return doubted_us(
            shared_us - self.before.get(epoch, self.offset_us), soft_us=soft_us, now_us=now_us
        )


def doubted_us(loaded_us: int, *, soft_us: int, now_us: int) -> int:
    """Return the instant of a read whose age is in doubt: what it seems, but stale at least.

    Args:
        loaded_us: When it seems to have begun (monotonic).
        soft_us: Age from which it is stale.
        now_us: When the doubt arose (monotonic).
    """
    return min(loaded_us, now_us - max(soft_us, _LEAST_DOUBTED_US))
