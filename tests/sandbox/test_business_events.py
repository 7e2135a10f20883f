"""The simulated F&O hints at changes by its envelope, tries four times, and loses some."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from pricing_proxy.sandbox.business_events import BusinessEvents
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.erp_events import (
    INVOICE_POSTED,
    ON_HAND_CHANGED,
    ORDER_CHANGED,
    PRODUCT_CHANGED,
    SLIP_POSTED,
    TRACKING_ADDED,
)
from pricing_proxy.sandbox.product_changes import change_product
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.stock.ledger import place_of
from tests.sandbox.conftest import settings

DATA = Path(__file__).parent.parent / "data"


@asynccontextmanager
async def endpoint(*statuses: int) -> AsyncIterator[tuple[str, "asyncio.Queue[Any]"]]:
    """Hear events, answering the first of them with these statuses and others with 200."""
    heard: asyncio.Queue[Any] = asyncio.Queue()
    waiting = list(statuses)

    async def take(request: web.Request) -> web.Response:
        heard.put_nowait(json.loads(await request.read()))
        return web.Response(status=waiting.pop(0) if waiting else 200)

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}/v1/events/d365/secret", heard


def events(url: str, **dials: Any) -> BusinessEvents:
    return BusinessEvents(url, "demf", Dials(**dials), milliseconds=lambda: 17, seed="1")


async def test_an_event_is_the_envelope_with_its_members() -> None:
    async with endpoint() as (url, heard), events(url) as sender:
        sender.happened(ON_HAND_CHANGED, {"ItemNumber": "LAMP-01", "InventoryWarehouseId": "13"})
        sender.happened(PRODUCT_CHANGED, {"ItemNumber": "LAMP-02"})
        first, second = await heard.get(), await heard.get()
    assert first["BusinessEventId"] == ON_HAND_CHANGED
    assert (first["EventTime"], first["LegalEntity"]) == ("/Date(17)/", "demf")
    assert (first["ItemNumber"], second["ItemNumber"]) == ("LAMP-01", "LAMP-02")
    assert first["ControlNumber"] < second["ControlNumber"]
    assert first["EventId"] != second["EventId"]


async def test_one_that_is_refused_comes_again_as_the_same() -> None:
    async with endpoint(500) as (url, heard), events(url) as sender:
        sender.happened(PRODUCT_CHANGED, {"ItemNumber": "LAMP-02"})
        assert await heard.get() == await heard.get()


async def test_some_are_lost() -> None:
    async with endpoint() as (url, heard), events(url, event_loss=0.5) as sender:
        for number in range(40):
            sender.happened(PRODUCT_CHANGED, {"ItemNumber": str(number)})
        sender.happened(ON_HAND_CHANGED, {})
        came: list[Any] = []
        async with asyncio.timeout(10):
            while len(came) < 5:
                came.append(await heard.get())
    numbers = [int(each["ItemNumber"]) for each in came]
    assert numbers == sorted(numbers)
    assert numbers != list(range(5))


async def test_what_happens_in_the_erp_is_told(tmp_path: Path) -> None:
    async with endpoint() as (url, heard), Sandbox(settings(tmp_path, events_url=url)) as sandbox:
        sandbox.documents.stock.put(place_of("LAMP-01", "14"), Decimal(3))
        change_product(sandbox.book, "LAMP-02", {"name": "Desk lamp"})
        first, second = await heard.get(), await heard.get()
    assert (first["ItemNumber"], first["InventoryWarehouseId"]) == ("LAMP-01", "14")
    assert (second["BusinessEventId"], second["ItemNumber"]) == (PRODUCT_CHANGED, "LAMP-02")


async def test_what_becomes_of_an_order_is_told(tmp_path: Path) -> None:
    """An invoice as it is documented; the sample has its dates at midnight."""
    async with endpoint() as (url, heard), Sandbox(settings(tmp_path, events_url=url)) as sandbox:
        control = f"{sandbox.control_url}/systems/fo/orders"
        async with ClientSession() as session:
            entered = await session.post(control, json={"lines": [{"sku": "LAMP-01"}]})
            number = (await entered.json())["number"]
            for deed, members in (
                ("confirm", {}),
                ("promise", {"ships": "2027-01-08"}),
                ("start-picking", {}),
                ("ship", {"slip": "A", "day": "2026-11-24"}),
                ("track", {"parcel": "JD1"}),
                ("invoice", {"number": "CIV-9", "day": "2026-11-25"}),
            ):
                answer = await session.post(f"{control}/{number}/{deed}", json=members)
                assert answer.status == 200, await answer.text()
        told: list[Any] = []
        while not told or told[-1]["BusinessEventId"] != INVOICE_POSTED:
            event = await heard.get()
            if event["BusinessEventId"] != ON_HAND_CHANGED:
                told.append(event)
    assert [event["BusinessEventId"] for event in told] == [
        *(ORDER_CHANGED,) * 3,
        SLIP_POSTED,
        TRACKING_ADDED,
        INVOICE_POSTED,
    ]
    assert {event["SalesOrderId"] for event in told} == {number}
    slip, parcel, invoice = told[3:]
    assert (slip["PackingSlipId"], parcel["TrackingNumber"]) == ("A", "JD1")
    sample = json.loads((DATA / "fo_business_event.json").read_text())
    assert invoice.keys() == sample.keys()
    assert invoice["InvoiceDate"] == "/Date(1795564800000)/"
