"""A PostgreSQL for tests: one that is there, or one started for the session.

    from tests.postgres import database_url, postgres, template  # in a conftest.py

Without a server, the embedded one of the `embedded` extra is started; with neither, the
tests are skipped, unless REQUIRE_REAL_SERVICES=1. Every test has a database of its own.
"""

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from sync.engine.database import database

_USUAL_URL = "postgresql://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the URL of a server that lets us create databases."""
    url = os.environ.get("POSTGRES_URL", _USUAL_URL)
    if answers(url):
        yield url
        return
    if os.environ.get("REQUIRE_REAL_SERVICES") == "1":
        pytest.fail("no PostgreSQL answers")
    pytest.skip("no PostgreSQL answers")


@pytest.fixture(scope="session")
def template(postgres: str) -> Iterator[str]:
    """Return the name of a database at the newest schema, to be copied."""
    with _database(postgres) as name:
        asyncio.run(_prepare(url_of(postgres, name)))
        yield name


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """Return the URL of an empty database, dropped afterwards."""
    with _database(postgres) as name:
        yield url_of(postgres, name)


@pytest.fixture
def database_url(postgres: str, template: str) -> Iterator[str]:
    """Return the URL of a database at the newest schema, dropped afterwards."""
    with _database(postgres, template=template) as name:
        yield url_of(postgres, name)


def url_of(server: str, name: str) -> str:
    """Return the URL of a database of a server."""
    return f"{server.rpartition('/')[0]}/{name}"


@contextmanager
def _database(server: str, *, template: str = "template1") -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    mine, original = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(mine, original))
    try:
        yield name
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(mine))


async def _prepare(url: str) -> None:
    async with database(url, connections=2):
        return


def answers(url: str) -> bool:
    """Say whether a PostgreSQL answers there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
