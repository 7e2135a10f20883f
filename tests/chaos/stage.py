"""What a scenario plays on: the sandbox as a process, its control port, and workers."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import requests
from sqlalchemy.ext.asyncio import create_async_engine

from pricing_proxy.children import tied
from sync.store.flow_control import FlowControl
from tests.bench.programs import process, program, wait_for
from tests.chaos.configuration import (
    ERP_SECRET,
    INTAKE_SECRET,
    Ports,
    Tuning,
    secrets,
    unused_ports,
    write_configuration,
)
from tests.chaos.processes import SYNC, ChaosError, Postgres, Worker, Workers
from tests.chaos.returned import count_returns

_MOST_AT_ONCE = 1000
_SKUS = 240
_REQUEST_SECONDS = 60.0
_WELL = {"throttle_rate": 0, "error_rate": 0, "commit_then_drop": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything is up, but no worker has been started.

    Attributes:
        ports: Where things listen.
        configuration: The workers' file.
        workers: Not started yet.
        postgres: Theirs, from the first start on.
        control: Session with the control port.
    """

    ports: Ports
    configuration: Path
    workers: Workers
    postgres: Postgres
    control: requests.Session

    @property
    def control_url(self) -> str:
        """Where dials are turned."""
        return f"http://127.0.0.1:{self.ports.control}"

    @property
    def system_ports(self) -> frozenset[int]:
        """Where workers call the two systems."""
        return frozenset((self.ports.fo, self.ports.magento))

    def place(self, count: int, *, kind: str = "mixed") -> list[str]:
        """Place orders in the shop and return their numbers."""
        numbers: list[str] = []
        while len(numbers) < count:
            body = {"count": min(count - len(numbers), _MOST_AT_ONCE), "kind": kind}
            placed = self.ask("POST", "magento/orders", body)["orders"]
            numbers += [order["increment_id"] for order in placed]
        return numbers

    def placed(self, **members: Any) -> int:
        """Place one order in the shop and return its `entity_id`."""
        [order] = self.ask("POST", "magento/orders", members)["orders"]
        return int(order["entity_id"])

    def act(self, order: int, action: str, **members: Any) -> Any:
        """Let the shop's back office do something to an order."""
        return self.ask("POST", f"magento/orders/{order}/{action}", members)["done"]

    def order(self, count: int, **members: Any) -> None:
        """Place orders of every kind in the shop, as the control port takes them."""
        self.ask("POST", "magento/orders", {"count": count, **members})

    def register(self, **members: Any) -> int:
        """Let somebody register in the shop, and return their id."""
        return int(self.ask("POST", "magento/customers", members)["id"])

    def number_alike(self) -> None:
        """Let every store view and kind of document of the shop number alike."""
        self.ask("PATCH", "magento/dials", {"number_prefix": "4"})

    def accounts_of(self, email: str) -> list[str]:
        """Return the accounts that the ERP has for an e-mail address."""
        rows = [each["customer"] for each in self.ask("GET", "fo/customers", None)]
        return [row["CustomerAccount"] for row in rows if row.get("PrimaryContactEmail") == email]

    def sync(self, *words: str, seconds: float = _REQUEST_SECONDS) -> str:
        """Return what a command of `d365-sync` says; raises `ChaosError` when it fails."""
        code, said = self.asked(*words, seconds=seconds)
        if code:
            raise ChaosError(f"d365-sync {' '.join(words)} ended with {code}: {said.strip()}")
        return said

    def asked(self, *words: str, seconds: float = _REQUEST_SECONDS) -> tuple[int, str]:
        """Return the exit code of a command, and what it says; of one that cannot be done, why."""
        command = [sys.executable, "-m", "sync", *words, f"--config={self.configuration}"]
        done = subprocess.run(
            command,
            env={**os.environ, **secrets()},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            **tied(),
        )
        said: str = done.stdout or done.stderr
        return done.returncode, said

    def dial(self, **members: Any) -> None:
        """Turn the ERP's dials."""
        self.turn("fo", **members)

    def turn(self, system: str, **members: Any) -> None:
        """Turn a system's dials."""
        self.ask("PATCH", f"{system}/dials", members)

    def heal(self) -> None:
        """Turn the ERP's faults off."""
        self.dial(**_WELL)

    def calls(self, system: str) -> int:
        """Return how many calls a system has had."""
        return int(self.ask("GET", f"{system}/calls", None)["total"])

    def released(self) -> set[str]:
        """Return the numbers of the orders that are in the ERP."""
        documents = self.ask("GET", "fo/orders", None)
        return {each["reference"] for each in documents if not each["is_stopped"]}

    def delivered(self) -> set[int]:
        """Return the ids of the shop's orders that have a number of the ERP's."""
        return {order["entity_id"] for order in self.orders() if order["ext_order_id"]}

    def returns(self) -> Counter[int]:
        """Return how many returns of each order of the shop are in the ERP."""
        pages = ("magento/orders", "fo/orders", "fo/returns")
        return count_returns(*(self.ask("GET", page, None) for page in pages))

    def placed_at(self) -> dict[str, str]:
        """Return when each order was placed, by its number."""
        return {order["increment_id"]: order["placed_at"] for order in self.orders()}

    def orders(self) -> list[Any]:
        """Return the shop's orders as judges are shown them."""
        found: list[Any] = self.ask("GET", "magento/orders", None)
        return found

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Return what the workers' database says."""
        with psycopg.connect(self.postgres.url, connect_timeout=5) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def execute(self, statement: str) -> None:
        """Change the workers' database under them."""
        with psycopg.connect(self.postgres.url, connect_timeout=5) as connection:
            connection.execute(statement.encode())

    def pause(self, *, is_paused: bool) -> None:
        """Pause all order flows, or let them go on."""

        async def change() -> None:
            engine = create_async_engine(
                self.postgres.url.replace("postgresql://", "postgresql+psycopg://", 1)
            )
            control = FlowControl(engine)
            await control.set_paused("orders", is_paused=is_paused, reason="chaos", by="chaos")
            await engine.dispose()

        asyncio.run(change())

    def warm_up(self) -> int:
        """Let every customer get an account and every cache its products; return how many orders.

        Raises:
            ChaosError: They did not arrive.
        """
        numbers = self.place(16)
        wanted = set(numbers)
        if not self.until(lambda: wanted <= self.released(), seconds=60, look=0.5):
            raise ChaosError("the first orders did not arrive within a minute")
        return len(numbers)

    def until(self, is_so: Callable[[], bool], *, seconds: float, look: float = 0.1) -> bool:
        """Wait until something is so; return whether it is."""
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                return False
            time.sleep(look)
        return True

    def judged(self, count: int, *words: str, wait_seconds: float) -> bool:
        """Let the judge wait and look, while workers go on; return whether it found no fault."""
        command = [sys.executable, "-m", "tests.chaos.judge", self.control_url, *words]
        command += [f"--count={count}", f"--wait={wait_seconds}"]
        with subprocess.Popen(command, **tied()) as child:
            try:
                while child.poll() is None:
                    self.workers.revive()
                    time.sleep(0.2)
            finally:
                child.kill()
        return child.returncode == 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the control port; raises `requests.HTTPError` when it refuses."""
        address = f"{self.control_url}/systems/{path}"
        answer = self.control.request(method, address, json=body, timeout=_REQUEST_SECONDS)
        answer.raise_for_status()
        return answer.json(parse_float=Decimal)


@contextmanager
def stage(
    *,
    workers: int,
    latency_ms: int,
    tuning: Tuning,
    is_pushed: bool = False,
    has_events: bool = False,
    command: Sequence[str] = SYNC,
    skus: int = _SKUS,
) -> Iterator[Stage]:
    """Set everything up; on exit, also by Ctrl-C, end every process and remove all files.

    Args:
        workers: How many.
        latency_ms: Of the ERP.
        tuning: What is set differently from production.
        is_pushed: Whether the shop tells the first worker of its orders.
        has_events: Whether the ERP tells it of what happens there.
        command: What a worker runs; its configuration file is added.
        skus: How many products both systems have.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        # PostgreSQL may run as an unprivileged user, who has to enter it.
        folder.chmod(0o755)
        ports = unused_ports()
        file = write_configuration(folder, ports, tuning)
        stack.enter_context(
            process(
                [
                    *_sandbox(folder, ports, latency_ms, is_pushed=is_pushed, skus=skus),
                    *([_events_url(ports)] if has_events else []),
                ],
                folder / "sandbox.log",
            )
        )
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.end)
        them = Workers([_worker(folder, n, ports, file, command) for n in range(workers)])
        stack.callback(them.end)
        control = stack.enter_context(requests.Session())
        control.trust_env = False
        wait_for(f"http://127.0.0.1:{ports.control}/systems/fo/calls")
        yield Stage(
            ports=ports, configuration=file, workers=them, postgres=postgres, control=control
        )


