"""The processes of the drill: sandbox, Redis, and the real service."""

import dataclasses
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pricing_proxy.children import tied
from pricing_proxy.demo.plan import SECRET, SECRET_NAME, Plan, Ports, free_ports
from pricing_proxy.demo.sync_plan import database_folder
from tests.bench.programs import process, program, wait_for
from tests.drill.watching import Watch, watched

# Prices go stale within a phase, so that refreshes are part of the drill.
_FRESHNESS = "freshness = { soft_seconds = 20, hard_seconds = 3600 }"


class DrillError(Exception):
    """The drill cannot run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class RedisChild:
    """A Redis that can be killed and started again on its port."""

    command: list[str]
    children: list[subprocess.Popen[bytes]]

    def start(self) -> None:
        """Start it, empty."""
        quiet = subprocess.DEVNULL
        self.children.append(subprocess.Popen(self.command, stdout=quiet, stderr=quiet, **tied()))

    def kill(self) -> None:
        """End it as a crash would."""
        for child in self.children:
            child.send_signal(signal.SIGKILL)
            child.wait()
        self.children.clear()


@dataclass(frozen=True, slots=True)
class Running:
    """Everything is up."""

    plan: Plan
    redis: RedisChild
    watch: Watch | None


@contextmanager
def programs(folder: Path, *, pace: int | None = None) -> Iterator[Running]:
    """Start all; on exit, end all.

    Args:
        folder: For files.
        pace: By which rules are shortened for a Prometheus that watches; None for none.
    """
    redis_server = shutil.which("redis-server")
    if redis_server is None:
        raise DrillError("install redis-server: the drill kills a real one")
    names = [field.name for field in dataclasses.fields(Ports)]
    ports = Ports(**dict(zip(names, free_ports(len(names)), strict=True)))
    # The sync runs only when it is watched.
    plan = Plan(ports=ports, folder=folder, database=database_folder(folder))
    plan.write_configuration()
    text = plan.configuration_file.read_text(encoding="utf-8")
    text = text.replace('currency = "EUR"\n', f'currency = "EUR"\n{_FRESHNESS}\n', 1)
    plan.configuration_file.write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        command = [redis_server, "--port", str(ports.redis), "--bind", "127.0.0.1", "--save", ""]
        redis = RedisChild(command, [])
        stack.callback(redis.kill)
        redis.start()
        command = [*program("sandbox"), f"--control-port={ports.control}"]
        command += [f"--fo-port={ports.fo}", f"--entra-port={ports.entra}"]
        command += [f"--magento-port={ports.magento}", f"--state-dir={folder}"]
        stack.enter_context(process(command, folder / "sandbox.log"))
        wait_for(f"{plan.control_url}/systems/fo/calls")
        command = [*program("serve"), f"--config={plan.configuration_file}"]
        stack.enter_context(process(command, folder / "serve.log", {SECRET_NAME: SECRET}))
        wait_for(f"{plan.public_url}/health/ready")
        # Redis was asked first long ago; by now the service has heard of it.
        time.sleep(1)
        watch = None if pace is None else stack.enter_context(watched(plan, pace))
        yield Running(plan, redis, watch)
