"""What writes of products, prices and stock cost the shop, and how they fail.

Two of them run at once on the shop's two cores, others wait; pages of the storefront are slower
for each. The loser of a deadlock has written nothing; what fails behind the commit is written, and
the answer is a refusal all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.wire import RefusedError

_CORES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How long a write takes: for itself, and for each row of its list."""

    first_ms: float
    row_ms: float = 0
    rows: str = ""

    def seconds(self, body: object) -> float:
        """Return how long the write of a body takes on a shop at rest."""
        return (self.first_ms + self.row_ms * self.count(body)) / 1000

    def count(self, body: object) -> int:
        """Return how many rows a body has."""
        listed = body.get(self.rows) if isinstance(body, dict) else None
        return len(listed) if isinstance(listed, list | dict) else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a write answers that cannot be done.

    Attributes:
        deadlock: Of the loser of a deadlock, who has written nothing; None = it never loses.
        deadlock_code: The number that its operation in a bulk is given then.
        unsaved: Of one that was written, when something behind the commit failed.
        no_search: Without a search engine; None = it does without.
        is_stored_unsearched: Whether it is written then.
    """

    deadlock: str | None = None
    deadlock_code: int = 0
    unsaved: str | None = None
    no_search: RefusedError | None = None
    is_stored_unsearched: bool = False


class Writes:
    """The writes in progress, and those that fail by the shop's dials.

    Attributes:
        in_progress: How many are, those of the bulks' consumer included.
    """

    def __init__(self, dials: ShopDials, *, seed: str) -> None:
        self.in_progress = 0
        self._dials = dials
        self._cores = asyncio.Semaphore(_CORES)
        self._random = Random(seed)  # noqa: S311 - faults must repeat, not surprise

    @asynccontextmanager
    async def taking(self, seconds: float) -> AsyncIterator[None]:
        """Let a write take its time before it is done."""
        self.in_progress += 1
        try:
            if seconds:
                async with self._cores:
                    await asyncio.sleep(seconds)
            yield
        finally:
            self.in_progress -= 1

    def is_victim(self, failure: Failure | None) -> bool:
        """Say whether a write loses a deadlock."""
        can_lose = failure is not None and failure.deadlock is not None
        return can_lose and self._random.random() < self._dials.deadlock_rate

    def done(self, write: Callable[[], Any], failure: Failure | None, *, is_victim: bool) -> Any:
        """Return what a write answers.

        Raises:
            RefusedError: It lost a deadlock, or was refused before or behind its commit.
        """
        if failure is None:
            return write()
        if is_victim:
            raise RefusedError(400, str(failure.deadlock))
        refusal = failure.no_search if self._dials.search_down else None
        if refusal is not None and not failure.is_stored_unsearched:
            raise refusal
        written = write()
        if refusal is not None:
            raise refusal
        is_refused = self._random.random() < self._dials.commit_then_refuse
        if failure.unsaved is not None and is_refused:
            raise RefusedError(400, failure.unsaved)
        return written
