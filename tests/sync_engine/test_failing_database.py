"""A database that fails is nobody's death, no document's fault; odd characters do not fail it."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from sync.engine.database_health import DatabaseHealth
from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError
from sync.store.events import MOST_DEATHS
from sync.store.states import EventState
from tests.sync_engine.engine import MARKET, Engine
from tests.virtual_time import ManualClock

HIDDEN = "ALTER TABLE sync_attempt RENAME TO sync_attempt_away"
SHOWN = "ALTER TABLE sync_attempt_away RENAME TO sync_attempt"
ODD = "Anna\x00\ud800 B\x0bGmbH"
PLAIN = "Anna\ufffd\ufffd B GmbH"


async def write(work: Work) -> Done:
    call = work.call("fo", "create", {"SalesOrderName": ODD})
    await call.sent()
    await call.acked(200, {"text": ODD})
    return Done(ODD)


async def test_a_journal_that_is_away_holds_nothing_and_is_told_once(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """It was held as an event that kills its workers, and no log said why."""
    event = await engine.receive("1")
    engine.orders.carry_with = write
    await engine.execute(HIDDEN)
    with caplog.at_level(logging.INFO, "sync.engine.database_health"):
        for _ in range(2 * MOST_DEATHS):
            assert await engine.carry(event) is not None
            await engine.make_due(event)

        record = await engine.event(event)
        assert (record.state, record.attempts, record.deaths) == (EventState.IN_DOUBT, 0, 0)
        [waited] = await engine.overview.waited_for()
        assert (waited.system, waited.events) == ("database", 1)
        assert 'relation "sync_attempt" does not exist' in waited.text

        await engine.execute(SHOWN)
        assert await engine.carry(event) is None

    assert await engine.state(event) is EventState.DONE
    assert await engine.overview.waited_for() == []
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "UndefinedTable" in said[0]
    assert said[1].startswith("PostgreSQL is well again")


async def test_characters_that_it_refuses_keep_nothing_from_being_written(engine: Engine) -> None:
    event = await engine.receive("1", name=ODD)
    engine.orders.carry_with = write

    await engine.carry(event)

    record = await engine.event(event)
    assert (record.state, record.note) == (EventState.DONE, PLAIN)
    assert record.payload["name"] == PLAIN
    [row] = await engine.journal.of_event(event)
    assert (row.request, row.response) == ({"SalesOrderName": PLAIN}, {"text": PLAIN})


async def test_what_is_wrong_with_odd_characters_is_told(engine: Engine) -> None:
    event = await engine.receive("1")

    async def hold(_: Work) -> Done:
        raise HeldError(field=ODD, text=ODD, advice=ODD, diff=((ODD, ODD, ODD),))

    engine.orders.carry_with = hold
    await engine.carry(event)

    record = await engine.event(event)
    assert record.state is EventState.HELD
    assert record.trouble is not None
    assert record.trouble.text == record.trouble.field == record.trouble.advice == PLAIN
    assert [list(each) for each in record.trouble.diff] == [[PLAIN] * 3]
    # Found under what was asked for, and nothing else is.
    assert len(await engine.overview.by_key("1", flow="orders")) == 1
    assert await engine.overview.by_key("1\x00") == []


async def test_a_key_with_odd_characters_is_entered_once(engine: Engine) -> None:
    values: dict[str, Any] = {
        "flow": "orders",
        "market": MARKET,
        "business_key": ODD,
        "source_key": f"orders/{MARKET}/{ODD}",
        "payload": {},
        "lock_key": f"orders/{MARKET}/#7",
    }

    assert await engine.events.receive(**values)
    assert not await engine.events.receive(**values)


def test_a_database_that_fails_in_many_places_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    health = DatabaseHealth(clock.monotonic_us)
    with caplog.at_level(logging.INFO):
        for _ in range(20):
            for part in ("the queue", "the sweep", "attempts"):
                health.failed(part, OSError())
            clock.advance(timedelta(seconds=3))
        assert health.trouble() is not None
        health.well("the queue")
        health.well("the sweep")
        assert health.trouble() is not None
        # Nobody has had anything to carry since, so nobody says that it works.
        clock.advance(timedelta(seconds=60))
        assert health.trouble() is None

    assert len(caplog.records) == 2
