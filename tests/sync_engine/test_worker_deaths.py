"""Real workers on a real database: what they promise when they are stopped, killed or cut off."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.children import tied
from sync.engine import queue
from sync.engine.database import database
from sync.engine.embedded_postgres import EmbeddedPostgres
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.queue import queue_application
from sync.engine.sweep import Sweep
from sync.engine.workers import Workers
from sync.store.flow_control import FlowControl
from tests.patience import PATIENCE_SECONDS
from tests.sync_engine.engine import MARKET, Engine
from tests.sync_engine.test_workers import working
from tests.sync_engine.worker_program import LEASE, written_keys


async def until_ended(engine: Engine, count: int) -> None:
    """Return when so many events are ended."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        async with engine.database.connect() as connection:
            found = await connection.execute(
                text("SELECT count(*) FROM sync_event WHERE state IN ('done', 'skipped')")
            )
            if found.scalar_one() >= count:
                return
        await asyncio.sleep(0.05)
    pytest.fail(f"fewer than {count} events ended")


@pytest.mark.real_services
async def test_a_chain_of_one_document_takes_no_poll_for_each_link(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ending a job wakes the next of its lock, in their order."""
    monkeypatch.setattr(queue, "POLL_SECONDS", 3600.0)
    async with working(engine, database_url):
        for number in range(6):
            await engine.receive("1", task=str(number))
        await until_ended(engine, 6)

    assert engine.orders.carried == ["1"] * 6


@pytest.mark.real_services
async def test_workers_survive_the_loss_of_every_connection(
    engine: Engine, database_url: str
) -> None:
    """As when the database restarts under load: nothing is lost, and order is kept."""

    async def carry(_: Work) -> Done:
        await asyncio.sleep(0.02)
        return Done()

    engine.orders.carry_with = carry
    async with working(engine, database_url):
        for number in range(40):
            await engine.receive(str(number))
        for _ in range(3):
            await asyncio.sleep(0.3)
            cut_all_connections(database_url)
        await until_ended(engine, 40)

    assert set(engine.orders.carried) == {str(number) for number in range(40)}


def cut_all_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Return the file that stands for the other system."""
    path = tmp_path / "ledger"
    path.touch()
    return path


@contextmanager
def processes(url: str, ledger: Path) -> Iterator[Start]:
    """Yield a function that starts a worker process and waits until it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "tests.sync_engine.worker_program", url, str(ledger)],
            stdout=subprocess.PIPE,
            **tied(),
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ready")
        return process

    try:
        yield start
    finally:
        for process in started:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


async def until_sent(engine: Engine) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with engine.database.connect() as connection:
                if (await connection.execute(text("SELECT 1 FROM sync_attempt"))).first():
                    return
            await asyncio.sleep(0.05)


@pytest.mark.real_services
async def test_what_a_killed_worker_carried_is_finished_by_another(
    engine: Engine, database_url: str, ledger: Path
) -> None:
    with processes(database_url, ledger) as start:
        first = await asyncio.to_thread(start)
        await engine.receive("1", seconds=600)
        await until_sent(engine)
        first.kill()
        await engine.execute("UPDATE sync_event SET payload = '{}'")
        await asyncio.to_thread(start)
        await until_ended(engine, 1)

    assert written_keys(str(ledger)) == ["1"]


@pytest.mark.real_services
async def test_a_worker_that_wakes_after_its_lease_writes_nothing(
    engine: Engine, database_url: str, ledger: Path
) -> None:
    """Stopped between its journal entry and the wire, it finds its fence lost."""
    with processes(database_url, ledger) as start:
        first = await asyncio.to_thread(start)
        await engine.receive("1", seconds=1)
        await until_sent(engine)
        first.send_signal(signal.SIGSTOP)
        await engine.execute("UPDATE sync_event SET payload = '{}'")
        await asyncio.to_thread(start)
        await until_ended(engine, 1)
        first.send_signal(signal.SIGCONT)
        await asyncio.sleep(1.5)

    assert written_keys(str(ledger)) == ["1"]


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Return a folder that an unprivileged user may enter, as the server is one under root."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "sync"


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT], ids=["killed", "restarted"])
async def test_a_database_that_ends_twice_under_load_loses_nothing(
    server_folder: Path, way: signal.Signals
) -> None:
    """Each event that was entered ends, also those whose end the database forgot."""
    async with (
        EmbeddedPostgres(server_folder) as server,
        database(server.url, connections=10) as store,
    ):
        engine = Engine(store)
        for number in range(30):
            await engine.receive(str(number))
        app = queue_application(server.url, engine.runner.carry, connections=4)
        lines = [("orders", MARKET)]
        async with (
            app.open_async(),
            Sweep(store, engine.queue, lease=LEASE),
            Workers(app, FlowControl(store), lines=lines, concurrency=4, lease=LEASE),
        ):
            for count in (5, 20):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while len(engine.orders.carried) < count:  # noqa: ASYNC110 -- as below
                        await asyncio.sleep(0.01)
                await end_server(server, way)
            await until_all_ended(engine, 30)

    assert set(engine.orders.carried) == {str(number) for number in range(30)}


async def end_server(server: EmbeddedPostgres, way: signal.Signals) -> None:
    """End it; its owner starts it again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (pid := server.server_pid) is None:  # noqa: ASYNC110 -- a process tells nobody
            await asyncio.sleep(0.01)
    os.kill(pid, way)


async def until_all_ended(engine: Engine, count: int) -> None:
    """As `until_ended`, of a database that is away at times."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await until_ended(engine, count)
            except SQLAlchemyError:
                await asyncio.sleep(0.1)
            else:
                return
