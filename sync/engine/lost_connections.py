"""Notice a connection that its server has closed, without asking the server.

A server that ends or restarts closes its sockets, so there is something to read, an end or
a farewell, on a connection that nobody uses. Looking costs no round trip. What breaks
between this look and the statement is an error to the caller, as with any look. A machine
that vanishes closes nothing: `KEEP_ALIVE` has the kernel notice it.
"""

import select
from collections.abc import Mapping

import psycopg
from psycopg import AsyncConnection
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

KEEP_ALIVE: Mapping[str, int] = {
    "connect_timeout": 5,
    # Asked after 5 s of silence, then every 2 s; gone after three questions, so within a lease.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # The same for what was sent and not received, in milliseconds.
    "tcp_user_timeout": 11_000,
}
"""Options of libpq for every connection."""


def is_lost(connection: AsyncConnection) -> bool:
    """Say whether an idle connection has been closed, here or by its server."""
    if connection.closed:
        return True
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    return bool(looking.poll(0))


async def refuse_lost(connection: AsyncConnection) -> None:
    """Raise `psycopg.OperationalError` for a lost one: a pool then takes another."""
    if is_lost(connection):
        # Else the pool, to which it looks well, would hand it out again at once.
        await connection.close()
        raise psycopg.OperationalError("the server has closed this connection")


def never_hand_out_lost(engine: AsyncEngine) -> None:
    """Have an engine's pool open a new connection in place of a lost one."""

    def look(_: object, entry: ConnectionPoolEntry, __: object) -> None:
        connection = entry.driver_connection
        if isinstance(connection, AsyncConnection) and is_lost(connection):
            raise DisconnectionError("the server has closed this connection")

    event.listen(engine.sync_engine, "checkout", look)
