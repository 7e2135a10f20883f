"""A business event of the ERP is taken once, with its secret, and only as a reason to look."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from sync.erp_events import ErpEvent
from sync.intake.erp_routes import ErpHint, ErpRoutes
from sync.intake.hints import MOST_WAITING, Hints
from sync.intake.interests import Interest, Interests
from sync.intake.listener import BODY_LIMIT_BYTES, application

SECRET, OLD_SECRET, HEADER = "a-secret-of-the-erp", "the-one-before-it", "X-Event-Secret"
PATH = "/v1/events/d365"
DOCUMENTED = Path(__file__).parents[1] / "data" / "fo_business_event.json"
INVOICE = "SalesInvoicePostedBusinessEvent"
ONHAND = {
    "BusinessEventId": "OnHandChanged",
    "ControlNumber": 5637166326,
    "EventId": "12345678-90AB-CDEF-1234-567890ABCDEF",
    "EventTime": "/Date(1741680000000)/",
    "LegalEntity": "demf",
    "ItemNumber": "LAMP-01",
    "Quantity": 3.5,
}
WANTED = (
    Interest("DEMF", "OnHandChanged", "stock", "b2b_de"),
    Interest("demf", "OnHandChanged", "stock", "b2c_de"),
    Interest("demf", INVOICE, "invoices", "b2b_de"),
    Interest("usmf", "onhandchanged", "stock", "us"),
    Interest("usmf", "OnHandChanged", "products", "us"),
)


@dataclass
class Erp:
    """Calls the intake as F&O's endpoint does."""

    client: TestClient[Any, Any]
    looked_up: list[ErpHint]
    counted: list[str]

    async def post(
        self,
        body: bytes | Mapping[str, Any],
        *,
        path: str = f"{PATH}/{SECRET}",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        answer = await self.client.post(path, data=io.BytesIO(content), headers=sent)
        return answer.status, await answer.json(content_type=None)

    async def all_looked_up(self) -> list[ErpHint]:
        for _ in range(20):
            await asyncio.sleep(0)
        return self.looked_up


@asynccontextmanager
async def intake(hints: Hints[ErpHint] | None = None) -> AsyncIterator[Erp]:
    known: set[str] = set()
    looked_up: list[ErpHint] = []
    counted: list[str] = []

    async def is_new(event_id: str) -> bool:
        is_known = event_id in known
        known.add(event_id)
        return not is_known

    async def look_up(hint: ErpHint) -> None:
        looked_up.append(hint)

    line = Hints(look_up)
    routes = ErpRoutes(
        secrets=[SECRET, OLD_SECRET],
        header=HEADER,
        is_new=is_new,
        interests=Interests(["DEMF", "usmf", "frrt"], WANTED),
        hints=hints or line,
        heard=counted.append,
    )
    async with line, TestClient(TestServer(application(routes))) as client:
        yield Erp(client, looked_up, counted)


@pytest.fixture
async def erp() -> AsyncIterator[Erp]:
    async with intake() as started:
        yield started


async def test_an_event_goes_to_the_flows_of_its_company_that_ask_for_it(erp: Erp) -> None:
    """With texts alone: a quantity would be data, which is read from the ERP itself."""
    assert await erp.post(ONHAND) == (202, {"state": "taken"})

    event = ErpEvent(
        name="OnHandChanged",
        markets=["b2b_de", "b2c_de"],
        members={"EventTime": "/Date(1741680000000)/", "ItemNumber": "LAMP-01"},
    )
    assert await erp.all_looked_up() == [ErpHint("stock", event)]
    assert erp.counted == ["taken"]


async def test_the_documented_event_is_one(erp: Erp) -> None:
    status, _ = await erp.post({**json.loads(DOCUMENTED.read_text()), "LegalEntity": "demf"})

    assert status == 202
    [hint] = await erp.all_looked_up()
    assert (hint.flow, hint.event.markets) == ("invoices", ["b2b_de"])
    assert hint.event.members["SalesOrderId"] == "000697"


async def test_an_event_of_no_company_is_for_all_that_ask(erp: Erp) -> None:
    body = {name: value for name, value in ONHAND.items() if name != "LegalEntity"}

    assert (await erp.post(body))[0] == 202
    heard = {hint.flow: hint.event.markets for hint in await erp.all_looked_up()}
    assert heard == {"stock": ["b2b_de", "b2c_de", "us"], "products": ["us"]}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/{SECRET}", f"{PATH}/{OLD_SECRET}"])
async def test_the_secret_stands_in_path_or_header(erp: Erp, path: str) -> None:
    headers = {HEADER: SECRET} if path == PATH else {}
    # Of F&O's endpoints nobody documents the type.
    headers["Content-Type"] = "text/plain"

    assert (await erp.post(ONHAND, path=path, headers=headers))[0] == 202


@pytest.mark.parametrize("body", [ONHAND, b"{", b"x" * 1_000_000])
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {}),
        (PATH, {HEADER: ""}),
        (PATH, {HEADER: SECRET[:-1]}),
        (PATH, {"X-Signature": SECRET}),
        (f"{PATH}/{SECRET}x", {}),
        (f"{PATH}/%FF%ED%A0%80", {}),
        (f"{PATH}/x", {HEADER: SECRET}),
    ],
)
async def test_a_stranger_hears_nothing_but_that(
    erp: Erp, path: str, headers: Mapping[str, str], body: bytes | Mapping[str, Any]
) -> None:
    status, problem = await erp.post(body, path=path, headers=headers)

    assert (status, problem["type"]) == (401, "/problems/wrong_secret")
    assert (await erp.all_looked_up(), erp.counted) == ([], [])


