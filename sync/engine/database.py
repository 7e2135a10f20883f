"""Open the database, at the schema this program is written for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sync.engine.lost_connections import KEEP_ALIVE, never_hand_out_lost
from sync.engine.queue import install
from sync.store.schema import upgrade, version

# A statement that takes longer has met a lock that somebody forgot, or a database in trouble.
_STATEMENT_MS = 30_000


@asynccontextmanager
async def database(url: str, *, connections: int) -> AsyncIterator[AsyncEngine]:
    """Yield the engine of an up-to-date database; closed on exit.

    Args:
        url: `postgresql://` address with its password.
        connections: At most so many at once.

    Raises:
        SchemaVersionError: The database is newer than this program.
        SQLAlchemyError: It cannot be reached or changed.
    """
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=10,
        connect_args={**KEEP_ALIVE, "options": f"-c statement_timeout={_STATEMENT_MS}"},
    )
    # After a restart of the database, nobody is given a connection to the old one.
    never_hand_out_lost(engine)
    try:
        async with engine.begin() as connection:
            await upgrade(connection)
            await install(connection)
        yield engine
    finally:
        await engine.dispose()


async def schema_version(url: str) -> str | None:
    """Return the version of a database without changing it; raises `SQLAlchemyError`."""
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        connect_args={"connect_timeout": 5},
    )
    try:
        async with engine.connect() as connection:
            return await version(connection)
    finally:
        await engine.dispose()
