"""How long tests wait for what will come, and what a busy machine kept them from.

Neither measures anything: no test fails because other programs want the machine as well.
"""

from pathlib import Path

PATIENCE_SECONDS = 240.0
"""What comes later than this hangs; pytest's own time limit for a test is above it."""

_SCHEDULER = Path("/proc/thread-self/schedstat")


def seconds_kept_waiting() -> float:
    """Return how long this thread was ready and had no processor, since it began.

    It is 0 where the system does not tell.
    """
    try:
        told = _SCHEDULER.read_text("ascii").split()
    except OSError:
        return 0.0
    return int(told[1]) / 1e9