async def test_an_event_that_comes_again_is_known(erp: Erp) -> None:
    """F&O tries three times; whatever is no success ends in its error log for a person."""
    await erp.post(ONHAND)
    again = {**ONHAND, "EventId": str(ONHAND["EventId"]).lower(), "ItemNumber": "LAMP-02"}

    assert await erp.post(again) == (202, {"state": "known"})
    assert len(await erp.all_looked_up()) == 1
    assert erp.counted == ["taken", "known"]


@pytest.mark.parametrize(
    ("change", "named"),
    [({"LegalEntity": "jpmf"}, "LegalEntity"), ({"BusinessEventId": "Other"}, "BusinessEventId")],
)
async def test_what_is_of_no_concern_is_told_so(
    erp: Erp, change: Mapping[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        changed = {**ONHAND, **change, "EventId": f"{number:08}-90AB-CDEF-1234-567890ABCDEF"}
        status, answer = await erp.post(changed)
        assert (status, answer["state"]) == (202, "ignored")
        assert named in answer["reason"]

    assert await erp.all_looked_up() == []
    assert erp.counted == ["ignored"] * 3
    told = [record for record in caplog.records if "'jpmf'" in record.getMessage()]
    assert len(told) == (named == "LegalEntity")


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"{", 400, [""]),
        (b"\xff", 400, [""]),
        (b"[" * 3000, 400, [""]),
        (b"[]", 422, [""]),
        ({**ONHAND, "BusinessEventId": ""}, 422, ["/BusinessEventId"]),
        ({**ONHAND, "BusinessEventId": 7}, 422, ["/BusinessEventId"]),
        ({**ONHAND, "EventId": "no guid"}, 422, ["/EventId"]),
        ({**ONHAND, "EventId": f"{ONHAND['EventId']}\n"}, 422, ["/EventId"]),
        ({**ONHAND, "LegalEntity": None}, 422, ["/LegalEntity"]),
        ({**ONHAND, "LegalEntity": "five5"}, 422, ["/LegalEntity"]),
        ({"MessageName": "Update", "InputParameters": []}, 422, ["/BusinessEventId", "/EventId"]),
    ],
)
async def test_a_body_that_is_no_envelope_is_told_where(
    erp: Erp, body: bytes | Mapping[str, Any], status: int, pointers: list[str]
) -> None:
    answered, problem = await erp.post(body)

    assert answered == status
    assert [flaw["pointer"] for flaw in problem["errors"]] == pointers
    # Not taken, so the corrected event may carry the same id.
    assert (await erp.post(ONHAND))[1] == {"state": "taken"}


async def test_a_megabyte_is_not_read(erp: Erp) -> None:
    status, problem = await erp.post(b"x" * 1_000_000)

    assert (status, problem["type"]) == (413, "/problems/body_too_large")
    assert str(BODY_LIMIT_BYTES) in problem["detail"]
    assert (await erp.post({**ONHAND, "More": "x" * (BODY_LIMIT_BYTES - 500)}))[0] == 202


async def test_what_finds_no_room_is_left_to_the_next_run() -> None:
    full = Hints[ErpHint](lambda _: asyncio.sleep(0))
    event = ErpEvent(name="any", markets=(), members={})
    for _ in range(MOST_WAITING):
        full.take(ErpHint("stock", event))

    async with intake(full) as erp:
        assert await erp.post(ONHAND) == (202, {"state": "left to the next run"})
