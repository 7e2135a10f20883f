"""Kill the worker while the shop is writing something of it, and prove that it was.

The shop tells which requests lost their client while they were written, and what of posted lists
still waits for its queue; it writes both to their end.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chaos.figures import Figure
from tests.chaos.mirrored import Mirrored

_LOOK_SECONDS = 0.01
# What a killed worker was at comes back after its lease.
_BETWEEN_SECONDS = 2.0


@dataclass(slots=True)
class Cuts:
    """Kills within writes.

    Attributes:
        mirrored: What is written.
        wanted: How many of them there are to be.
        kills: How many there were.
        hits: How many of them were within a write.
        in_queue: After how many of them a list waited in the shop's queue.
    """

    mirrored: Mirrored
    wanted: int
    kills: int = 0
    hits: int = 0
    in_queue: int = 0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Kill while what is done within is done."""
        is_over = threading.Event()
        killing = threading.Thread(target=self._kill, args=(is_over,))
        killing.start()
        try:
            yield
        finally:
            is_over.set()
            killing.join()

    def figures(self) -> list[Figure]:
        """Return whether there were enough."""
        return [
            Figure(
                name="kills of the worker within a write",
                value=f"{self.hits} of {self.kills}: {self._cut()} requests, {self.in_queue} lists",
                bar=f">= {self.wanted}",
                is_met=self.hits >= self.wanted,
            )
        ]

    def _kill(self, is_over: threading.Event) -> None:
        on = self.mirrored.on
        while self.hits < self.wanted and not is_over.wait(_LOOK_SECONDS):
            told = on.ask("GET", "magento/writes")
            if not told["open"] and not told["waiting"]:
                continue
            before = self._cut()
            for worker in on.workers.all:
                worker.kill()
            self.kills += 1
            is_in_queue = on.ask("GET", "magento/writes")["waiting"] > 0
            self.in_queue += is_in_queue
            time.sleep(_BETWEEN_SECONDS)
            self.hits += is_in_queue or self._cut() > before
            on.workers.revive()

    def _cut(self) -> int:
        return sum(each["cut"] for each in self.mirrored.writes().values())
