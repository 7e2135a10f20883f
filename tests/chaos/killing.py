"""Kills workers and the database between them, one after the other."""

import time
from dataclasses import dataclass, field

from tests.chaos.processes import Worker
from tests.chaos.stage import Stage

# A worker that a busy machine has just started has carried nothing that its death could harm;
# and an event that sixteen workers took and got nowhere with is held, as it may be what kills them.
_LIFE_SECONDS = 2.0


@dataclass(slots=True)
class Killer:
    """Kills one worker after the other, and PostgreSQL at its times."""

    stage: Stage
    every_seconds: float
    postgres_at: list[float]
    began: float = field(default_factory=time.monotonic)
    kills: int = 0
    on_the_wire: int = 0
    postgres_kills: int = 0
    _turn: int = 0
    _next_at: float = 0.0

    def work(self) -> None:
        """Kill what is due."""
        now = time.monotonic()
        them = self.stage.workers.all
        ready = [worker for worker in them if worker.has_carried_for(_LIFE_SECONDS)]
        is_due = bool(self.postgres_at) and now - self.began > self.postgres_at[0]
        if is_due and self.stage.postgres.kill():
            self.postgres_at.pop(0)
            self.postgres_kills += 1
        if ready and now > self._next_at:
            self._kill_one(ready)
            self.kills += 1
            self._next_at = now + self.every_seconds

    def _kill_one(self, ready: list[Worker]) -> None:
        """Kill a worker with a request on the wire, else the last that was looked at.

        Each is stopped, and goes on when nothing of it is under way.
        """
        victim = ready[0]
        for _ in range(2 * len(ready)):
            victim = ready[self._turn % len(ready)]
            self._turn += 1
            if victim.stop(self.stage.system_ports):
                self.on_the_wire += 1
                break
            victim.go_on()
        victim.kill()
