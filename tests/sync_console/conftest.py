"""Fixtures: the command line over a real database, filled through the real engine."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sync.__main__ import app
from sync.engine.database import database
from tests.sync import files
from tests.sync_engine.engine import Engine

# Nothing listens there, so a shop at that address is away at once.
AWAY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class CommandLine:
    """Runs `d365-sync` with a configuration."""

    file: Path

    async def __call__(self, *arguments: str, answer: str | None = None) -> Result:
        """Run one command; its loop is its own."""
        whole = [*arguments, "--config", str(self.file)]

        def invoke() -> Result:
            return CliRunner().invoke(app, whole, input=answer)

        return await asyncio.to_thread(invoke)

    async def json(self, *arguments: str) -> Any:
        """Run one command for programs, and return what it says."""
        result = await self(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def d365_sync(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return the command line over a database, with a shop that is away."""
    for name, text in files.SECRETS.items():
        monkeypatch.setenv(name, text)
    text = files.CONFIGURATION.replace("https://shop.example", AWAY)
    text = text.replace("redis://127.0.0.1:6379/0", "embedded")
    file = files.write(tmp_path, f'{text}\n[sync.postgres]\nurl = "{database_url}"\n')
    return CommandLine(file)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """Return an engine over the same database."""
    async with database(database_url, connections=4) as opened:
        yield Engine(opened)
