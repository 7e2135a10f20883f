"""The demo of compose.yaml: our programs from the image, stores of this machine.

All of it shares one network, as the demo's programs do in Compose; the stores' names are its
loopback. Whoever calls has a network of its own (`unshare --net`), so no port is taken.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from pricing_proxy.children import tied
from sync.engine.postgres_programs import account, programs
from tests.deploy.container.building import ImageError, image_configuration
from tests.deploy.container.running import Container, Setup
from tests.deploy.files import DEPLOY, read_yaml

SERVICES: Mapping[str, Any] = read_yaml("compose/compose.yaml")["services"]
HEALTHY_SECONDS = 60.0
_HOSTS = "127.0.0.1 localhost redis postgres serve sync\n"
_STORE_SECONDS = 30.0
_SERVER = "postgresql://postgres@127.0.0.1/postgres"
_POOLER = """\
[databases]
sync = host=127.0.0.1 port=5432

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 6432
unix_socket_dir =
auth_type = trust
auth_file = {place}/users
pool_mode = transaction
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the services of the demo find their volumes.

    Attributes:
        folder: Of this trial; every user may enter it.
        user: Whom the image's programs run as.
    """

    folder: Path
    user: int

    @classmethod
    def in_folder(cls, folder: Path) -> "Demo":
        """Make the volumes and the table of hosts."""
        folder.chmod(0o755)
        demo = cls(folder, image_configuration()["process"]["user"]["uid"])
        (folder / "hosts").write_text(_HOSTS, encoding="ascii")
        (folder / "containers").mkdir()
        return demo

    def container(
        self,
        service: str,
        *,
        more_mounts: Mapping[str, tuple[Path, bool]] = MappingProxyType({}),
        **changed: Any,
    ) -> Container:
        """Return a container of a service, not yet started.

        Args:
            service: Its name in compose.yaml.
            more_mounts: Over those that are there.
            changed: What is otherwise than there, by the names of `Setup`.
        """
        told = SERVICES[service]
        entry, *command = image_configuration()["process"]["args"]
        arguments = (*told.get("entrypoint", [entry]), *told.get("command", command))
        mounts = {"/etc/hosts": (self.folder / "hosts", False)}
        for volume in told["volumes"]:
            source, place, *how = volume.split(":")
            mounts[place] = (self._source(source), how != ["ro"])
        mounts |= more_mounts
        setup = {"name": service, "arguments": arguments, "mounts": mounts}
        setup["environment"] = {name: str(text) for name, text in told["environment"].items()}
        return Container(Setup(**{**setup, **changed}), self.folder / "containers")

    def _source(self, named: str) -> Path:
        if named.startswith("."):
            return (DEPLOY / "compose" / named).resolve()
        volume = self.folder / f"volume-{named}"
        volume.mkdir(exist_ok=True)
        # A new volume is as the image's folder is.
        os.chown(volume, self.user, self.user)
        return volume


def until_healthy(container: Container, service: str) -> None:
    """Wait until what compose.yaml asks for a service's health says yes."""
    kind, *command = SERVICES[service]["healthcheck"]["test"]
    if kind != "CMD":
        raise ImageError(f"compose.yaml: the health of {service} is asked by {kind}, not by CMD")
    container.until(*command, seconds=HEALTHY_SECONDS)


def grace_seconds(service: str) -> float:
    """Return how long compose.yaml lets a service end."""
    found = re.fullmatch(r"(\d+)s", SERVICES[service]["stop_grace_period"])
    if found is None:
        raise ImageError(f"compose.yaml: stop_grace_period of {service} is no number of seconds")
    return float(found[1])


@contextmanager
def redis(folder: Path, **options: str) -> Iterator[None]:
    """Run Redis as compose.yaml does.

    Args:
        folder: Where its folder is made.
        options: What is otherwise, by the names of its options with `_` for `-`.
    """
    place = folder / "redis"
    place.mkdir()
    command = list(SERVICES["redis"]["command"])
    for name, text in options.items():
        command += [f"--{name.replace('_', '-')}", text]
    with _started([*command, "--bind", "127.0.0.1"], place, is_up=_redis_answers):
        yield
    shutil.rmtree(place)


@contextmanager
def postgres(folder: Path) -> Iterator[None]:
    """Run an empty PostgreSQL with the user and the database of compose.yaml."""
    place = folder / "postgres"
    place.mkdir()
    data = place / "data"
    who = account()
    who.own(place)
    binaries = programs(who, data)
    made = [str(binaries / "initdb"), "--pgdata", str(data), "--username", "postgres"]
    made += ["--auth", "trust", "--encoding", "UTF8", "--no-instructions"]
    done = subprocess.run(
        made, cwd="/", capture_output=True, text=True, check=False, **who.options(), **tied()
    )
    if done.returncode != 0:
        raise ImageError(f"no database could be made: {done.stderr}")
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(place)]
    command += ["-c", "listen_addresses=127.0.0.1"]
    with _started(command, place, is_up=_postgres_answers, **who.options()):
        with psycopg.connect(_SERVER, autocommit=True) as connection:
            connection.execute("CREATE USER sync")
            connection.execute("CREATE DATABASE sync OWNER sync")
        yield


@contextmanager
def pooler(folder: Path) -> Iterator[None]:
    """Run PgBouncer in transaction mode before PostgreSQL, as managed databases offer it."""
    place = folder / "pooler"
    place.mkdir()
    who = account()
    who.own(place)
    (place / "users").write_text('"sync" ""\n', encoding="ascii")
    (place / "pooler.ini").write_text(_POOLER.format(place=place), encoding="ascii")
    command = ["pgbouncer", str(place / "pooler.ini")]
    with _started(command, place, is_up=_pooler_answers, **who.options()):
        yield


@contextmanager
def _started(
    command: list[str], folder: Path, *, is_up: Callable[[], bool], **options: Any
) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **options,
            **tied(),
        )
    try:
        end = time.monotonic() + _STORE_SECONDS
        while not is_up():
            if process.poll() is not None or time.monotonic() > end:
                said = (folder / "log").read_text(encoding="utf-8", errors="replace")
                raise ImageError(f"{command[0]} does not answer; it said:\n{said[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def _redis_answers() -> bool:
    try:
        return bool(Redis(host="127.0.0.1").ping())
    except RedisError:
        return False


def _postgres_answers() -> bool:
    return _answers(_SERVER)


def _pooler_answers() -> bool:
    return _answers("postgresql://sync@127.0.0.1:6432/sync")


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
