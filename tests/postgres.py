"""A PostgreSQL for tests: one that is there, or one started for the session.

    from tests.postgres import database_url, postgres, template  # in a conftest.py

Without a server, the embedded one is started, unless REQUIRE_REAL_SERVICES=1. Every test
has a database of its own.
"""

import asyncio
import os
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from sync.engine.database import database
from sync.engine.embedded_postgres import EmbeddedPostgres

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
    with _embedded() as own_url:
        yield own_url


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


@contextmanager
def bench_database() -> Iterator[str]:
    """Yield the URL of an empty database for a program, dropped afterwards."""
    url = os.environ.get("POSTGRES_URL", _USUAL_URL)
    if answers(url):
        with _database(url) as name:
            yield url_of(url, name)
        return
    with _embedded() as own_url, _database(own_url) as name:
        yield url_of(own_url, name)


def url_of(server: str, name: str) -> str:
    """Return the URL of a database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


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


@contextmanager
def _embedded() -> Iterator[str]:
    """Run the embedded server on a loop of its own, beside those of the tests."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        # An unprivileged user may have to enter it.
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "sync")
        try:
            asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(120)
            yield server.url
            asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(60)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def answers(url: str) -> bool:
    """Say whether a PostgreSQL answers there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
