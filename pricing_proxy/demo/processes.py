"""The demo's child processes: started in order, watched, and ended in reverse order."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

import requests
from fakeredis import TcpFakeServer

from pricing_proxy.children import tied
from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from pricing_proxy.demo.loopback import loopback_session
from pricing_proxy.demo.plan import DemoError, Plan
from pricing_proxy.demo.sync_plan import ERP_SECRET, INTAKE_SECRET, end_database

_START_SECONDS = 180.0
_POLL_SECONDS = 0.1
# `serve` drains for five seconds at most after Ctrl-C's signal.
_END_SECONDS = 10.0
# The sync stops its database before it ends.
_SYNC_END_SECONDS = 40.0
_LOG_TAIL_LINES = 12


@contextmanager
def running(plan: Plan, say: Callable[[str], None]) -> Iterator[Sequence["Child"]]:
    """Start Redis, the sandbox, the service and the sync; on exit, end them.

    Args:
        plan: What to run.
        say: Told what is being waited for.
    """
    with ExitStack() as stack:
        children = []
        say("Redis")
        server = shutil.which("redis-server")
        if server is None:
            stack.enter_context(_embedded_redis(plan.ports.redis))
        else:
            children.append(stack.enter_context(_redis_server(server, plan)))
        say("the simulated Entra ID and F&O")
        children.append(stack.enter_context(_sandbox(plan)))
        _wait_for(f"{plan.control_url}/systems/fo/calls", children)
        say("the price service, which reads catalog and customers")
        children.append(stack.enter_context(_service(plan)))
        _wait_for(f"{plan.public_url}/health/ready", children)
        say("the sync with its PostgreSQL")
        stack.callback(end_database, plan.database)
        children.append(stack.enter_context(_sync(plan)))
        _wait_for(f"{plan.intake_url}/health/live", children)
        yield children


class Child:
    """A process with a log file.

    Args:
        name: For messages and the log file.
        command: What to run.
        folder: Where the log goes.
        environment: Variables added to ours.
        end_seconds: How long it may take to end.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        end_seconds: float = _END_SECONDS,
    ) -> None:
        self.name = name
        self._end_seconds = end_seconds
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches the demo, which ends the others in order.
            self._process = subprocess.Popen(  # noqa: S603 -- our own programs
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                **tied(signal.SIGINT),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(self._end_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def require_alive(self) -> None:
        """Raise `DemoError` with the end of the log when the process has ended."""
        code = self._process.poll()
        if code is None:
            return
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(lines[-_LOG_TAIL_LINES:])
        raise DemoError(f"{self.name} ended with code {code}; its log {self._log} says:\n{tail}")


def _program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pricing_proxy", *arguments]


def _sandbox(plan: Plan) -> Child:
    ports = plan.ports
    command = _program(
        "sandbox",
        f"--control-port={ports.control}",
        f"--fo-port={ports.fo}",
        f"--entra-port={ports.entra}",
        f"--magento-port={ports.magento}",
        f"--intake-url={plan.intake_url}/v1/events/magento",
        f"--intake-secret={INTAKE_SECRET}",
        f"--events-url={plan.intake_url}/v1/events/d365/{ERP_SECRET}",
        f"--state-dir={plan.folder}",
        f"--ca-file={plan.ca_file}",
        # As an integrator makes it, so that the shop shows whose prices somebody sees.
        "--account-attribute",
    )
    return Child("sandbox", command, plan.folder)


def _service(plan: Plan) -> Child:
    command = _program("serve", "--config", str(plan.configuration_file))
    return Child("service", command, plan.folder, {SECRETS_VARIABLE: str(plan.secrets_folder)})


def _sync(plan: Plan) -> Child:
    command = [sys.executable, "-m", "sync", "run", "--yes"]
    command += ["--config", str(plan.configuration_file)]
    # Alerts go to loopback; no proxy of the environment may come between.
    variables = {
        SECRETS_VARIABLE: str(plan.secrets_folder),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    return Child("sync", command, plan.folder, variables, end_seconds=_SYNC_END_SECONDS)


def _redis_server(server: str, plan: Plan) -> Child:
    # Nothing is kept on disk: each demo begins cold, whatever other Redis runs here.
    command = [server, "--port", str(plan.ports.redis), "--bind", "127.0.0.1"]
    return Child("redis", [*command, "--save", "", "--appendonly", "no"], plan.folder)


@contextmanager
def _embedded_redis(port: int) -> Iterator[None]:
    """Serve fakeredis over TCP, so that all programs see one state."""
    server = TcpFakeServer(("127.0.0.1", port))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _wait_for(url: str, children: Sequence[Child]) -> None:
    until = time.monotonic() + _START_SECONDS
    session = loopback_session()
    while True:
        for child in children:
            child.require_alive()
        # Not listening yet is no error: the loop looks again.
        with suppress(requests.RequestException):
            if session.get(url, timeout=2).ok:
                return
        if time.monotonic() > until:
            raise DemoError(f"nothing useful at {url} after {_START_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)
