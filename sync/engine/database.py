"""Open the database, at the schema this program is written for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sync.engine.lost_connections import KEEP_ALIVE, never_hand_out_lost
from sync.engine.queue import install
from sync.store.schema import SchemaState, require, state, upgrade

# A statement that takes longer has met a lock that somebody forgot, or a database in trouble.
_STATEMENT_MS = 30_000
# Workers hold a row's lock for milliseconds; what is held for longer is somebody's session.
_LOCK_MS = 5_000


@asynccontextmanager
async def database(
    url: str, *, connections: int, is_migrated: bool = True
) -> AsyncIterator[AsyncEngine]:
    """Yield the engine of an up-to-date database; closed on exit.

    Args:
        url: `postgresql://` address with its password.
        connections: At most so many at once.
        is_migrated: Whether it is brought up to date here; else it has to be, and nothing is
            asked for but rows.

    Raises:
        SchemaVersionError: The database is newer than this program, or older where it is left.
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
            if is_migrated:
                await upgrade(connection)
                await install(connection)
            else:
                await require(connection)
        yield engine
    finally:
        await engine.dispose()


async def schema_state(url: str) -> SchemaState:
    """Return how a database's schema stands, without changing it; raises `SQLAlchemyError`."""
    async with _alone(url, "") as engine, engine.connect() as connection:
        return await state(connection)


async def migrate(url: str) -> SchemaState:
    """Bring a database up to date while others work on it; return how it stood before.

    A step may take as long as it needs, but waits for a lock for a moment only: whoever else wants
    the table would wait behind it.

    Raises:
        SchemaVersionError: The database is newer than this program.
        SQLAlchemyError: It cannot be reached or changed; then nothing is.
    """
    async with _alone(url, f"-c lock_timeout={_LOCK_MS}") as engine, engine.begin() as connection:
        before = await state(connection)
        await upgrade(connection)
        await install(connection)
        return before


@asynccontextmanager
async def _alone(url: str, options: str) -> AsyncIterator[AsyncEngine]:
    """Yield an engine for one connection; closed on exit."""
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        connect_args={"connect_timeout": 5, "options": options},
    )
    try:
        yield engine
    finally:
        await engine.dispose()
