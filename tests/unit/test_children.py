"""A child ends when its parent was killed: the pipe that it alone writes to is closed."""

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pricing_proxy.children import tied
from sync.engine.embedded_state import server_pid
from tests.code.sources import ROOT

STARTS = """
import signal, subprocess, sys
from pricing_proxy.children import tied
by = signal.Signals(int(sys.argv[1]))
with subprocess.Popen(sys.argv[2:], **tied(by)) as child:
    child.wait()
"""
# It and its children ignore what Ctrl-C sends, as shells have it for what runs in the background.
IN_THE_DEMO = """
import signal, sys, threading
from pathlib import Path
from pricing_proxy.demo.processes import Child
signal.signal(signal.SIGINT, signal.SIG_IGN)
with Child("child", sys.argv[2:], Path(sys.argv[1])):
    threading.Event().wait()
"""
AS_MAKE_DOES = """
import subprocess, sys
with subprocess.Popen([sys.executable, "-m", "pricing_proxy.children", *sys.argv[2:]]) as child:
    child.wait()
"""
# What a shell runs in the background ignores Ctrl-C, and so does what that starts.
WITH_A_DATABASE = """
import asyncio, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from sync.engine.embedded_postgres import EmbeddedPostgres
async def run():
    async with EmbeddedPostgres(Path(sys.argv[1])):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(run())
"""
LIVES = "import os, sys, time; os.write(os.open(sys.argv[1], os.O_WRONLY), b'up'); time.sleep(600)"


@contextmanager
def child_of(program: str, argument: object, folder: Path) -> Iterator[int]:
    """Start a parent and its child, and kill the parent; yields what ends with the child."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    child = (sys.executable, "-c", LIVES, str(pipe))
    with subprocess.Popen(  # noqa: S603 -- our own words
        [sys.executable, "-c", program, str(argument), *child], **tied()
    ) as parent:
        read = os.open(pipe, os.O_RDONLY)
        assert os.read(read, 2) == b"up"
        parent.kill()
    yield read
    os.close(read)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_child_ends_with_a_parent_that_is_killed(by: signal.Signals, tmp_path: Path) -> None:
    with child_of(STARTS, int(by), tmp_path) as pipe:
        assert os.read(pipe, 1) == b""


def test_the_demo_s_programs_end_when_it_is_killed(tmp_path: Path) -> None:
    with child_of(IN_THE_DEMO, tmp_path, tmp_path) as pipe:
        assert os.read(pipe, 1) == b""


def test_what_make_runs_ends_when_make_is_killed(tmp_path: Path) -> None:
    with child_of(AS_MAKE_DOES, "", tmp_path) as pipe:
        assert os.read(pipe, 1) == b""


def test_make_ties_each_program_that_starts_others() -> None:
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    starting = [
        line
        for line in recipes
        if ("pricing-proxy demo" in line or "-m tests." in line)
        # These read and write files, and start nothing.
        and not any(name in line for name in ("tests.deploy.helm_binary", "tests.deploy.licences"))
    ]

    assert len(starting) == 8
    assert all("$(TIED) $(BIN)/" in line for line in starting)


def test_an_embedded_database_outlives_a_killed_owner_until_the_next_ends_it() -> None:
    """Other workers go on with it. Its folder has a name that addresses quote, and no ASCII."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "für a+b %41"
        servers = []
        for end in (signal.SIGKILL, signal.SIGINT):
            with subprocess.Popen(  # noqa: S603 -- our own words
                [sys.executable, "-c", WITH_A_DATABASE, str(folder)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **tied(),
            ) as owner:
                assert owner.stdout is not None
                assert owner.stdout.readline() == b"up\n"
                servers.append(server_pid(folder / "data"))
                assert servers[0] is not None
                ending = os.pidfd_open(servers[0])
                owner.send_signal(end)
            if end == signal.SIGINT:
                # Readable when the process has ended; pytest's time-out is the limit.
                select.select([ending], [], [])
            os.close(ending)
        assert servers[0] == servers[1]
