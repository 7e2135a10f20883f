"""Workers are kept running and end together, whatever they do; small programs stand in for them."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pricing_proxy.children import tied
from tests.patience import PATIENCE_SECONDS

PARENT = """
import asyncio, logging, sys
from pricing_proxy.serve.supervisor import Supervisor
from pricing_proxy.serve.worker_board import new_board
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
async def main():
    with new_board(2) as (board, descriptor):
        return await Supervisor(
            [sys.executable, "-c", sys.argv[1], f"--board={descriptor}"],
            board=board, descriptor=descriptor, patience_seconds=float(sys.argv[2]),
            first_pause_seconds=0.1,
        ).run()
sys.exit(asyncio.run(main()))
"""
# What each says is one line: lines of two processes do not mix.
WORKER = """
import os, signal, sys, threading, time
from pricing_proxy.serve.worker_board import WorkerState, board_of
given = dict(each.lstrip("-").partition("=")[::2] for each in sys.argv[1:])
number, again = int(given["number"]), "replacement" in given
board = board_of(int(given["board"]), 2)
def say(words):
    os.write(1, f"{number} {words}\\n".encode())
def serve():
    board.tell(number, WorkerState.READY)
    def beat():
        while True:
            board.beat(number)
            time.sleep(0.01)
    threading.Thread(target=beat, daemon=True).start()
    board.beat(number)
    say("again" if again else "up")
    while True:
        told = signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1})
        say(f"told {told.name}")
        if told in (signal.SIGTERM, signal.SIGINT):
            sys.exit(0)
        if told == signal.SIGUSR1:
            sys.exit(2)
signal.pthread_sigmask(signal.SIG_BLOCK,
    {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1})
"""
SERVES = f"{WORKER}\nserve()"
MISTAKEN = f"{WORKER}\nsys.exit(2) if number == 2 else serve()"
DEAF = f"""{WORKER}
board.beat(number); say('up')
while True: say(f"told {{signal.sigwait({{signal.SIGTERM}}).name}}")
"""


class Crew:
    """A parent and its two workers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def until(self, *lines: str) -> None:
        """Read until all of these were said since the last time, in any order."""
        missing = list(lines)
        assert self.process.stdout is not None
        while missing:
            line = self.process.stdout.readline().rstrip("\n")
            assert line or self.process.poll() is None, (missing, self.said)
            self.said.append(line)
            missing = [each for each in missing if not re.fullmatch(each, line)]

    def ended(self) -> int:
        """Return the exit code, and read what is left."""
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.said += said.splitlines()
        return self.process.returncode

    def workers(self) -> list[int]:
        """Return the workers' process ids."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def crew(worker: str, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Crew]:
    with subprocess.Popen(  # noqa: S603 -- our own words
        [sys.executable, "-c", PARENT, worker, str(patience_seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **tied(),
    ) as process:
        try:
            yield Crew(process)
        finally:
            process.kill()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_all_are_told_to_end_and_the_parent_ends_well(told: signal.Signals) -> None:
    with crew(SERVES) as running:
        running.until("1 up", "2 up")
        running.process.send_signal(told)
        assert running.ended() == 0
    assert {f"1 told {told.name}", f"2 told {told.name}"} <= set(running.said)


def test_a_hangup_is_passed_on_and_ends_nobody() -> None:
    with crew(SERVES) as running:
        running.until("1 up", "2 up")
        running.process.send_signal(signal.SIGHUP)
        running.until("1 told SIGHUP", "2 told SIGHUP")
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0


@pytest.mark.parametrize(
    ("how", "words"),
    [(signal.SIGKILL, "was ended by SIGKILL"), (signal.SIGUSR1, "ended with 2")],
)
def test_a_worker_that_ends_is_started_again_and_the_others_go_on(
    how: signal.Signals, words: str
) -> None:
    """Also one that finds a mistake now: the others serve with what they read."""
    with crew(SERVES) as running:
        running.until("1 up", "2 up")
        subprocess.run(["kill", f"-{how.value}", str(running.workers()[1])], check=True, **tied())  # noqa: S603, S607 -- ours
        running.until(rf"worker 2 {words}; it starts again in 0 s", "2 again")
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0
    assert "1 again" not in running.said


def test_a_mistake_at_the_first_start_ends_all_with_two() -> None:
    with crew(MISTAKEN) as running:
        assert running.ended() == 2
    assert not [line for line in running.said if "again" in line]


def test_a_worker_that_does_not_end_in_time_is_killed_and_that_is_no_good_end() -> None:
    with crew(DEAF, patience_seconds=0.2) as running:
        running.until("1 up", "2 up")
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 1
    assert "2 workers did not end in time, and are killed" in running.said


def test_workers_end_with_a_parent_that_is_killed() -> None:
    with crew(SERVES) as running:
        running.until("1 up", "2 up")
        running.process.kill()
        # What they hold open ends with them.
        running.ended()
