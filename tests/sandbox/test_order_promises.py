"""Orders of the simulated ERP are confirmed, promised, picked and closed short."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from pricing_proxy.sandbox.command import sandbox_app
from tests.sandbox.conftest import Client
from tests.sandbox.documents import order
from tests.sandbox.test_packing_slips import FREIGHT, GOING, LAMP, OTHER, post, rows, told
from tests.virtual_time import ManualClock


async def dates(client: Client, number: str) -> list[str]:
    """Return the confirmed ship dates of an order's header and of its lines."""
    [header] = await rows(client, "SalesOrderHeadersV3", f"SalesOrderNumber eq '{number}'")
    lines = await rows(client, "SalesOrderLinesV3", f"SalesOrderNumber eq '{number}'")
    return [row["ConfirmedShippingDate"][:10] for row in (header, *lines)]


async def test_a_confirmation_tells_the_day_and_counts_on(client: Client) -> None:
    number = await order(client, {**LAMP, "SalesPrice": 10}, OTHER, **GOING)
    await post(client, number, "confirm", ships="2026-12-01")
    assert (await told(client, number))[:2] == ("Confirmed", "Confirmation")
    assert await dates(client, number) == ["2026-12-01"] * 3
    await post(client, number, "confirm")
    heads = await rows(client, "SalesOrderConfirmationHeaders", f"SalesOrderNumber eq '{number}'")
    assert [head["ConfirmationNumber"] for head in heads] == [f"{number}-1", f"{number}-2"]
    lines = await rows(client, "SalesOrderConfirmationLines", f"ConfirmationNumber eq '{number}-1'")
    sales = await rows(client, "SalesOrderLinesV3", f"SalesOrderNumber eq '{number}'")
    assert [line["SalesOrderLineInventoryLotId"] for line in lines] == [
        line["InventoryLotId"] for line in sales
    ]
    assert [line["ConfirmedSalesQuantity"] for line in lines] == [8, 2]


async def test_a_date_that_moves_on_one_line_leaves_the_header(
    client: Client, clock: ManualClock
) -> None:
    """A header that did not change says nothing of its lines."""
    number = await order(client, LAMP, OTHER, **GOING)
    await post(client, number, "promise", ships="2026-12-01")
    clock.advance(timedelta(minutes=40))
    await post(client, number, "promise", ships="2026-12-08", lines={"2": None})
    assert await dates(client, number) == ["2026-12-01", "2026-12-01", "2026-12-08"]
    since = "SysModifiedDateTime gt 2026-11-23T08:00:00Z"
    assert await rows(client, "SalesTableBiEntities", since) == []
    [line] = await rows(client, "SalesLineBiEntities", since)
    assert line["ShippingDateConfirmed"] == "2026-12-08T12:00:00Z"
    await post(client, number, "promise", status=422)
    await post(client, number, "ship")
    await post(client, number, "promise", status=409, ships="2026-12-09")


async def test_picking_is_started_and_ends_with_the_slip(client: Client) -> None:
    number = await order(client, LAMP, **GOING)
    await post(client, number, "start-picking", lines={"1": 3})
    assert (await told(client, number))[:2] == ("Picked", "PickingList")
    [route] = await rows(client, "WMSPickingRouteBiEntities", f"transRefId eq '{number}'")
    assert (route["expeditionStatus"], route["transType"]) == ("Started", "Sales")
    await post(client, number, "ship", lines={"1": 3})
    [route] = await rows(client, "WMSPickingRouteBiEntities", f"transRefId eq '{number}'")
    assert route["expeditionStatus"] == "Complete"


@pytest.mark.parametrize(
    ("first", "status", "lines"),
    [
        ({"1": 5}, "Delivered", ["Delivered", "Canceled", "Delivered"]),
        ({}, "Canceled", ["Canceled"] * 3),
    ],
)
async def test_what_is_closed_short_is_never_delivered(
    client: Client, first: dict[str, Any], status: str, lines: list[str]
) -> None:
    """An order of which nothing was delivered is cancelled by it."""
    number = await order(client, LAMP, OTHER, FREIGHT, **GOING)
    if first:
        await post(client, number, "ship", lines=first)
    done = await post(client, number, "close-short")
    assert (done["status"], [*done["lines"].values()]) == (status, lines)
    [line] = await rows(
        client, "SalesLineBiEntities", f"SalesId eq '{number}' and LineCreationSequenceNumber eq 1"
    )
    assert line["RemainSalesPhysical"] == 0
    await post(client, number, "ship", status=409)


async def test_commands_promise_and_close(client: Client) -> None:
    number = await order(client, LAMP, OTHER, **GOING)
    port = str(client.sandbox.control_url.rpartition(":")[2])
    for words, said in (
        (("confirm", number, "--ships", "2026-12-01"), f"Confirmation {number}-1 over "),
        (("promise", number, "2026-12-04", "--lines", "2"), "Lines 2 ship on 2026-12-04."),
        (("pick", number, "--lines", "1:2"), f"Order {number} is Picked: line 1 Backorder"),
        (("close-short", "000000123"), "is Canceled: line 1 Canceled, line 2 Canceled"),
    ):
        done = await asyncio.to_thread(
            CliRunner().invoke, sandbox_app, [*words, "--control-port", port]
        )
        assert done.exit_code == 0, done.output
        assert said in done.output
