"""A field is renamed in the ERP: nothing is written wrongly, somebody hears, all is made good."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.demo.alerts import hearing_alerts
from sync.serve import watching
from sync.store.records import EventRecord
from sync.store.states import EventState
from tests.chaos.comparison import judge
from tests.chaos.judge import read
from tests.integration.sync_running import MARKET, World, running_sync, sync_settings
from tests.sync_console.between_systems import configured


async def held(world: World, *numbers: str) -> dict[str, EventRecord]:
    """Wait until orders are held, and return their events by number."""
    stores = world.running.stores

    async def are_held() -> bool:
        stuck = [event.business_key for event in await stores.overview.stuck()]
        return set(numbers) <= set(stuck)

    await world.until(are_held)
    return {event.business_key: event for event in await stores.overview.stuck()}


async def heard(world: World, messages: list[str], words: str) -> str:
    """Wait for an alert with these words, and return it."""

    async def is_there() -> bool:
        return any(words in message for message in messages)

    await world.until(is_there)
    return next(message for message in messages if words in message)


@pytest.mark.parametrize(
    ("entity_set", "old", "new", "documents"),
    [
        # Refused as a whole: there is no document. The second is refused line by line: its
        # header is there, stopped, and is the one that the replay completes.
        ("SalesOrderHeadersV3", "DeliveryModeCode", "DeliveryMode", 0),
        ("SalesOrderLinesV3", "SalesPrice", "UnitSalesPrice", 5),
    ],
)
async def test_a_renamed_field_holds_every_order_alerts_and_is_made_good_by_a_replay(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    entity_set: str,
    old: str,
    new: str,
    documents: int,
) -> None:
    monkeypatch.setattr(watching, "_EVERY", timedelta(milliseconds=300))
    messages: list[str] = []
    with hearing_alerts(0, messages.append) as port:
        alerts = {"targets_secret": f"json://127.0.0.1:{port}/"}
        async with running_sync(tmp_path, database_url, alerts=alerts) as world:
            settings = sync_settings(world.sandbox, database_url)
            d365_sync = configured(tmp_path, settings, monkeypatch)
            await world.dial("fo", rename_fields={f"{entity_set}.{old}": new})

            [first] = await world.place(1, kind="simple")
            [event] = (await held(world, first)).values()
            assert event.trouble is not None
            assert event.trouble.field == old
            assert old in [name for name, _, _ in event.trouble.diff]
            told = await heard(world, messages, f"1 order of {MARKET} held at {old}")
            assert first in told

            later = await world.place(4, kind="simple")
            events = await held(world, first, *later)
            assert {_field(each) for each in events.values()} == {old}
            # Five times as many is news.
            await heard(world, messages, f"Worse: 5 orders of {MARKET} held at {old}")
            _assert_nothing_is_released(world, documents=documents)

            await world.dial("fo", rename_fields={})
            chosen = ("--all-held", "--field", old, "--yes")
            replayed = await d365_sync("replay", *chosen, "--by", "anna")
            assert "5 events in line again" in replayed.stdout
            await world.arrived(first, *later)
            await _all_done(world, first, *later)
            verdict = judge(*await asyncio.to_thread(read, world.sandbox.control_url))
            assert verdict.is_good, verdict.found
            assert verdict.placed == verdict.released == 5
            await heard(world, messages, "Over after")


def _field(event: EventRecord) -> str:
    return "" if event.trouble is None else event.trouble.field


def _assert_nothing_is_released(world: World, *, documents: int) -> None:
    found: list[dict[str, Any]] = world.sandbox.documents.orders.told()
    assert len(found) == documents
    assert all(each["is_stopped"] and not each["lines"] for each in found)


async def _all_done(world: World, *numbers: str) -> None:
    async def are_done() -> bool:
        for number in numbers:
            events = await world.running.stores.overview.by_key(number)
            if not any(event.state is EventState.DONE for event in events):
                return False
        return True

    await world.until(are_done)
