"""Count what reaches a simulated system, where its socket is read.

A call counts before any fault is applied to it: a request that is throttled, fails
or is never answered was sent all the same. Only a dead system reads nothing.
"""

from collections import Counter
from typing import TypedDict


class CallCounts(TypedDict):
    """What `GET /systems/{name}/calls` answers."""

    total: int
    operations: dict[str, int]
    lines: int


class Calls:
    """The calls of one system since it started or was reset."""

    def __init__(self) -> None:
        self._operations: Counter[str] = Counter()
        self._lines = 0

    def count(self, operation: str, *, lines: int = 0) -> None:
        """Count one call, and the price lines it asks for."""
        self._operations[operation] += 1
        self._lines += lines

    def reset(self) -> None:
        """Forget everything counted."""
        self._operations.clear()
        self._lines = 0

    def counts(self) -> CallCounts:
        """Return the counts; they do not change with later calls."""
        return {
            "total": self._operations.total(),
            "operations": dict(self._operations),
            "lines": self._lines,
        }
