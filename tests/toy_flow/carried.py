"""What derives from the list takes one more flow; `tests.sync.test_one_more_flow` runs this."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import listening
from sync import settings
from tests.integration.sync_running import (
    INTAKE_SECRET,
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    World,
    running_sync,
    sync_settings,
)
from tests.sync import files
from tests.sync.test_settings import problems
from tests.sync_console.between_systems import configured
from tests.sync_console.conftest import CommandLine
from tests.toy_flow.flow import SAID
from tests.toy_flow.rules import FLOW, GreetingRules

ERP_SECRET = "what-the-erp-was-told"
FLOWS = ["orders", "customers", "returns", FLOW]
MARKETS = {
    MARKET: {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "flows": FLOWS,
        "orders": ORDER_RULES,
        "customers": {"group": {"*": "10"}},
        FLOW: {"word": "welcome", "events": ["Greeted"]},
    }
}
_VERSIONS = text(
    "SELECT mapping_version FROM sync_attempt JOIN sync_event AS event ON event.id = event_id "
    "WHERE flow = :flow"
)
_AGED = text(
    "UPDATE sync_event SET created_at = now() - interval '1 hour' "
    "WHERE flow = :flow AND state = 'received'"
)


@dataclass
class Greeted:
    """Both systems with the sync between them, its command line, and its intake's port."""

    world: World
    d365_sync: CommandLine
    port: int

    async def wish(self, kind: str, number: str) -> int:
        """Tell of an order as the shop does; return the status."""
        orders = self.world.sandbox.shop.orders
        entity_id = next(key for key, one in orders.items() if one["increment_id"] == number)
        body = json.dumps({"type": kind, "entity_id": entity_id}).encode()
        stamp, event_id = str(int(time.time())), f"{kind.partition('.')[0]}-{entity_id}"
        signed = f"{stamp}.{event_id}.".encode() + body
        digest = hmac.new(INTAKE_SECRET.encode(), signed, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Timestamp": stamp,
            "X-Event-Id": event_id,
            "X-Signature": f"sha256={digest}",
        }
        address = f"http://127.0.0.1:{self.port}/v1/events/magento"
        async with self.world.control.post(address, data=body, headers=headers) as answer:
            return answer.status

    async def tell_of(self, number: str, *, company: str) -> dict[str, str]:
        """Tell of an order as the ERP does; return the answer."""
        event = {
            "BusinessEventId": "Greeted",
            "EventId": f"12345678-90ab-cdef-1234-{int(number):012}",
            "LegalEntity": company,
            "Number": number,
        }
        address = f"http://127.0.0.1:{self.port}/v1/events/d365/{ERP_SECRET}"
        async with self.world.control.post(address, json=event) as answer:
            content: dict[str, str] = await answer.json()
        return content

    async def told(self, *words: str) -> dict[str, Any]:
        """Return what a command tells as JSON."""
        content: dict[str, Any] = json.loads((await self.d365_sync(*words, "--json")).stdout)
        return content


@pytest.fixture
async def greeted(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Greeted]:
    SAID.clear()
    intake = {"secret": INTAKE_SECRET, "erp_secret": ERP_SECRET}
    async with running_sync(tmp_path, database_url, markets=MARKETS, intake=intake) as world:
        own = sync_settings(world.sandbox, database_url, markets=MARKETS)
        app, crowd = world.running.intake, Crowd("intake")
        assert app is not None
        async with listening(app, Listener(port=0), "port", crowd=crowd) as port:
            yield Greeted(world, configured(tmp_path, own, monkeypatch), port)


