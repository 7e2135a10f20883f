"""Try whether PostgreSQL's notifications arrive, as workers are woken by them.

A pooler in transaction mode (PgBouncer on port 6432, as a managed PostgreSQL offers it) gives a
connection of its own to each transaction: whoever listened is on another one by then, and
statements that were prepared are not there either. Nothing says so but a notification that does
not arrive.
"""

from contextlib import AsyncExitStack
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection, sql

PostgresError = psycopg.Error
"""What any of its connections raises."""

POOLED = (
    "a pooler in transaction mode is before it: notifications are lost, prepared statements fail"
)
"""What is wrong where none arrives."""
DIRECTLY = (
    "Name PostgreSQL's own port in sync.postgres.url (as a rule 5432 and not 6432), or a pool in "
    "session mode"
)
"""What to do about it."""

# A millisecond on an idle server; more is a busy one.
_PATIENCE_SECONDS = 2.0


async def hears_notifications(url: str) -> bool:
    """Return whether who listens at an address hears what is told there; nothing is written.

    Args:
        url: Of the database, with its password.

    Raises:
        PostgresError: It cannot be reached.
    """
    return await _hears(url, url)


async def _hears(listening_at: str, told_at: str) -> bool:
    channel = sql.Identifier(f"check_{uuid4().hex}")
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(await _connected(listening_at))
        teller = await stack.enter_async_context(await _connected(told_at))
        await listener.execute(sql.SQL("LISTEN {}").format(channel))
        await teller.execute(sql.SQL("NOTIFY {}").format(channel))
        async for _ in listener.notifies(timeout=_PATIENCE_SECONDS, stop_after=1):
            return True
    return False


async def _connected(url: str) -> AsyncConnection:
    # Nothing is prepared: of that a pooler would complain before it could be told apart.
    return await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=5, prepare_threshold=None
    )
