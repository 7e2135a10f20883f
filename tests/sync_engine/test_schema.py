"""Programs of two versions on one database, as while workers are upgraded one after the other."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from sync.engine import database as databases
from sync.engine.database import database, migrate, schema_state
from sync.store import schema
from sync.store.schema import WORKS_SINCE, SchemaVersionError, known_versions, newest_version
from sync.store.states import EventState
from tests.sync_engine.engine import Engine

NEWER = """\
'''Note by whom an event was looked at.'''
import sqlalchemy as sa
from alembic import op
revision = "9000"
down_revision = "{before}"
def upgrade():
    op.add_column("sync_event", sa.Column("seen_by", sa.Text, nullable=False, server_default=""))
"""

Upgraded = Callable[[str], None]


@pytest.fixture
def newer_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upgraded:
    """Return what makes this the next version, whose schema works since another one."""

    def become(works_since: str) -> None:
        folder = tmp_path / "newer"
        shutil.copytree(schema._FOLDER, folder)
        (folder / "versions" / "9000.py").write_text(NEWER.format(before=newest_version()))
        monkeypatch.setattr(schema, "_FOLDER", folder)
        monkeypatch.setattr(schema, "WORKS_SINCE", works_since)

    return become


def to(connection: Connection, version: str) -> None:
    config = schema._config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def test_the_newest_schema_works_since_a_version_that_there_is() -> None:
    assert WORKS_SINCE in known_versions()
    assert newest_version() >= WORKS_SINCE


async def test_a_worker_goes_on_and_begins_anew_on_the_schema_of_the_next_version(
    database_url: str, newer_program: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database(database_url, connections=4) as before_it:
        with monkeypatch.context():
            newer_program(WORKS_SINCE)
            found = await migrate(database_url)
        assert [step.version for step in found.missing] == ["9000"]
        monkeypatch.undo()

        engine = Engine(before_it)
        event = await engine.receive("1")
        await engine.carry(event)
        assert await engine.state(event) is EventState.DONE

    async with database(database_url, connections=2) as begun_after_it:
        state = await schema_state(database_url)
        assert (state.version, state.is_newer, state.is_for_us) == ("9000", True, True)
        assert await Engine(begun_after_it).state(event) is EventState.DONE


@pytest.mark.parametrize("works_since", ["9000", None])
async def test_a_program_that_the_schema_is_too_new_for_does_not_start(
    database_url: str,
    newer_program: Upgraded,
    monkeypatch: pytest.MonkeyPatch,
    works_since: str | None,
) -> None:
    newer_program(works_since or "9000")
    await migrate(database_url)
    monkeypatch.undo()
    if works_since is None:
        engine = create_async_engine(dialect(database_url))
        async with engine.begin() as connection:
            await connection.execute(text("COMMENT ON TABLE alembic_version IS NULL"))
        await engine.dispose()

    with pytest.raises(SchemaVersionError, match="schema version 9000"):
        async with database(database_url, connections=1):
            pass


async def test_what_is_missing_is_told_in_order_and_done_once(empty_database_url: str) -> None:
    engine = create_async_engine(dialect(empty_database_url))
    async with engine.begin() as connection:
        await connection.run_sync(to, "0016")
    await engine.dispose()

    planned = await schema_state(empty_database_url)
    done = await migrate(empty_database_url)
    after = await schema_state(empty_database_url)

    assert planned.version == done.version == "0016"
    assert planned.missing == done.missing
    assert [step.version for step in done.missing][:2] == ["0017", "0018"]
    assert all(step.about for step in done.missing)
    assert (after.version, after.works_since, after.missing) == (newest_version(), WORKS_SINCE, ())
    assert (await migrate(empty_database_url)).missing == ()


async def test_who_holds_a_table_is_not_waited_for_and_nothing_is_changed(
    database_url: str, newer_program: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker that wants the table would wait behind the one that waits to change it."""
    monkeypatch.setattr(databases, "_LOCK_MS", 50)
    newer_program(WORKS_SINCE)
    engine = create_async_engine(dialect(database_url))
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE sync_event IN ACCESS SHARE MODE"))
        with pytest.raises(SQLAlchemyError):
            await migrate(database_url)
    await engine.dispose()
    assert (await schema_state(database_url)).version == version_before()
    assert (await migrate(database_url)).missing != ()


def version_before() -> str:
    """Return the version before the newest."""
    return sorted(known_versions())[-2]


def dialect(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
