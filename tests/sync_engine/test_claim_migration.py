"""What was claimed before the upgrade stays claimed, and an older program claims nothing unseen."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sync.engine.database import database
from sync.engine.schedules import Schedule, Schedules
from sync.store import schema
from sync.store.claims import Claims
from sync.store.links import MarketLinks

BEFORE = "0007"
LONG = timedelta(hours=1)
_PAIR = """
    INSERT INTO entity_map (market, kind, magento_id, erp_key, changed_at)
    VALUES ('b2b_de', :kind, :key, :holder, clock_timestamp() - make_interval(mins => :ago))
"""
_LEASE = """
    INSERT INTO schedule_lease (name, holder, fence, held_until)
    VALUES (:name, 'host/1', 3, clock_timestamp() + make_interval(secs => :left))
"""


def _upgrade(connection: Connection, revision: str) -> None:
    config = schema._config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def _at_0007(url: str, rows: list[tuple[str, Mapping[str, Any]]]) -> AsyncEngine:
    """Make the schema of then with rows of then; return the connection of the program of then."""
    older = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    async with older.begin() as connection:
        await connection.run_sync(_upgrade, BEFORE)
        for statement, values in rows:
            await connection.execute(text(statement), values)
    return older


async def test_claims_and_leases_go_along(empty_database_url: str) -> None:
    older = await _at_0007(
        empty_database_url,
        [
            (_PAIR, {"kind": "customer_person", "key": "c0ffee", "holder": "b2b_de/7", "ago": 1}),
            (_PAIR, {"kind": "customer_person", "key": "decade", "holder": "b2c/8", "ago": 11}),
            (_PAIR, {"kind": "customer", "key": "7", "holder": "C-7", "ago": 0}),
            (_LEASE, {"name": "schedule.poll", "left": 60}),
            (_LEASE, {"name": "schedule.sweep", "left": -1}),
        ],
    )
    await older.dispose()

    async with database(empty_database_url, connections=2) as upgraded:
        typed, links = Claims(upgraded, "customer_person/b2b_de"), MarketLinks(upgraded, "b2b_de")
        assert not await typed.take("c0ffee", "b2c/9", lasting=LONG)
        assert await typed.take("c0ffee", "b2b_de/7", lasting=LONG)
        # Of an event that had no worker any more.
        assert await typed.take("decade", "b2c/9", lasting=LONG)
        assert await links.erp_key("customer_person", "c0ffee") is None
        assert await links.erp_key("customer", "7") == "C-7"
        assert not await _runs(upgraded, "poll")
        assert await _runs(upgraded, "sweep")


async def test_a_worker_of_before_goes_on_and_claims_nothing(empty_database_url: str) -> None:
    """Its claim would not be seen; its other pairs are kept as ever."""
    older = await _at_0007(empty_database_url, [])
    async with database(empty_database_url, connections=2) as upgraded:
        claim = {"kind": "customer_person", "key": "c0ffee", "holder": "b2b_de/7", "ago": 0}
        with pytest.raises(IntegrityError):
            async with older.begin() as connection:
                await connection.execute(text(_PAIR), claim)
        async with older.begin() as connection:
            await connection.execute(text(_PAIR), {**claim, "kind": "order", "holder": "SO-1"})

        assert await MarketLinks(upgraded, "b2b_de").erp_key("order", "c0ffee") == "SO-1"
    await older.dispose()


async def _runs(database: AsyncEngine, name: str) -> bool:
    async def nothing() -> None:
        """Do it at once."""

    schedule = Schedule(name, timedelta(minutes=5), nothing)
    return await Schedules(database, [schedule]).run_if_due(schedule)