def test_settings_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in files.SECRETS.items():
        monkeypatch.setenv(name, secret)
    market = settings.load(files.write(tmp_path)).sync.markets["b2b_de"]
    assert market.flows == [name for name in FLOWS if name != FLOW]

    on = files.CONFIGURATION.replace("store_ids = [1]", f"store_ids = [1]\nflows = ['{FLOW}']")
    assert problems(tmp_path, on) == ["sync.markets.b2b_de.greetings"]
    section = "[sync.markets.b2b_de.greetings]\nword = "
    path = "sync.markets.b2b_de.greetings.word"
    assert problems(tmp_path, f'{files.CONFIGURATION}\n{section}""') == [path]
    assert problems(tmp_path, f'{files.CONFIGURATION}\n{section}"farewell"') == [path]
    file = files.write(tmp_path, f'{on}\n{section}"hi"')
    market = settings.load(file).sync.markets["b2b_de"]
    assert market.rules(GreetingRules).word == "hi"
    other = files.CONFIGURATION.replace("store_ids = [1]", 'store_ids = [1]\nflows = ["x"]')
    file = files.write(tmp_path, other)
    with pytest.raises(ConfigurationError, match="or 'greetings'"):
        settings.load(file)


async def test_an_event_of_it_goes_from_the_intake_to_the_story_of_its_order(
    greeted: Greeted,
) -> None:
    [number] = await greeted.world.place()
    assert await greeted.wish("parting.wished", number) == 422
    assert await greeted.wish("greeting.wished", number) == 202

    async def is_said() -> bool:
        return [f"welcome, {number}"] == SAID

    await greeted.world.until(is_said)
    async with greeted.world.running.stores.opened.database.connect() as connection:
        [kept] = (await connection.execute(_VERSIONS, {"flow": FLOW})).scalars()
    assert kept == "3"

    story = await greeted.told("order", number)
    assert FLOW in [each["event"]["flow"] for each in story["events"]]
    state = (await greeted.told("status"))["state"]
    assert [line["is_on"] for line in state["flows"] if line["flow"] == FLOW] == [True]
    assert "poll greetings" in state["schedules"]

    async def is_heard() -> bool:
        marks = await greeted.world.running.stores.watermarks.put_at("hints.")
        return f"hints.{FLOW}.heard" in marks

    # Its poll rests from then on.
    await greeted.world.until(is_heard)


async def test_a_business_event_of_it_goes_from_the_intake_to_its_end(greeted: Greeted) -> None:
    [number] = await greeted.world.place()
    assert (await greeted.tell_of(number, company="usmf"))["state"] == "ignored"
    assert await greeted.tell_of(number, company="DEMF") == {"state": "taken"}
    assert await greeted.tell_of(number, company="demf") == {"state": "known"}

    async def is_said() -> bool:
        return [f"welcome, {number}"] == SAID

    await greeted.world.until(is_said)
    counted = greeted.world.running.metrics.text().decode()
    assert 'd365_sync_business_events_total{state="taken"} 1.0' in counted


async def test_the_check_asks_for_what_it_needs(greeted: Greeted) -> None:
    """A right of the shop; a set with its contract, master data, and a row of its own."""
    tables = (await greeted.told("check"))["tables"]
    rows = {row["name"] for table in tables for row in table["rows"]}
    assert {"greetings", "Greetings", "Greetings schema", "LegalEntities"} <= rows
    assert "greeting word" in rows


async def test_one_that_nobody_carries_is_an_alert(greeted: Greeted) -> None:
    running = greeted.world.running
    assert (await greeted.d365_sync("pause", FLOW)).exit_code == 0

    async def has_stopped() -> bool:
        return (FLOW, MARKET) not in running.workers.running

    await greeted.world.until(has_stopped)
    [number] = await greeted.world.place()
    assert await greeted.wish("greeting.wished", number) == 202

    async def is_missed() -> bool:
        async with running.stores.opened.database.begin() as connection:
            await connection.execute(_AGED, {"flow": FLOW})
        titles = [alert.title for alert in await running.stores.alerts.open_alerts()]
        return f"1 greeting of {MARKET} not in the shop after 5 minutes" in titles

    await greeted.world.until(is_missed)
    assert SAID == []
