"""Where a process of the price service stands: alone, or one of several workers of a replica.

Workers share the public port, where the kernel gives each connection to one of them
(SO_REUSEPORT). Admin and metrics listeners are each worker's own, 100 above those of the worker
before, as what they show and clear is one process'. At the first start all workers listen at
once, and none says it is ready before all are; one that is started again listens when it can
answer, so that no connection goes to it sooner.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pricing_proxy.background import Background
from pricing_proxy.serve.worker_board import WorkerBoard, WorkerState, own_board

PORTS_APART = 100
"""Between the same listener of two workers: 8081, 8181, 8281."""

# Load balancers ask each second.
_BEAT_SECONDS = 0.2
# A worker in one of these states gets connections, and leaves them without a good answer.
_OBSTACLES = {WorkerState.STARTING: "starting", WorkerState.SILENT: "silent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlace:
    """A process among others.

    Attributes:
        number: Which worker, from 1.
        board: How all stand.
        public_port: The port that is shared; None for the configured one.
        is_replacement: Whether it was started again, beside others that serve.
    """

    number: int = 1
    board: WorkerBoard = field(default_factory=own_board)
    public_port: int | None = None
    is_replacement: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether there are others."""
        return self.board.count > 1

    def own_port(self, port: int) -> int:
        """Return this worker's port of a listener that is not shared; any stays any."""
        return own_port(port, self.number)

    def obstacles(self) -> list[str]:
        """Return which others keep connections to the shared port from being answered."""
        states = {n: self.board.state(n) for n in self.board.numbers if n != self.number}
        return [f"worker {n} is {_OBSTACLES[s]}" for n, s in states.items() if s in _OBSTACLES]

    def views(self) -> list[dict[str, int | str]]:
        """Return how every worker stands, for operators; nothing where there is one."""
        if not self.is_shared:
            return []
        board = self.board
        return [
            {"number": n, "state": board.state(n).name.lower(), "restarts": board.restarts(n)}
            for n in board.numbers
        ]


def own_port(port: int, number: int) -> int:
    """Return a worker's port of a listener that is not shared; any stays any."""
    return port + PORTS_APART * (number - 1) if port else 0


class Beating(Background):
    """Tells the others how this worker stands; an async context manager.

    Args:
        place: Whose.
        state: Returns how it stands.
    """

    def __init__(self, place: WorkerPlace, state: Callable[[], WorkerState]) -> None:
        self._place = place
        self._state = state

    async def _for_ever(self) -> None:
        while True:
            self._place.board.beat(self._place.number)
            self._place.board.tell(self._place.number, self._state())
            await asyncio.sleep(_BEAT_SECONDS)
