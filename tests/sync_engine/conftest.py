"""Fixtures: a database at the newest schema, and an engine over it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.engine.database import database
from tests.sync_engine.engine import Engine


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Return an open database."""
    async with database(database_url, connections=10) as opened:
        yield opened


@pytest.fixture
def engine(store: AsyncEngine) -> Engine:
    """Return an engine whose events are carried by hand."""
    return Engine(store)
