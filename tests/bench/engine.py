"""How many events that do nothing the engine carries: python -m tests.bench.engine.

Two worker processes share a backlog, each event with a document of its own. Prints events
per second, and what an event costs in CPU time of workers and database and in commits; on
a machine that others use too, the CPU time says what two idle cores would reach. Takes
about a minute, in a database of its own that is dropped afterwards.
"""

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from pricing_proxy.children import tied
from pricing_proxy.clock import SystemClock
from sync.engine.database import database
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.queue import JobQueue, queue_application
from sync.engine.runner import Runner
from sync.engine.sweep import Sweep
from sync.engine.workers import Workers
from sync.store.events import EventStore
from sync.store.flow_control import FlowControl
from sync.store.journal import Journal

_USUAL_URL = "postgresql://postgres@127.0.0.1:5432/postgres"
_WORKERS, _CONCURRENCY, _MARKET = 2, 8, "b2b_de"
# Worked off before the clock starts: connections are open and plans are made.
_WARM_UP, _MEASURED = 80, 1000
_LONGEST_SECONDS = 120.0
# A pause is obeyed within two.
_OBEYED_SECONDS = 3
_TICKS = os.sysconf("SC_CLK_TCK")


class Nothing:
    """Carries an event by doing nothing."""

    name = "orders"

    async def carry(self, _: Work) -> Done:
        return Done()


async def work(url: str) -> None:
    """Work until killed."""
    async with database(url, connections=8) as store:
        queue = JobQueue()
        runner = Runner(
            database=store,
            events=EventStore(store, queue),
            journal=Journal(store, configuration_hash="c0ffee"),
            flows={"orders": Nothing()},
            clock=SystemClock(),
            give_up_after=20,
        )
        app = queue_application(url, runner.carry, connections=8)
        lines = [("orders", _MARKET)]
        workers = Workers(app, FlowControl(store), lines=lines, concurrency=_CONCURRENCY)
        async with app.open_async(), Sweep(store, queue), workers:
            await asyncio.Event().wait()


async def enter(url: str, count: int, *, prefix: str) -> None:
    """Enter events, while the flow is paused."""
    async with database(url, connections=8) as store:
        events = EventStore(store, JobQueue())

        async def receive(number: int) -> None:
            key = f"{prefix}{number}"
            await events.receive(
                flow="orders",
                market=_MARKET,
                business_key=key,
                source_key=key,
                payload={},
                lock_key=key,
            )

        for first in range(0, count, 8):
            await asyncio.gather(*(receive(first + step) for step in range(8)))


def measure(url: str) -> None:
    """Measure and print."""
    asyncio.run(enter(url, _WARM_UP, prefix="warm-up"))
    command = [sys.executable, "-m", "tests.bench.engine", url]
    processes = [subprocess.Popen(command, **tied()) for _ in range(_WORKERS)]
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            _until_done(connection, _WARM_UP)
            _pause(connection, is_paused=True)
            # Till both obey: an event carried while others are entered would start the clock.
            time.sleep(_OBEYED_SECONDS)
            asyncio.run(enter(url, _MEASURED, prefix="measured"))
            time.sleep(3)  # commits are counted with a delay
            pids = [process.pid for process in processes]
            _pause(connection, is_paused=False)
            commits = _commits(connection)
            worker_cpu, server_cpu = _cpu(pids), _server_cpu(connection)
            seconds = _until_done(connection, _WARM_UP + _MEASURED)
            worker_cpu = _cpu(pids) - worker_cpu
            server_cpu = _server_cpu(connection) - server_cpu
            time.sleep(2)
            commits = _commits(connection) - commits
    finally:
        for process in processes:
            process.kill()
            process.wait()
    each_ms = 1000 / _MEASURED
    cpu = (worker_cpu + server_cpu) * each_ms
    print(
        f"{_MEASURED / seconds:.0f} events/s with {_WORKERS} workers; per event "
        f"{worker_cpu * each_ms:.2f} ms CPU in workers, {server_cpu * each_ms:.2f} ms in "
        f"PostgreSQL, {commits / _MEASURED:.1f} transactions; two idle cores would carry "
        f"{2000 / cpu:.0f} events/s"
    )


def _until_done(connection: psycopg.Connection, count: int) -> float:
    """Return how long it took from the first claim of those that were not done."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE state = 'done'),"
            " extract(epoch FROM max(ended_at) - min(claimed_at)"
            " FILTER (WHERE source_key LIKE 'measured%'))::float FROM sync_event"
        ).fetchone()
        if row is not None and row[0] >= count:
            return float(row[1] or 0)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{row} of {count} events were carried")
        time.sleep(0.1)


def _pause(connection: psycopg.Connection, *, is_paused: bool) -> None:
    connection.execute(
        "INSERT INTO flow_control (flow, market, is_paused, changed_by) VALUES"
        " ('orders', '', %s, 'bench') ON CONFLICT (flow, market)"
        " DO UPDATE SET is_paused = excluded.is_paused",
        [is_paused],
    )


def _commits(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    return int(row[0]) if row else 0


def _server_cpu(connection: psycopg.Connection) -> float:
    rows = connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    ).fetchall()
    return _cpu([row[0] for row in rows])


def _cpu(pids: list[int]) -> float:
    """Return the seconds of CPU time that processes of this machine have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


@contextmanager
def _own_database(server: str) -> Iterator[str]:
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(work(sys.argv[1]))
    else:
        with _own_database(os.environ.get("POSTGRES_URL", _USUAL_URL)) as own:
            measure(own)
