"""Fixtures: a database at the newest schema."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.engine.database import database


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Return an open database."""
    async with database(database_url, connections=4) as opened:
        yield opened
