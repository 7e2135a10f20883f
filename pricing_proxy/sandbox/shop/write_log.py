"""What was written into the shop, as a judge counts it: by route, requests and their rows.

A write goes on to its end when its client hangs up, as PHP's does: such ones are counted apart,
since who wrote them knows nothing of them. How many were in progress at once is kept as well.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self, TypeVar

from pricing_proxy.background import end

T = TypeVar("T")


@dataclass(slots=True)
class Written:
    """The writes of one route.

    Attributes:
        requests: How many there were, refused ones among them.
        rows: How many rows these had.
        cut: How many went on without a client.
        most: How many were in progress at once.
        began_at: When the first one began, on a clock of its own.
        ended_at: When the last one that has ended did.
    """

    requests: int = 0
    rows: int = 0
    cut: int = 0
    most: int = 0
    began_at: float | None = None
    ended_at: float | None = None

    def told(self) -> dict[str, Any]:
        """Return it, with the seconds from the first one's beginning to the last one's end."""
        began, ended = self.began_at or 0.0, self.ended_at or 0.0
        counts = {"requests": self.requests, "rows": self.rows, "cut": self.cut, "most": self.most}
        return {**counts, "seconds": round(max(0.0, ended - began), 3)}


class WriteLog:
    """All writes since it was made, or reset."""

    def __init__(self) -> None:
        self._routes: dict[str, Written] = {}
        self._open: dict[str, int] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what goes on without a client."""
        await end(*self._under_way)

    async def to_its_end(self, route: str, rows: int, write: Coroutine[Any, Any, T]) -> T:
        """Return what a write answers; it goes on where whoever waits for it is gone."""
        self._began(route, rows)
        task = asyncio.create_task(write)
        self._under_way.add(task)
        task.add_done_callback(lambda ended: self._ended(route, ended))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                self._routes[route].cut += 1
            raise

    def posted(self, route: str, rows: int) -> None:
        """Count a list that was posted, to be written later."""
        self._began(route, rows)
        self._open[route] -= 1

    def reset(self) -> None:
        """Forget all but what is in progress."""
        self._routes = {route: Written(most=left) for route, left in self._open.items() if left}

    def told(self) -> dict[str, Any]:
        """Return all counts, and how many are in progress."""
        routes = {route: written.told() for route, written in self._routes.items()}
        return {"routes": routes, "open": {name: n for name, n in self._open.items() if n}}

    def _began(self, route: str, rows: int) -> None:
        written = self._routes.setdefault(route, Written())
        written.requests += 1
        written.rows += rows
        self._open[route] = self._open.get(route, 0) + 1
        written.most = max(written.most, self._open[route])
        if written.began_at is None:
            written.began_at = monotonic()

    def _ended(self, route: str, task: asyncio.Task[Any]) -> None:
        self._open[route] -= 1
        # It may have been forgotten meanwhile.
        self._routes.setdefault(route, Written()).ended_at = monotonic()
        self._under_way.discard(task)
        if not task.cancelled():
            # Retrieved, so that nobody is told at exit of what nobody waits for.
            task.exception()
