"""The demo's sync hears the demo's ERP: what it is sent in its own configuration, and bad input."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from pricing_proxy.demo.sync_plan import ERP_SECRET
from sync import settings as sync_settings
from sync.erp_events import ErpEvent
from sync.serve.hearing import hearing
from tests.demo.test_plan import plan

PATH = f"/v1/events/d365/{ERP_SECRET}"
RENAMED = {
    "BusinessEventId": "XYZProductChangedBusinessEvent",
    "ControlNumber": 5637166326,
    "EventId": "12345678-90AB-CDEF-1234-567890ABCDEF",
    "EventTime": "/Date(1741680000000)/",
    "LegalEntity": "demf",
    "ItemNumber": "LAMP-01",
}


@dataclass
class Demo:
    """The intake of the demo's configuration, and what its flows heard."""

    client: TestClient[Any, Any]
    heard: list[tuple[str, ErpEvent]] = field(default_factory=list)

    async def post(self, body: bytes | dict[str, Any], path: str = PATH) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        async with self.client.post(path, data=io.BytesIO(content), headers=headers) as answer:
            told = await answer.json(content_type=None)
        for _ in range(20):
            await asyncio.sleep(0)
        return answer.status, told


@pytest.fixture
async def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Demo]:
    its = plan(tmp_path)
    its.write_configuration()
    monkeypatch.setenv(SECRETS_VARIABLE, str(its.secrets_folder))
    heard: list[tuple[str, ErpEvent]] = []
    known: set[str] = set()

    def hears(flow: str) -> Any:
        async def hint(event: ErpEvent) -> None:
            heard.append((flow, event))

        return SimpleNamespace(hint=None, erp_hint=hint)

    async def is_new(event_id: str) -> bool:
        was_known = event_id in known
        known.add(event_id)
        return not was_known

    async def noted(_: str) -> None:
        return None

    pace = SimpleNamespace(heard=noted)
    given = SimpleNamespace(polling=SimpleNamespace(pace=pace, clock=SystemClock()))
    its_hearing = hearing(
        sync_settings.load(its.configuration_file),
        {flow: hears(flow) for flow in ("products", "stock", "orders")},
        cast("Any", given),
        cast("Any", SimpleNamespace(is_new=is_new)),
        cast("Any", SimpleNamespace(business_event=lambda _: None)),
    )
    assert its_hearing.intake is not None
    line = its_hearing.lines["business events"]
    async with line, TestClient(TestServer(its_hearing.intake)) as client:
        yield Demo(client, heard)


async def test_what_the_simulated_erp_tells_of_is_heard_by_its_flow_once(demo: Demo) -> None:
    assert await demo.post(RENAMED) == (202, {"state": "taken"})
    assert await demo.post(RENAMED) == (202, {"state": "known"})
    moved = {**RENAMED, "BusinessEventId": "XYZOnHandChangedBusinessEvent"}
    moved["EventId"] = "22345678-90AB-CDEF-1234-567890ABCDEF"
    assert await demo.post(moved) == (202, {"state": "taken"})

    told = [(flow, event.markets, event.members["ItemNumber"]) for flow, event in demo.heard]
    assert told == [("products", ["b2b_de"], "LAMP-01"), ("stock", ["b2b_de"], "LAMP-01")]


@pytest.mark.parametrize("body", [RENAMED, b"x" * 1_000_000])
@pytest.mark.parametrize("path", ["/v1/events/d365", "/v1/events/d365/a-wrong-secret", f"{PATH}x"])
async def test_who_has_not_its_secret_is_refused_whatever_they_send(
    demo: Demo, path: str, body: Any
) -> None:
    status, told = await demo.post(body, path)
    assert (status, demo.heard) == (401, [])
    assert ERP_SECRET not in json.dumps(told)


async def test_a_megabyte_is_refused_and_the_next_event_is_heard(demo: Demo) -> None:
    assert (await demo.post({**RENAMED, "Text": "x" * 1_000_000}))[0] == 413
    assert (await demo.post(b"{"))[0] == 400
    assert demo.heard == []
    assert (await demo.post(RENAMED))[0] == 202
    assert [flow for flow, _ in demo.heard] == ["products"]


async def test_another_company_and_another_event_are_of_no_concern(demo: Demo) -> None:
    status, told = await demo.post({**RENAMED, "LegalEntity": "usmf"})
    assert (status, told["state"], "No market" in told["reason"]) == (202, "ignored", True)
    status, told = await demo.post({**RENAMED, "BusinessEventId": "XYZSomethingElse"})
    assert (status, told["state"], demo.heard) == (202, "ignored", [])
