"""A PostgreSQL for tests: one that is there, or one started for the session.

Without a server, the embedded one is started, unless REQUIRE_REAL_SERVICES=1. Every test
has a database of its own: an empty one, or one at the newest schema (`tests/lent_databases.py`).
"""

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sync.engine.embedded_postgres import EmbeddedPostgres
from tests.lent_databases import LentDatabases, fresh_database, url_of

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
def lent_databases(postgres: str) -> Iterator[LentDatabases]:
    """Return what lends databases at the newest schema."""
    with LentDatabases.of(postgres) as lent:
        yield lent


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """Return the URL of an empty database, dropped afterwards."""
    with fresh_database(postgres) as name:
        yield url_of(postgres, name)


@pytest.fixture
def database_url(lent_databases: LentDatabases) -> Iterator[str]:
    """Return the URL of a database at the newest schema, without a row."""
    with lent_databases.lend() as url:
        yield url


@contextmanager
def bench_database() -> Iterator[str]:
    """Yield the URL of an empty database for a program, dropped afterwards."""
    url = os.environ.get("POSTGRES_URL", _USUAL_URL)
    if answers(url):
        with fresh_database(url) as name:
            yield url_of(url, name)
        return
    with _embedded() as own_url, fresh_database(own_url) as name:
        yield url_of(own_url, name)


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
