"""Two replicas of `pricing-proxy serve --workers` over the simulated ERP and one Redis."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pricing_proxy.children import tied
from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.demo.plan import SECRET, SECRET_NAME, free_ports
from tests.bench.programs import SYSTEMS, BenchError, process, program, start_sandbox, wait_for
from tests.wire.callers import KEYS

REPLICAS = 2
_CONFIGURATION = (
    SYSTEMS
    + """
[redis]
url = "redis://127.0.0.1:{redis}/0"

[service]
public = {{ host = "127.0.0.1", port = {port} }}
admin = {{ host = "127.0.0.1", port = 0 }}

[[api_keys]]
name = "shop"
sha256 = "{key_hash}"
scopes = ["prices"]
"""
)
_END_SECONDS = 30.0


@dataclass
class Replica:
    """One replica, which may be ended and started again on its port."""

    name: str
    port: int
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its prices are."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 -- our own program
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, SECRET_NAME: SECRET},
                start_new_session=True,
                **tied(),
            )

    def until_ready(self) -> None:
        """Return when all its workers can answer; raises `BenchError`."""
        wait_for(f"{self.url}/health/ready")

    def terminate(self) -> int:
        """Ask it to end, and return its exit code; raises `BenchError` where it does not."""
        if self.process is None:
            raise BenchError(f"{self.name} does not run")
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self.name} did not end; it said: {self.last_words}") from None

    def kill(self) -> None:
        """End it at once if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything behind the proxies.

    Attributes:
        replicas: All ready.
        control: The simulated ERP's control port.
    """

    replicas: list[Replica]
    control: int


@contextmanager
def shop(folder: Path, *, workers: int) -> Iterator[Shop]:
    """Start all; on exit, end all."""
    redis_server = shutil.which("redis-server")
    if redis_server is None:
        raise BenchError("missing: redis-server; install with: apt-get install redis-server")
    with ExitStack() as stack:
        fo, entra, redis, control = free_ports(4)
        command = [redis_server, "--port", str(redis), "--bind", "127.0.0.1", "--save", ""]
        stack.enter_context(process(command, folder / "redis.log"))
        start_sandbox(stack, folder, control=control, fo=fo, entra=entra)
        names = {"fo": fo, "entra": entra, "redis": redis, "folder": folder}
        replicas = [_replica(folder, n + 1, names, workers) for n in range(REPLICAS)]
        for replica in replicas:
            stack.callback(replica.kill)
            replica.start()
        for replica in replicas:
            replica.until_ready()
        yield Shop(replicas, control)


def _replica(folder: Path, number: int, names: Mapping[str, object], workers: int) -> Replica:
    [port] = free_ports(1)
    file = folder / f"replica-{number}.toml"
    text = _CONFIGURATION.format(**names, port=port, key_hash=hash_of(KEYS[0]))
    file.write_text(text, encoding="utf-8")
    command = [*program("serve"), f"--workers={workers}", f"--config={file}"]
    return Replica(f"replica {number}", port, command, folder / f"replica-{number}.log")