def _sandbox(
    folder: Path, ports: Ports, latency_ms: int, *, is_pushed: bool, skus: int
) -> list[str]:
    command = [*program("sandbox"), f"--control-port={ports.control}", f"--fo-port={ports.fo}"]
    command += [f"--entra-port={ports.entra}", f"--magento-port={ports.magento}"]
    command += [f"--state-dir={folder}", f"--latency-ms={latency_ms}", "--account-attribute"]
    command += [f"--skus={skus}"]
    if is_pushed:
        command += [f"--intake-url=http://127.0.0.1:{ports.intake}/v1/events/magento"]
        command += [f"--intake-secret={INTAKE_SECRET}"]
    return command


def _events_url(ports: Ports) -> str:
    return f"--events-url=http://127.0.0.1:{ports.intake}/v1/events/d365/{ERP_SECRET}"


def _worker(folder: Path, number: int, ports: Ports, file: Path, command: Sequence[str]) -> Worker:
    intake, operators = (ports.intake, ports.operators) if number == 0 else (0, 0)
    variables = {
        **secrets(),
        "PRICING_PROXY_SYNC__INTAKE__PORT": str(intake),
        "PRICING_PROXY_SYNC__OPERATORS__PORT": str(operators),
    }
    log = folder / f"worker-{number}.log"
    return Worker([*command, f"--config={file}"], log, variables)
