"""The rows of Redis and PostgreSQL; nothing is started, made or upgraded."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.configuration.reading import secret_text
from sync.check.rows import CheckRow, State
from sync.engine.database import schema_version
from sync.sections import EMBEDDED, Postgres, SharedRedis
from sync.store.schema import newest_version
from sync.store_access import with_password

REDIS, POSTGRES, SCHEMA = "Redis", "PostgreSQL", "schema version"
_SECONDS = 5.0


async def redis_row(shared: SharedRedis, client: Redis) -> CheckRow:
    """Return whether Redis answers."""
    if shared.url == EMBEDDED:
        return _ok(REDIS, "embedded: the price service does not see the customer map")
    try:
        async with asyncio.timeout(_SECONDS):
            await client.exists("check")
    except (RedisError, OSError, TimeoutError) as error:
        # The type only: messages of the client may quote what was sent.
        return CheckRow(
            name=REDIS,
            state=State.FAILED,
            found=type(error).__name__,
            next_step="look at redis.url, redis.password, and that Redis runs",
        )
    return _ok(REDIS, "answers")


async def postgres_rows(postgres: Postgres) -> list[CheckRow]:
    """Return whether PostgreSQL answers, and whether this program knows its schema."""
    if postgres.url == EMBEDDED:
        place = postgres.data_directory.absolute()
        return [
            _ok(POSTGRES, f"embedded in {place}: one machine, started by d365-sync run"),
            CheckRow(name=SCHEMA, state=State.SKIPPED, found="brought up to date at each start"),
        ]
    try:
        found = await schema_version(with_password(postgres.url, secret_text(postgres.password)))
    except (SQLAlchemyError, OSError) as error:
        failed = CheckRow(
            name=POSTGRES,
            state=State.FAILED,
            # Its text may hold the address with the password.
            found=type(error.__cause__ or error).__name__,
            next_step="check sync.postgres.url, the password, and that the server runs",
        )
        return [failed, CheckRow(name=SCHEMA, state=State.SKIPPED, found=f"needs {POSTGRES}")]
    return [_ok(POSTGRES, "answers"), _schema(found)]


def _schema(found: str | None) -> CheckRow:
    newest = newest_version()
    if found is None:
        return _ok(SCHEMA, f"none yet: made as {newest} by the first d365-sync run")
    if found > newest:
        return CheckRow(
            name=SCHEMA,
            state=State.FAILED,
            found=f"{found}, this program knows {newest}",
            next_step="start the newer version that made it",
        )
    return _ok(SCHEMA, found if found == newest else f"{found}, becomes {newest} at the next run")


def _ok(name: str, found: str) -> CheckRow:
    return CheckRow(name=name, state=State.OK, found=found)
