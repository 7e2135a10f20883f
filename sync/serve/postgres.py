"""Open what the sync keeps: by its address, or in an embedded PostgreSQL of this machine."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.supervision import Supervision
from sync.engine.database import database
from sync.engine.embedded_postgres import EmbeddedPostgres
from sync.engine.notifications import DIRECTLY, POOLED, PostgresError, hears_notifications
from sync.engine.postgres_programs import EmbeddedPostgresError
from sync.sections import EMBEDDED, Postgres
from sync.store.schema import SchemaVersionError


class StoreError(Exception):
    """The store cannot be opened; the text says what to do."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    """An open store.

    Attributes:
        database: At the newest schema.
        url: Its address with its password: for the queue, never for a log.
        is_embedded: Whether it is this machine's own.
    """

    database: AsyncEngine
    url: str
    is_embedded: bool


@asynccontextmanager
async def open_store(
    postgres: Postgres, supervision: Supervision | None = None
) -> AsyncIterator[OpenStore]:
    """Open the store; on exit, close it, and end an embedded server that is ours.

    Args:
        postgres: Where it is.
        supervision: The program's; None where nobody looks.

    Raises:
        StoreError: It cannot be reached, made or upgraded.
    """
    async with AsyncExitStack() as stack:
        is_embedded = postgres.url == EMBEDDED
        try:
            if is_embedded:
                server = EmbeddedPostgres(postgres.data_directory).watched(
                    supervision, "watch over the embedded PostgreSQL"
                )
                url = (await stack.enter_async_context(server)).url
            else:
                url = with_password(postgres.url, secret_text(postgres.password))
            # Nobody else brings one of our own up to date.
            is_migrated = is_embedded or postgres.migrate
            opened = await stack.enter_async_context(
                database(url, connections=postgres.connections, is_migrated=is_migrated)
            )
        except (EmbeddedPostgresError, SchemaVersionError) as error:
            raise StoreError(str(error)) from error
        except SQLAlchemyError as error:
            # Its text may hold the address with the password.
            raise StoreError(
                f"PostgreSQL cannot be used ({type(error.__cause__ or error).__name__}): check "
                "sync.postgres.url, the password, and that the server runs"
            ) from error
        yield OpenStore(opened, url, is_embedded)


async def require_direct(postgres: Postgres) -> None:
    """Refuse a pooler in transaction mode before it: each statement would fail now and then.

    A server that is away is left to whoever opens it.

    Raises:
        StoreError: There is one.
    """
    if postgres.url == EMBEDDED:
        return
    try:
        is_direct = await hears_notifications(
            with_password(postgres.url, secret_text(postgres.password))
        )
    except (PostgresError, OSError):
        return
    if not is_direct:
        raise StoreError(f"PostgreSQL: {POOLED}. {DIRECTLY}")


def with_password(url: str, password: str) -> str:
    """Return an address with a password, unchanged without one."""
    if not password:
        return url
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()
