"""Say how many connections may be open, so that outgoing calls always find a descriptor.

The operating system gives a process so many descriptors (`ulimit -n`); without one left,
neither Redis nor the ERP nor PostgreSQL can be reached again once a connection was lost.
"""

import logging
import resource
from dataclasses import dataclass

from pricing_proxy.listening.crowd import MOST_CONNECTIONS

_log = logging.getLogger(__name__)

# Event loop, listeners, logs, certificates, name look-ups, files of keys: some 25 at work.
_OWN = 40
# Where the limit is too low for all, connections still get this share: the other side hardly
# ever uses all that it may.
_LEAST_SHARE = 4
_MOST_INNER = 64


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections there may be.

    Attributes:
        outer: On the listener that everybody may reach.
        inner: On the one for operators, which strangers cannot take from it.
    """

    outer: int
    inner: int


def room(*, outgoing: int, descriptors: int | None = None) -> Room:
    """Return how many connections fit beside the outgoing ones.

    Args:
        outgoing: Connections that the other parts may open, at most.
        descriptors: The limit; the process' own when not given.
    """
    limit = _own_limit() if descriptors is None else descriptors
    needed = _OWN + outgoing
    least = max(8, limit // _LEAST_SHARE)
    free = limit - needed
    if free < least:
        _log.warning(
            "only %d files may be open (ulimit -n), so %d connections are taken; "
            "all parts together may need %d more",
            limit,
            least,
            needed,
        )
    shared = max(free, least)
    inner = max(4, min(shared // 4, _MOST_INNER))
    return Room(max(4, min(shared - inner, MOST_CONNECTIONS)), inner)


def _own_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else soft
