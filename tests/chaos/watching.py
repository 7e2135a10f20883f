"""Look at the worker and at how far it says it is, while it reads.

Its memory is what Linux tells of its process; progress is what `d365-sync runs` says.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.chaos.burden import Burden
from tests.chaos.figures import Figure
from tests.chaos.mirrored import Mirrored
from tests.chaos.processes import ChaosError

_MOST_MB = 300
_LOOK_SECONDS = 0.5
# A command takes a second of a processor, which is one of two.
_ASK_SECONDS = 10.0
_OFTEN, _FEWEST_STEPS = 4, 2
_UNDER_WAY = ("reading", "planning", "writing")


@dataclass(slots=True)
class Watched:
    """What one read takes.

    Attributes:
        mirrored: Where it is read.
        flow: For which flow.
        burden: Of the worker.
        steps: What was said of it: rows read, and which share of the work is done.
        asked: How often it was asked while it was under way.
        seconds: How long it took.
    """

    mirrored: Mirrored
    flow: str
    burden: Burden = field(default_factory=Burden)
    steps: set[tuple[int, float | None]] = field(default_factory=set)
    asked: int = 0
    seconds: float = 0.0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Look until what is done within is done."""
        is_over, began = threading.Event(), time.monotonic()
        lookers = [threading.Thread(target=each, args=(is_over,)) for each in self._lookers()]
        for each in lookers:
            each.start()
        try:
            yield
        finally:
            self.seconds = time.monotonic() - began
            is_over.set()
            for each in lookers:
                each.join()

    def figures(self, name: str) -> list[Figure]:
        """Return what is demanded of a read."""
        peak, steps = self.burden.peak_mb, len(self.steps)
        taken = sum(self.burden.seconds.values())
        # Of a read that is over before anybody can ask nothing is shown.
        is_long = self.asked >= _OFTEN
        return [
            Figure(
                name=f"{name}, took",
                value=f"{self.seconds:.0f} s; the worker had a processor for {taken:.0f} s of it",
            ),
            Figure(
                name=f"{name}, the worker's memory at the most",
                value=f"{peak:.0f} MB",
                bar=f"<= {_MOST_MB} MB",
                is_met=0 < peak <= _MOST_MB,
            ),
            Figure(
                name=f"{name}, progress was shown",
                value=f"{steps} steps, asked {self.asked} times",
                bar=f">= {_FEWEST_STEPS}" if is_long else "",
                is_met=steps >= _FEWEST_STEPS if is_long else None,
            ),
        ]

    def _lookers(self) -> Sequence[Callable[[threading.Event], None]]:
        return self._burdened, self._progressing

    def _burdened(self, is_over: threading.Event) -> None:
        while not is_over.wait(_LOOK_SECONDS):
            for worker in self.mirrored.on.workers.all:
                if worker.is_alive:
                    self.burden.see(worker.pid)

    def _progressing(self, is_over: threading.Event) -> None:
        while not is_over.wait(_ASK_SECONDS):
            with contextlib.suppress(ChaosError):
                for each in self.mirrored.runs(self.flow)[:1]:
                    if each["run"]["state"] in _UNDER_WAY:
                        self.asked += 1
                        self.steps.add((each["run"]["rows_read"], each["done"]))
