"""Old journals are forgotten in parts: nine million rows in one statement were never deleted."""

from datetime import timedelta
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.journal import Journal

_EVENTS = """
    INSERT INTO sync_event (flow, market, business_key, source_key, lock_key, payload, state,
                            ended_at)
    SELECT CASE WHEN n % 2 = 0 THEN 'orders' ELSE 'returns' END, 'b2b_de', n, n, n, '{}',
           CASE WHEN n <= 30 THEN 'done' ELSE 'held' END,
           CASE WHEN n <= 20 THEN now() - interval '90 days' WHEN n <= 30 THEN now() END
    FROM generate_series(1, 40) AS n
"""
_ATTEMPTS = """
    INSERT INTO sync_attempt (event_id, attempt, fence, system, operation, request, sent_at,
                              mapping_version, configuration_hash)
    SELECT id, 1, 1, 'fo', 'a', '{}', coalesce(ended_at, now() - interval '95 days'), '1', 'c'
    FROM sync_event, generate_series(1, 5)
"""


async def test_the_calls_of_ended_events_are_forgotten_in_parts(store: AsyncEngine) -> None:
    async with store.begin() as connection:
        for statement in (_EVENTS, _ATTEMPTS):
            await connection.execute(text(statement))
    deleted: list[int] = []

    def note(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if statement.startswith("DELETE"):
            deleted.append(cursor.rowcount)

    event.listen(store.sync_engine, "after_cursor_execute", note)
    journal = Journal(store, mapping_versions={}, configuration_hash="c")
    forgotten = await journal.forget(timedelta(days=60), flow="orders", at_once=7)

    # Of ten events that ended long ago; what is held, or is another flow's, stays.
    assert forgotten == sum(deleted) == 50
    assert max(deleted) <= 7
    assert await journal.forget(timedelta(days=60), flow="orders") == 0
    async with store.connect() as connection:
        left = await connection.execute(text("SELECT count(*) FROM sync_attempt"))
        assert left.scalar() == 150


async def test_an_empty_journal_is_nothing_to_forget(store: AsyncEngine) -> None:
    journal = Journal(store, mapping_versions={}, configuration_hash="c")

    assert await journal.forget(timedelta(days=60), flow="orders") == 0
