"""Behind a pooler in transaction mode nothing is started: what would fail later is named first."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from sync.engine import notifications
from sync.engine.database import schema_state
from tests.sync_console.conftest import CommandLine

# Of PostgreSQL's protocol: what somebody was told by NOTIFY.
_NOTIFICATION = b"A"


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(65_536):
        writer.write(content)
    writer.close()


async def _carry_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on each message but notifications: they reach a connection that nobody listens on."""
    try:
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            if head[:1] != _NOTIFICATION:
                writer.write(head + body)
    except asyncio.IncompleteReadError:
        writer.close()


@pytest.fixture
async def pooled(
    tmp_path: Path, d365_sync: CommandLine, database_url: str, empty_database_url: str
) -> AsyncIterator[CommandLine]:
    """Return the command line over an empty database, through what loses notifications."""
    named = conninfo_to_dict(empty_database_url)
    host, port = str(named.get("host", "127.0.0.1")), str(named.get("port", 5432))

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if host.startswith("/"):
            upwards = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            upwards = await asyncio.open_connection(host, int(port))
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(reader, upwards[1]))
            group.create_task(_carry_answers(upwards[0], writer))

    async with await asyncio.start_server(met, "127.0.0.1", 0) as server:
        own = server.sockets[0].getsockname()[1]
        parts = urlsplit(empty_database_url)
        user = parts.netloc.rpartition("@")[0] or str(named["user"])
        url = f"postgresql://{user}@127.0.0.1:{own}/{named['dbname']}?sslmode=disable"
        settings = d365_sync.file.read_text(encoding="utf-8").replace(database_url, url)
        file = tmp_path / "pooled.toml"
        file.write_text(settings, encoding="utf-8")
        yield CommandLine(file)


@pytest.mark.parametrize("arguments", [["migrate"], ["migrate", "--plan"], ["run", "--yes"]])
async def test_a_pooler_is_named_before_anything_is_done(
    pooled: CommandLine,
    empty_database_url: str,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notifications, "_PATIENCE_SECONDS", 0.2)
    result = await pooled(*arguments)

    assert result.exit_code == 1
    assert "a pooler in transaction mode is before it" in result.output
    assert "sync.postgres.url" in result.output
    assert (await schema_state(empty_database_url)).version is None
