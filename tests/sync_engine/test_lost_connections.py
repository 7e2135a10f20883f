"""Nobody is given a connection to a server that has closed it."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.engine.lost_connections import is_lost, refuse_lost


async def test_a_connection_that_the_server_ended_is_noticed_without_asking(
    database_url: str,
) -> None:
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    assert not is_lost(connection)
    await refuse_lost(connection)

    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

    assert is_lost(connection)
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await refuse_lost(connection)
    # A pool looks at this, and must not hand it out again.
    assert connection.closed
    assert is_lost(connection)


async def test_a_store_replaces_the_connections_that_the_server_ended(
    store: AsyncEngine, database_url: str
) -> None:
    async with store.connect() as one, store.connect() as other:
        pids = [
            (await each.execute(text("SELECT pg_backend_pid()"))).scalar() for each in (one, other)
        ]
    with psycopg.connect(database_url, autocommit=True) as killer:
        for pid in pids:
            killer.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    async with store.connect() as one, store.connect() as other:
        for each in (one, other):
            assert (await each.execute(text("SELECT pg_backend_pid()"))).scalar() not in pids
