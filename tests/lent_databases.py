"""Databases at the newest schema, lent to one test after another.

Making and dropping one took longer than most of the tests in it. A database that comes back is
emptied and lent again; one that differs from a new one in anything but rows is dropped.
"""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from sync.engine.database import database

_OTHERS: LiteralString = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES: LiteralString = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
"""
# Columns, indexes, constraints, triggers, functions and settings.
_SHAPE: LiteralString = """
SELECT md5(string_agg(each, ';' ORDER BY each)) FROM (
    SELECT format('%s %s %s %s %s', c.relname, a.attname, a.atttypid, a.attnotnull, a.atthasdef)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.oid >= 16384 AND c.relkind <> 't' AND c.relnamespace <> 'pg_toast'::regnamespace
    UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('%s %s', proname, prosrc) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT format('%s', s.setconfig) FROM pg_db_role_setting s
    JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()
) AS found (each)
"""
_SEQUENCES: LiteralString = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _New:
    """What a database is when nobody has used it yet: its shape, and the rows of its tables."""

    shape: str
    rows: dict[tuple[str, str], str | None]


class LentDatabases:
    """Lends databases of one server.

    Args:
        server: URL of its own database.
        template: Name of a database at the newest schema, which is copied.
    """

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._idle: list[str] = []
        with _connected(url_of(server, template)) as connection:
            self._new = _found(connection)
        self._made: list[str] = []

    @classmethod
    @contextmanager
    def of(cls, server: str) -> Iterator["LentDatabases"]:
        """Yield one, and drop all its databases at the end."""
        with fresh_database(server) as template:
            asyncio.run(_prepare(url_of(server, template)))
            lent = cls(server, template)
            try:
                yield lent
            finally:
                for name in lent._made:
                    _drop(server, name)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Yield the URL of a database that is as new."""
        name = self._idle.pop() if self._idle else self._make()
        try:
            yield url_of(self._server, name)
        finally:
            if self._is_as_new(name):
                self._idle.append(name)
            else:
                self._made.remove(name)
                _drop(self._server, name)

    def _make(self) -> str:
        name = _create(self._server, template=self._template)
        self._made.append(name)
        return name

    def _is_as_new(self, name: str) -> bool:
        """Empty a database; return whether nothing else tells it from a new one."""
        try:
            with _connected(url_of(self._server, name)) as connection:
                connection.execute(_OTHERS)
                if connection.info.parameter_status("is_superuser") != "on":
                    return False
                # Rows may go in any order.
                connection.execute("SET session_replication_role = replica")
                for table, kept in self._new.rows.items():
                    if kept is None:
                        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)))
                connection.execute(_SEQUENCES)
                return _found(connection) == self._new
        except psycopg.Error:
            return False


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Yield the name of a new, empty database."""
    name = _create(server, template="template1")
    try:
        yield name
    finally:
        _drop(server, name)


@contextmanager
def copied_database(server: str, original: str) -> Iterator[str]:
    """Yield the name of a copy of a database that nobody is connected to: a backup of it."""
    name = _create(server, template=original)
    try:
        yield name
    finally:
        _drop(server, name)


def url_of(server: str, name: str) -> str:
    """Return the URL of a database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)


def _create(server: str, *, template: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    mine, original = sql.Identifier(name), sql.Identifier(template)
    with _connected(server) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(mine, original))
        # No test of these ends its server: whether a commit is on the disk yet is nobody's matter,
        # and waiting for it took most of the time where others use the disk.
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(mine))
    return name


def _drop(server: str, name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with _connected(server) as connection:
        connection.execute(statement.format(sql.Identifier(name)))


async def _prepare(url: str) -> None:
    async with database(url, connections=2):
        return


def _found(connection: psycopg.Connection) -> _New:
    [(shape,)] = connection.execute(_SHAPE).fetchall()
    tables = [(schema, table) for schema, table in connection.execute(_TABLES)]
    rows = sql.SQL("SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {} AS t")
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, ({})").format(place, rows.format(sql.Identifier(*table)))
        for place, table in enumerate(tables)
    )
    found: dict[int, str | None] = dict(connection.execute(asked).fetchall())
    return _New(shape=shape, rows={table: found[place] for place, table in enumerate(tables)})
