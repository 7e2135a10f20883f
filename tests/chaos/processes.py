"""The processes of a run: workers that are killed, stopped and started again, and all ended.

Every worker has a session of its own, so that Ctrl-C reaches only this program, which then
ends them one by one; the PostgreSQL that they run between them is ended last.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pricing_proxy.children import tied
from tests.chaos.wire import unread_answers

_READY = "carrying "
_START_SECONDS, _STOP_SECONDS, _LOOK_SECONDS = 60.0, 30.0, 0.05
_SHOWN = 2000
# An answer that the simulated systems are working on is there by then.
_ANSWER_SECONDS = 0.1
SYNC = (sys.executable, "-m", "sync", "run", "--yes")
NOOP = (sys.executable, "-m", "tests.chaos.noop_worker")


class ChaosError(Exception):
    """The run cannot go on; the message says what to do."""


@dataclass(slots=True)
class Worker:
    """One worker process at a time, started again when told to.

    Attributes:
        command: What is run.
        log: Where its output goes.
        variables: Its own, beside this process's environment.
        began_again: How often it was started again after it had ended by itself.
        is_lost: Never to be started again.
    """

    command: Sequence[str]
    log: Path
    variables: Mapping[str, str]
    began_again: int = 0
    is_lost: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _said: int = 0
    _ready_at: float | None = None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self._said, self._ready_at = output.tell(), None
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.variables},
                start_new_session=True,
                **tied(),
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running().pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it carries events."""
        if not self.is_alive:
            return False
        if self._ready_at is None and _READY.encode() in self._words():
            self._ready_at = time.monotonic()
        return self._ready_at is not None

    def has_carried_for(self, seconds: float) -> bool:
        """Whether it has been seen to be ready for so long."""
        if not self.is_ready or self._ready_at is None:
            return False
        return time.monotonic() - self._ready_at >= seconds

    @property
    def last_words(self) -> str:
        """The end of its output; the file itself goes with the run."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:].strip()

    def until_ready(self) -> None:
        """Wait until it is ready; raises `ChaosError`."""
        until = time.monotonic() + _START_SECONDS
        while not self.is_ready:
            if not self.is_alive or time.monotonic() > until:
                raise ChaosError(f"a worker did not start; it said: {self.last_words}")
            time.sleep(_LOOK_SECONDS)

    def stop(self, ports: frozenset[int]) -> bool:
        """Stop it (SIGSTOP), and return whether a request of it was on the wire."""
        self._running().send_signal(signal.SIGSTOP)
        time.sleep(_ANSWER_SECONDS)
        return unread_answers(self.pid, ports) > 0

    def go_on(self) -> None:
        """Let it go on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self._running().kill()
        self._running().wait()
        self._process = None

    def revive(self) -> None:
        """Start it when it does not run."""
        if self.is_alive or self.is_lost:
            return
        self.began_again += self._process is not None
        self.start()

    def end(self) -> int | None:
        """End it: kindly, then not; return its exit code, None when it did not run."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        code: int = self._process.returncode
        self._process = None
        return code

    def _words(self) -> bytes:
        """Return what it said since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._said)
            return log.read()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ChaosError("a worker that does not run was to be told something")
        return self._process


@dataclass(slots=True)
class Workers:
    """All workers of a run."""

    all: list[Worker] = field(default_factory=list)

    def start(self) -> None:
        """Start them and wait: the first makes the database, the others find it."""
        for number, worker in enumerate(self.all):
            worker.start()
            if number == 0:
                worker.until_ready()
        for worker in self.all:
            worker.until_ready()

    @contextmanager
    def told(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Have all of them run under further variables of the environment, then as before."""
        before = [worker.variables for worker in self.all]
        self._begin_again([{**each, **variables} for each in before])
        try:
            yield
        finally:
            self._begin_again(before)

    def _begin_again(self, variables: Sequence[Mapping[str, str]]) -> None:
        self.end()
        for worker, its in zip(self.all, variables, strict=True):
            worker.variables = its
        self.start()

    def revive(self) -> None:
        """Start those that do not run."""
        for worker in self.all:
            worker.revive()

    def end(self) -> None:
        """End all of them, at once."""
        for worker in self.all:
            if worker.is_alive:
                worker.go_on()
                os.kill(worker.pid, signal.SIGTERM)
        for worker in self.all:
            worker.end()


@dataclass(frozen=True, slots=True)
class Postgres:
    """The embedded PostgreSQL that the workers run between them."""

    folder: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://postgres@/postgres?host={self.folder / 'run'}"

    def kill(self) -> bool:
        """Kill it (SIGKILL); return whether it ran."""
        pid = self._pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return pid is not None

    def end(self) -> None:
        """End it, where a killed worker has left it running."""
        until = time.monotonic() + _STOP_SECONDS
        pid = self._pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        while self._pid() is not None:
            if time.monotonic() > until:
                self.kill()
                return
            time.sleep(_LOOK_SECONDS)

    def _pid(self) -> int | None:
        pid = None
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = (self.folder / "data" / "postmaster.pid").read_bytes()
            pid = int(text.split()[0])
            os.kill(pid, 0)
            return pid
        return None
