"""The rows of Redis and PostgreSQL; nothing is started, made or upgraded."""

from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.diagnosis.board import Board, Finding, failed, ok, skipped
from pricing_proxy.diagnosis.exposure import REDIS_LINE, redis_line
from pricing_proxy.diagnosis.redis_row import check_redis
from pricing_proxy.shared_state.redis_watch import SYNC_KEYS
from sync.check.postgres_line import POSTGRES_LINE, postgres_line
from sync.engine.database import schema_state
from sync.engine.embedded_state import Presence, look, socket_url
from sync.engine.notifications import DIRECTLY, POOLED, PostgresError, hears_notifications
from sync.engine.postgres_programs import EmbeddedPostgresError
from sync.sections import EMBEDDED, Postgres
from sync.serve.postgres import with_password
from sync.store.schema import SchemaState, newest_version

REDIS, POSTGRES, SCHEMA = "Redis", "PostgreSQL", "schema version"


async def check_shared(redis: RedisSection, *, clock: Clock) -> Board:
    """Return the table of Redis."""
    board = Board("Shared with the price service", (REDIS, REDIS_LINE))
    embedded = "the price service does not see the customer map"
    board.put(REDIS, await check_redis(redis, embedded=embedded, clock=clock, keys=SYNC_KEYS))
    board.put(REDIS_LINE, redis_line(redis))
    return board


async def check_postgres(postgres: Postgres) -> Board:
    """Return the table of PostgreSQL."""
    board = Board("What the sync keeps", (POSTGRES, POSTGRES_LINE, SCHEMA))
    board.put(POSTGRES_LINE, postgres_line(postgres))
    if postgres.url == EMBEDDED:
        await _embedded(board, postgres.data_directory.absolute())
    else:
        url = with_password(postgres.url, secret_text(postgres.password))
        advice = "Check sync.postgres.url, the password, and that the server runs"
        await _ask(board, url, answers="answers", advice=advice, is_left=not postgres.migrate)
    return board


async def _embedded(board: Board, folder: Path) -> None:
    place = f"embedded in {folder}, for one machine"
    try:
        presence = look(folder)
    except EmbeddedPostgresError as error:
        problem, _, advice = str(error).partition(": ")
        board.put(POSTGRES, failed(problem, advice[:1].upper() + advice[1:]))
        board.put(SCHEMA, skipped(POSTGRES))
        return
    match presence:
        case Presence.NOT_MADE:
            board.put(POSTGRES, ok(f"{place}: not made yet, the first d365-sync run makes it"))
            board.put(SCHEMA, _schema(SchemaState(None, None, ())))
        case Presence.STOPPED:
            board.put(POSTGRES, ok(f"{place}: not running, d365-sync run starts it"))
            board.put(SCHEMA, ok("not to be seen while it does not run; checked at its start"))
        case Presence.RUNNING:
            advice = f"See {folder / 'postgres.log'}"
            await _ask(board, socket_url(folder), answers=f"{place}: running", advice=advice)


async def _ask(board: Board, url: str, *, answers: str, advice: str, is_left: bool = False) -> None:
    try:
        found = await schema_state(url)
        is_direct = await hears_notifications(url)
    except (SQLAlchemyError, PostgresError, OSError) as error:
        # The type only: its text may hold the address with the password.
        board.put(POSTGRES, failed(type(error.__cause__ or error).__name__, advice))
        board.put(SCHEMA, skipped(POSTGRES))
        return
    board.put(POSTGRES, ok(answers) if is_direct else failed(POOLED, DIRECTLY))
    board.put(SCHEMA, _schema(found, is_left=is_left))


def _schema(found: SchemaState, *, is_left: bool = False) -> Finding:
    """Judge it.

    Args:
        found: How it stands.
        is_left: Whether a program that starts leaves it as it is.
    """
    newest = newest_version()
    if is_left and found.missing:
        told = f"{found.version or 'none yet'}, this program needs {newest}"
        return failed(told, "Bring it up to date: d365-sync migrate")
    if found.version is None:
        return ok(f"none yet: made as {newest} by the first d365-sync run")
    if found.missing:
        return ok(f"{found.version}, becomes {newest} at the next d365-sync run or migrate")
    if not found.is_newer:
        return ok(found.version)
    told = f"{found.version}, this program knows {newest}"
    if found.is_for_us:
        return ok(f"{told} and can work on it while all are upgraded")
    return failed(told, "Start the newer version that made it")
