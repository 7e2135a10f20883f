"""The processes under the benchmark: sandbox, Redis, bare handler, and the service twice."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from pricing_proxy.children import tied
from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.demo.plan import SECRET, SECRET_NAME, free_ports

KEY = "bench-key-of-the-benchmark-only"
_START_SECONDS = 60.0
_SETTLE_SECONDS = 12.0
# Enough for a hundred bulbs beside the lamps.
_SKUS = 2400
# Of every configuration here and in `tests.wire`; nothing goes stale during a run.
SYSTEMS = """\
[environments.sandbox]
url = "http://127.0.0.1:{fo}"
tenant = "demo-tenant"
authority = "https://127.0.0.1:{entra}"
ca_file = "{folder}/entra-ca.pem"
time_zone = "Europe/Berlin"
pricing_client_id = "demo-pricing"

[markets.b2b_de]
environment = "sandbox"
legal_entity = "demf"
currency = "EUR"
freshness = {{ soft_seconds = 86400, hard_seconds = 86400 }}
"""
_CONFIGURATION = (
    SYSTEMS
    + """
[redis]
url = "redis://127.0.0.1:{redis}/0"

[service]
demo = true
memory_megabytes = {megabytes}
public = {{ host = "127.0.0.1", port = {port} }}
admin = {{ host = "127.0.0.1", port = {admin} }}

[telemetry]
otlp_endpoint = "http://127.0.0.1:{collector}"

[[api_keys]]
name = "bench"
sha256 = "{key_hash}"
scopes = ["prices"]
"""
)


class BenchError(Exception):
    """The benchmark cannot run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A serving process."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """What the load is sent to."""

    bare: Server
    with_memory: Server
    without_memory: Server
    redis_port: int


@contextmanager
def programs() -> Iterator[Programs]:
    """Start all; on exit, end all."""
    redis_server = shutil.which("redis-server")
    if redis_server is None:
        raise BenchError("install redis-server: an in-process fake would bill its CPU to us")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        fo, entra, redis, control = free_ports(4)
        command = [redis_server, "--port", str(redis), "--bind", "127.0.0.1", "--save", ""]
        stack.enter_context(process(command, folder / "redis.log"))
        start_sandbox(stack, folder, f"--skus={_SKUS}", control=control, fo=fo, entra=entra)
        # It takes the traces as well, so that they are really sent.
        bare = stack.enter_context(_bare(folder))
        names = {"fo": fo, "entra": entra, "redis": redis, "folder": folder}
        names["collector"] = bare.port
        running = Programs(
            redis_port=redis,
            bare=bare,
            with_memory=stack.enter_context(_service("l1", names, folder, megabytes=256)),
            without_memory=stack.enter_context(_service("l2", names, folder, megabytes=0)),
        )
        settle()
        yield running


def settle() -> None:
    """Wait after an invalidation, such as a new ledger: what is loaded sooner soon goes stale."""
    time.sleep(_SETTLE_SECONDS)


def cpu_seconds(server: Server) -> float:
    """Return the CPU time that the process has used, by the kernel's accounting."""
    tasks = Path(f"/proc/{server.pid}/task")
    nanoseconds = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
    return nanoseconds / 1e9


@contextmanager
def _bare(folder: Path) -> Iterator[Server]:
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "tests.bench.bare", str(port)]
    with process(command, folder / "bare.log") as child:
        wait_for(f"http://127.0.0.1:{port}/1")
        yield Server(port, child.pid)


@contextmanager
def _service(
    name: str, names: Mapping[str, object], folder: Path, *, megabytes: int
) -> Iterator[Server]:
    port = free_ports(1)[0]
    text = _CONFIGURATION.format(
        **names, megabytes=megabytes, port=port, admin=free_ports(1)[0], key_hash=hash_of(KEY)
    )
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    command = [*program("serve"), f"--config={file}"]
    with process(command, folder / f"{name}.log", {SECRET_NAME: SECRET}) as child:
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield Server(port, child.pid)


def start_sandbox(
    stack: ExitStack, folder: Path, *more: str, control: int, fo: int, entra: int
) -> None:
    """Start Entra ID and F&O on these ports, as `SYSTEMS` names them; the stack ends them."""
    command = [*program("sandbox"), f"--control-port={control}", f"--fo-port={fo}"]
    command += ["--magento-port=0", f"--entra-port={entra}", f"--state-dir={folder}", *more]
    stack.enter_context(process(command, folder / "sandbox.log"))
    wait_for(f"http://127.0.0.1:{control}/systems/fo/calls")


def program(*arguments: str) -> list[str]:
    """Return how to call this project's program."""
    return [sys.executable, "-m", "pricing_proxy", *arguments]


@contextmanager
def process(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, its output in `log`; on exit, end it."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            **tied(),
        )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for(url: str) -> None:
    """Return when the address answers well; raises `BenchError`."""
    session = requests.Session()
    session.trust_env = False
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        try:
            if session.get(url, timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            time.sleep(0.1)
    raise BenchError(f"nothing useful at {url} after {_START_SECONDS:.0f} s")
