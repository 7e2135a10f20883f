"""Bring a database to the version this program is written for, one process at a time.

During an upgrade programs of two versions work on one database: the newer one brings the schema
up to date, and says in it, as a comment, since which version programs can work on it. An older
one that finds itself there leaves the schema alone and goes on; any other refuses to start.

A migration that only adds (a table, a column with a default) leaves `WORKS_SINCE` as it is. One
that takes away or renames what the version before reads or writes raises it, and is put off to
the minor version after the one that stopped using it.
"""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

_FOLDER = Path(__file__).parent / "migrations"
# Any number that no other program on this database uses for an advisory lock.
SCHEMA_LOCK = 7_283_411_001
WORKS_SINCE = "0018"
"""The oldest version whose programs can work on the newest schema."""

_COMMENT = "programs work since "
_TABLE = "alembic_version"


class SchemaVersionError(Exception):
    """The schema of the database is not one on which this program can work."""


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """One version of the schema.

    Attributes:
        about: What it changes, in one line.
    """

    version: str
    about: str


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How the schema of a database stands.

    Attributes:
        version: None when it has none.
        works_since: The oldest version whose programs can work on it; None where nobody said.
        missing: The steps that this program would take, the first one first.
    """

    version: str | None
    works_since: str | None
    missing: tuple[SchemaStep, ...]

    @property
    def is_newer(self) -> bool:
        """Whether it was made by a newer program than this one."""
        return self.version is not None and self.version not in known_versions()

    @property
    def is_for_us(self) -> bool:
        """Whether this program can work on it, at once or after the missing steps."""
        if not self.is_newer:
            return True
        return self.works_since is not None and self.works_since <= newest_version()


async def upgrade(connection: AsyncConnection) -> None:
    """Run what is missing, in one transaction of the caller's; others wait their turn.

    Raises:
        SchemaVersionError: The database is newer than this program.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})
    await connection.run_sync(_upgrade)


async def require(connection: AsyncConnection) -> None:
    """Raise `SchemaVersionError` unless this program can work on the schema as it is."""
    found = await state(connection)
    _require_for_us(found)
    if found.missing:
        raise SchemaVersionError(
            f"the database has {_words(found.version)}, this program needs {newest_version()}, and "
            "is not to change it (sync.postgres.migrate): first d365-sync migrate, or run --migrate"
        )


async def state(connection: AsyncConnection) -> SchemaState:
    """Return how the schema stands; nothing is changed."""
    return await connection.run_sync(_state)


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
    found = _state(connection)
    _require_for_us(found)
    if found.missing:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(text(f"COMMENT ON TABLE {_TABLE} IS '{_COMMENT}{WORKS_SINCE}'"))


def _require_for_us(found: SchemaState) -> None:
    if not found.is_for_us:
        raise SchemaVersionError(
            f"the database has {_words(found.version)}, this program knows "
            f"{newest_version()}: start the newer version that made it"
        )


def _words(version: str | None) -> str:
    return "no schema" if version is None else f"schema version {version}"


def _state(connection: Connection) -> SchemaState:
    current = _current(connection)
    if current is not None and current not in known_versions():
        return SchemaState(current, _works_since(connection), ())
    script = ScriptDirectory.from_config(_config())
    steps = [SchemaStep(each.revision, each.doc) for each in script.walk_revisions("base", "head")]
    missing = list(takewhile(lambda step: step.version != current, steps))
    return SchemaState(current, _works_since(connection), tuple(reversed(missing)))


def _works_since(connection: Connection) -> str | None:
    said = connection.scalar(
        text("SELECT obj_description(to_regclass(:name), 'pg_class')"), {"name": _TABLE}
    )
    return str(said).removeprefix(_COMMENT) if said is not None else None


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
