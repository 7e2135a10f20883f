"""Redis as it stands in production, started for one session: a Cluster of three, a Sentinel.

    from tests.redis_servers import guarded_sentinel, redis_cluster, redis_sentinel

All are skipped without redis-server on PATH, unless REQUIRE_REAL_SERVICES=1.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis as blocking

from pricing_proxy.children import tied
from tests.patience import PATIENCE_SECONDS

__all__ = [
    "PASSWORD",
    "SENTINEL_PASSWORD",
    "ServiceBehindSentinel",
    "guarded_sentinel",
    "redis_cluster",
    "redis_sentinel",
]

PASSWORD, SENTINEL_PASSWORD = "open~server", "open~sentinel"

_PROGRAM = "redis-server"
_SLOTS = 16_384
_NODES = 3
# A node's bus listens that much above its port; both must be free and valid.
_BUS = 10_000
_HIGHEST_PORT = 65_535
_SERVICE = "prices"


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a three-node Cluster, whose slots are all served."""
    program = _program()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(_node(program, tmp_path_factory.mktemp(f"node{number}")))
            for number in range(_NODES)
        ]
        _join(clients)
        ports = [_port_of(client) for client in clients]
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports)


@dataclass(frozen=True, kw_only=True)
class ServiceBehindSentinel:
    """A master with one replica and one Sentinel that may fail over at once.

    Attributes:
        address: As configured.
        sentinel: Speaks to the Sentinel.
    """

    address: str
    sentinel: blocking.Redis

    def master_port(self) -> int:
        """Return the port of the server that takes writes."""
        found = _ask(self.sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", _SERVICE)
        return int(found[1])

    def fail_over(self) -> None:
        """Make the replica the master, and return once the Sentinel says so."""
        before = self.master_port()
        # Refused until the Sentinel has seen the replica.
        _wait(self._is_begun, "no failover begins")
        _wait(lambda: self.master_port() != before, "no other master")

    def _is_begun(self) -> bool:
        try:
            _ask(self.sentinel, "SENTINEL", "FAILOVER", _SERVICE)
        except blocking.ResponseError:
            return False
        return True


@pytest.fixture
def redis_sentinel(tmp_path: Path) -> Iterator[ServiceBehindSentinel]:
    """Return a fresh service, since failing over changes it."""
    program = _program()
    with ExitStack() as stack:
        master = stack.enter_context(_server(program, tmp_path / "master", ()))
        port = _port_of(master)
        replica = stack.enter_context(
            _server(program, tmp_path / "replica", ("--replicaof", f"127.0.0.1 {port}"))
        )
        _wait(
            lambda: _ask(replica, "INFO", "replication").get("master_link_status") == "up",
            "the replica does not follow",
        )
        sentinel = stack.enter_context(_watch(program, tmp_path / "sentinel", port))
        yield ServiceBehindSentinel(
            address=f"redis+sentinel://127.0.0.1:{_port_of(sentinel)}/{_SERVICE}/0",
            sentinel=sentinel,
        )


@pytest.fixture
def guarded_sentinel(tmp_path: Path) -> Iterator[str]:
    """Return the address of a service whose server and whose Sentinel ask for passwords."""
    program = _program()
    with ExitStack() as stack:
        options = ("--requirepass", PASSWORD)
        master = stack.enter_context(
            _server(program, tmp_path / "master", options, password=PASSWORD)
        )
        more = f"requirepass {SENTINEL_PASSWORD}\nsentinel auth-pass {_SERVICE} {PASSWORD}\n"
        sentinel = stack.enter_context(
            _watch(
                program,
                tmp_path / "sentinel",
                _port_of(master),
                more=more,
                password=SENTINEL_PASSWORD,
            )
        )
        yield f"redis+sentinel://127.0.0.1:{_port_of(sentinel)}/{_SERVICE}/0"


def _program() -> str:
    program = shutil.which(_PROGRAM)
    if program is None:
        if os.environ.get("REQUIRE_REAL_SERVICES") == "1":
            pytest.fail(f"{_PROGRAM} is not on PATH")
        pytest.skip(f"{_PROGRAM} is not on PATH")
    return program


@contextmanager
def _node(program: str, folder: Path) -> Iterator[blocking.Redis]:
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    with _server(program, folder, options) as client:
        yield client


def _join(clients: Sequence[blocking.Redis]) -> None:
    share = -(-_SLOTS // len(clients))
    for number, client in enumerate(clients):
        first = number * share
        last = min(first + share, _SLOTS) - 1
        _ask(client, "CLUSTER", "ADDSLOTSRANGE", first, last)
        _ask(client, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for client in clients[1:]:
        _ask(client, "CLUSTER", "MEET", "127.0.0.1", _port_of(clients[0]))
    _wait(lambda: all(_is_whole(client) for client in clients), "the Cluster does not form")


def _is_whole(client: blocking.Redis) -> bool:
    known = _ask(client, "CLUSTER INFO")
    return known["cluster_state"] == "ok" and int(known["cluster_known_nodes"]) == _NODES


def _ask(client: blocking.Redis, *words: str | int) -> Any:
    return client.execute_command(*words)  # type: ignore[no-untyped-call]


@contextmanager
def _watch(
    program: str, folder: Path, master_port: int, *, more: str = "", password: str | None = None
) -> Iterator[blocking.Redis]:
    folder.mkdir()
    file = folder / "sentinel.conf"
    file.write_text(
        f"sentinel monitor {_SERVICE} 127.0.0.1 {master_port} 1\n"
        f"sentinel down-after-milliseconds {_SERVICE} 1000\n{more}",
        encoding="utf-8",
    )
    with _server(program, folder, ("--sentinel",), file=file, password=password) as client:
        yield client


@contextmanager
def _server(
    program: str,
    folder: Path,
    options: Sequence[str],
    *,
    file: Path | None = None,
    password: str | None = None,
) -> Iterator[blocking.Redis]:
    """Start a process on a free port, and yield a client of it once it answers."""
    folder.mkdir(exist_ok=True)
    port = _free_port()
    usual = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    if file is None:
        usual += ["--save", "", "--repl-diskless-sync-delay", "0"]
    process = subprocess.Popen(  # noqa: S603 -- a program from PATH with arguments of ours
        [program, *([str(file)] if file else []), *usual, *options],
        stdout=subprocess.DEVNULL,
        **tied(),
    )
    client = blocking.Redis(port=port, socket_timeout=5, password=password)
    try:
        _wait(lambda: _answers(client), f"nothing answers on {port}")
        yield client
    finally:
        client.close()
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _answers(client: blocking.Redis) -> bool:
    try:
        return bool(client.ping())
    except (blocking.RedisError, OSError):
        return False


def _port_of(client: blocking.Redis) -> int:
    return int(client.connection_pool.connection_kwargs["port"])


def _wait(holds: Callable[[], bool], otherwise: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            pytest.fail(otherwise)
        time.sleep(0.05)  # a real process takes real time


def _free_port() -> int:
    """Return a port that is free, and whose bus port is too."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if port + _BUS > _HIGHEST_PORT:
                port -= 20_000
            try:
                bus.bind(("127.0.0.1", port + _BUS))
            except OSError:
                continue
            return port
