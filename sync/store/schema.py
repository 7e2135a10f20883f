"""Bring a database to the version this program is written for, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

_FOLDER = Path(__file__).parent / "migrations"
# Any number that no other program on this database uses for an advisory lock.
SCHEMA_LOCK = 7_283_411_001


class SchemaVersionError(Exception):
    """The database was made by a newer version of this program."""


async def upgrade(connection: AsyncConnection) -> None:
    """Run what is missing, in one transaction of the caller's; others wait their turn.

    Raises:
        SchemaVersionError: The database is newer than this program.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})
    await connection.run_sync(_upgrade)


async def version(connection: AsyncConnection) -> str | None:
    """Return the database's schema version, None when it has none."""
    return await connection.run_sync(_current)


def newest_version() -> str:
    """Return the version this program is written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise SchemaVersionError("the program lacks its migrations; install it again")
    return head


def known_versions() -> frozenset[str]:
    """Return every version that this program can bring up to date."""
    script = ScriptDirectory.from_config(_config())
    return frozenset(each.revision for each in script.walk_revisions())


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaVersionError(
            f"the database has schema version {_current(connection)}, this program knows "
            f"{newest_version()}: start the newer version that made it"
        ) from error


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
