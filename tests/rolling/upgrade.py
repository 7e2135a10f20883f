"""Upgrade workers of the sync one after the other, the schema first, while orders come in."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

from pricing_proxy.children import tied
from tests.chaos.configuration import Tuning, secrets
from tests.chaos.figures import Figure, verdict
from tests.chaos.processes import ChaosError, Worker
from tests.chaos.stage import Stage, stage
from tests.postgres import bench_database
from tests.rolling.options import Options
from tests.rolling.versions import Version, versions

_LATENCY_MS = 20
_COMMAND_SECONDS = 120.0
# A table that is locked for longer than five seconds is tried again, as the chart's job does.
_TRIES = 5
_ORDER_PAUSE_SECONDS = 0.2
_STATES = "SELECT flow, state, count(*) FROM sync_event GROUP BY 1, 2 ORDER BY 1, 2"


def upgrade(options: Options) -> list[Figure]:
    """Migrate, replace each worker of d365-sync by one of the next version, and one back again."""
    tuning = Tuning(erp_max_request_seconds=10)
    with (
        stage(workers=options.carriers, latency_ms=_LATENCY_MS, tuning=tuning) as on,
        bench_database() as url,
    ):
        before, after = versions(on.configuration.parent, options.since)
        run = _Run(on, url, before, after, options.since, step_seconds=options.step_seconds)
        run.begin()
        with _ordering(on, options.orders) as placed:
            run.step("orders with the version before, on its schema")
            run.migrate()
            run.step("orders with the version before, on the next schema")
            first, *others = on.workers.all
            run.replace(first, before)
            run.step("orders after a worker of it was started anew there")
            run.replace(first, after)
            run.step("orders with both versions side by side")
            for other in others:
                run.replace(other, after)
            run.replace(first, before)
            run.step("orders after one was taken back")
            run.replace(first, after)
        count = run.warmed + len(placed)
        is_good = on.judged(count, wait_seconds=options.wait_seconds)
        return [*verdict(is_good), Figure(name="orders", value=str(count)), *run.told()]


@dataclass
class _Run:
    """What is done, and what was seen."""

    on: Stage
    url: str
    before: Version
    after: Version
    since: str | None
    step_seconds: float
    warmed: int = 0
    own: dict[Path, Mapping[str, str]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)

    def begin(self) -> None:
        """Make the schema and start the workers, all of the version before."""
        self._command(self.before, "migrate")
        for worker in self.on.workers.all:
            self.own[worker.log] = worker.variables
            self._become(worker, self.before)
        self.on.workers.start()
        self.warmed = self.on.warm_up()

    def migrate(self) -> None:
        """Bring the schema up to date under the workers."""
        planned = self._command(self.after, "migrate", "--plan")
        began, tries = time.monotonic(), 1
        code, said = self._asked(self.after, "migrate")
        while code and tries < _TRIES:
            code, said = self._asked(self.after, "migrate")
            tries += 1
        if code:
            raise ChaosError(f"the schema was not brought up to date: {said}")
        seconds = time.monotonic() - began
        has_changed = "would be brought" in planned and "was brought" in said
        is_as_it_was = "up to date" in planned and "up to date" in said
        self.figures.append(
            Figure(
                name="the schema, under load",
                value=f"{' '.join(said.split())} ({seconds:.1f} s, tries: {tries})",
                bar="as planned",
                is_met=has_changed or (self.since is not None and is_as_it_was),
            )
        )

    def replace(self, worker: Worker, version: Version) -> None:
        """End a worker as its supervisor does, and start one of a version in its place."""
        self.codes.append(worker.end())
        self._become(worker, version)
        worker.start()
        worker.until_ready()

    def step(self, name: str) -> None:
        """Look for a while how many orders reach the ERP."""
        arrived = len(self.on.released())
        time.sleep(self.step_seconds)
        # On a busy machine it takes longer until the first one is there.
        self.on.until(lambda: len(self.on.released()) > arrived, seconds=_COMMAND_SECONDS, look=1)
        more = len(self.on.released()) - arrived
        self.figures.append(Figure(name=name, value=str(more), bar="> 0", is_met=more > 0))

    def told(self) -> list[Figure]:
        """Return all figures; the judge has spoken."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(_STATES).fetchall()
        logs = [worker.log.read_text("utf-8") for worker in self.on.workers.all]
        tracebacks = sum(log.count("Traceback") for log in logs)
        again = sum(worker.began_again for worker in self.on.workers.all)
        return [
            *self.figures,
            Figure(
                name="workers replaced, each ended with 0",
                value=f"{len(self.codes)}, ended with {sorted(set(map(str, self.codes)))}",
                bar="['0']",
                is_met=set(self.codes) == {0},
            ),
            Figure(
                name="workers that ended by themselves",
                value=str(again),
                bar="0",
                is_met=again == 0,
            ),
            Figure(
                name="tracebacks in their logs",
                value=str(tracebacks),
                bar="0",
                is_met=tracebacks == 0,
            ),
            Figure(name="events", value=", ".join(" ".join(map(str, row)) for row in rows)),
        ]

    def _become(self, worker: Worker, version: Version) -> None:
        """Have a worker be of a version, and told nothing that was for another one."""
        worker.variables = {**self.own[worker.log], **self._variables(version)}

    def _variables(self, version: Version) -> Mapping[str, str]:
        """Return the environment: as in production, workers leave the schema alone."""
        return {
            **secrets(),
            **version.variables,
            "PRICING_PROXY_SYNC__POSTGRES__URL": self.url,
            **({"PRICING_PROXY_SYNC__POSTGRES__MIGRATE": "false"} if version.may_leave else {}),
        }

    def _command(self, version: Version, *words: str) -> str:
        code, said = self._asked(version, *words)
        if code:
            raise ChaosError(f"d365-sync {' '.join(words)} of {version.name}: {said}")
        return said

    def _asked(self, version: Version, *words: str) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-m", "sync", *words, f"--config={self.on.configuration}"],
            env={**os.environ, **self._variables(version)},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            **tied(),
        )
        return done.returncode, (done.stdout or done.stderr).strip()


@contextmanager
def _ordering(on: Stage, count: int) -> Iterator[list[str]]:
    """Have orders placed meanwhile, one after the other, and so many at least."""
    placed: list[str] = []
    is_over = threading.Event()
    # A session of its own: the stage's is used meanwhile.
    session = requests.Session()
    session.trust_env = False

    def place() -> None:
        while len(placed) < count or not is_over.is_set():
            body = {"count": 1, "kind": "mixed"}
            answer = session.post(f"{on.control_url}/systems/magento/orders", json=body, timeout=60)
            answer.raise_for_status()
            placed.append(answer.json()["orders"][0]["increment_id"])
            time.sleep(_ORDER_PAUSE_SECONDS)

    thread = threading.Thread(target=place)
    thread.start()
    try:
        yield placed
    finally:
        is_over.set()
        thread.join()
        session.close()
    if len(placed) < count:
        raise ChaosError(f"only {len(placed)} of {count} orders could be placed")
