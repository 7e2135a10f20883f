"""What a warehouse posts in the simulated ERP, as the sets of packing slips and orders tell it."""

import asyncio
from datetime import timedelta
from typing import Any

from typer.testing import CliRunner

from pricing_proxy.sandbox.command import sandbox_app
from pricing_proxy.sandbox.wire import from_json
from tests.sandbox.conftest import Client
from tests.sandbox.documents import order, write
from tests.virtual_time import ManualClock

SLIPS, LINES = "CustPackingSlipJourBiEntities", "CustPackingSlipTransBiEntities"
LAMP: dict[str, Any] = {"dataAreaId": "demf", "ItemNumber": "LAMP-01", "OrderedSalesQuantity": 8}
OTHER: dict[str, Any] = {"dataAreaId": "demf", "ItemNumber": "LAMP-02", "OrderedSalesQuantity": 2}
FREIGHT: dict[str, Any] = {
    "dataAreaId": "demf",
    "ItemNumber": "FREIGHT",
    "OrderedSalesQuantity": 1,
    "ShippingSiteId": "1",
}
GOING = {"IsSalesProcessingStopped": "No"}


async def post(client: Client, number: str, deed: str, *, status: int = 200, **members: Any) -> Any:
    """Have something posted of an order."""
    answer = await client.control("POST", f"fo/orders/{number}/{deed}", members)
    assert answer.status == status, await answer.text()
    return from_json(await answer.read())


async def rows(client: Client, entity_set: str, filter: str) -> list[dict[str, Any]]:  # noqa: A002 - the option's name
    """Return the rows of a set that a filter names."""
    found: list[dict[str, Any]] = (await client.rows(entity_set, filter=filter))["value"]
    return found


async def told(client: Client, number: str) -> tuple[str, str, list[str]]:
    """Return an order's processing status, its document status, and its lines' statuses."""
    [header] = await rows(client, "SalesOrderHeadersV3", f"SalesOrderNumber eq '{number}'")
    [table] = await rows(client, "SalesTableBiEntities", f"SalesId eq '{number}'")
    lines = await rows(client, "SalesOrderLinesV3", f"SalesOrderNumber eq '{number}'")
    statuses = [line["SalesOrderLineStatus"] for line in lines]
    return header["SalesOrderProcessingStatus"], table["DocumentStatus"], statuses


async def test_an_order_is_shipped_in_two_parts_from_two_warehouses(client: Client) -> None:
    """Services go with the first slip; a slip says what is left of each of its lines."""
    number = await order(client, LAMP, OTHER, FREIGHT, **GOING)
    assert await told(client, number) == ("Active", "None", ["Backorder"] * 3)

    [first] = await post(client, number, "ship", lines={"1": 5}, carrier="DHL")
    assert await told(client, number) == (
        "PartiallyDelivered",
        "PackingSlip",
        ["Backorder", "Backorder", "Delivered"],
    )
    [second] = await post(client, "000000123", "ship", lines={"1": 3, "2": None}, day="2026-11-25")

    assert (await told(client, number))[0] == "Delivered"
    heads = await rows(client, SLIPS, f"SalesId eq '{number}'")
    assert [(head["PackingSlipId"], head["Qty"], head["DeliveryDate"]) for head in heads] == [
        (first["slip"], 6, "2026-11-23T12:00:00Z"),
        (second["slip"], 5, "2026-11-25T12:00:00Z"),
    ]
    assert [(head["ShipCarrierId"], head["CustomerRef"]) for head in heads] == [
        ("DHL", "000000123"),
        ("", "000000123"),
    ]
    lines = await rows(client, LINES, f"SalesId eq '{number}'")
    assert [(line["ItemId"], line["Ordered"], line["Qty"], line["Remain"]) for line in lines] == [
        ("LAMP-01", 8, 5, 3),
        ("FREIGHT", 1, 1, 0),
        ("LAMP-01", 8, 3, 0),
        ("LAMP-02", 2, 2, 0),
    ]
    sales = await rows(client, "SalesOrderLinesV3", f"SalesOrderNumber eq '{number}'")
    assert {line["InventTransId"] for line in lines} == {one["InventoryLotId"] for one in sales}


async def test_lines_move_to_the_warehouse_that_ships_them(client: Client) -> None:
    number = await order(client, LAMP, OTHER, **GOING)
    await post(client, number, "ship", lines={"1": 3}, warehouse="24")
    await post(client, number, "ship", lines={"2": None}, warehouse="14")
    lines = await rows(client, "SalesOrderLinesV3", f"SalesOrderNumber eq '{number}'")
    assert [line["ShippingWarehouseId"] for line in lines] == ["24", "14"]
    # The rest is delivered from where its first part was.
    await post(client, number, "ship", status=409, lines={"1": None}, warehouse="13")


async def test_numbers_repeat_and_days_differ(client: Client) -> None:
    """A number alone names no slip: two orders have it, and one of them twice."""
    one = await order(client, LAMP, **GOING)
    another = await order(client, LAMP, CustomersOrderReference="000000124", **GOING)
    await post(client, one, "ship", lines={"1": 1}, slip="7", day="2026-11-20")
    await post(client, another, "ship", lines={"1": 2}, slip="7", day="2026-11-20")
    await post(client, one, "ship", lines={"1": 3}, slip="7", day="2026-11-21")
    heads = await rows(client, SLIPS, "PackingSlipId eq '7' and DeliveryDate ge 2026-11-20")
    assert [(head["SalesId"], head["Qty"]) for head in heads] == [(one, 1), (another, 2), (one, 3)]
    since = await rows(client, LINES, "DeliveryDate gt 2026-11-20T12:00:00Z")
    assert [line["Qty"] for line in since] == [3]


async def test_orders_share_a_slip_in_both_ways(client: Client) -> None:
    """Each has a slip of the number; or the first order's is all there is, and says whose is what.

    Only `OrigSalesId` and the lot tell the order of a line of the second kind.
    """
    one = await order(client, LAMP, **GOING)
    another = await order(client, OTHER, CustomersOrderReference="000000124", **GOING)
    await post(client, one, "ship", lines={"1": 4}, also=[another])
    heads = await rows(client, SLIPS, "Qty gt 0")
    assert [(head["SalesId"], head["Qty"]) for head in heads] == [(one, 4), (another, 2)]
    assert len({head["PackingSlipId"] for head in heads}) == 1

    third = await order(client, OTHER, CustomersOrderReference="000000125", **GOING)
    await post(client, one, "ship", slip="S", summary=True, also=[third])
    [head] = await rows(client, SLIPS, "PackingSlipId eq 'S'")
    assert (head["SalesId"], head["Qty"]) == (one, 6)
    lines = await rows(client, LINES, "PackingSlipId eq 'S'")
    assert [(line["SalesId"], line["OrigSalesId"]) for line in lines] == [(one, one), (one, third)]
    assert (await told(client, third))[0] == "Delivered"


async def test_parcels_get_their_numbers_later_and_several(client: Client) -> None:
    number = await order(client, LAMP, **GOING)
    await post(client, number, "track", status=409, parcel="JD1")
    await post(client, number, "ship", lines={"1": 2}, slip="A", carrier="UPS")
    await post(client, number, "ship", lines={"1": 2}, slip="B")
    await post(client, number, "track", parcel="1Z9", slip="A")
    await post(client, number, "track", parcel="JD1")
    await post(client, number, "track", parcel="JD2", url="https://track.example/JD2")
    found = await rows(
        client, "PackingSlipTrackingInformation", "DeliveryDate ge 2026-11-23T00:00:00Z"
    )
    assert [
        (row["PackingSlipNumber"], row["TrackingNumber"], row["TrackingURL"]) for row in found
    ] == [
        ("A", "1Z9", "https://ups.example/track?n=1Z9"),
        ("B", "JD1", ""),
        ("B", "JD2", "https://track.example/JD2"),
    ]


async def test_a_corrected_slip_shrinks_where_it_stands(client: Client) -> None:
    """What was never shipped is in stock again, and open; a cancelled slip holds nothing."""
    number = await order(client, LAMP, **GOING)
    await post(client, number, "ship", lines={"1": 8}, slip="A")
    await post(client, number, "correct", lines={"1": 5})
    [line] = await rows(client, LINES, "PackingSlipId eq 'A'")
    assert (line["Qty"], line["Remain"]) == (5, 3)
    assert (await told(client, number))[0] == "PartiallyDelivered"
    held = "ItemNumber eq 'LAMP-01' and InventoryWarehouseId eq '13'"
    [stock] = await rows(client, "WarehousesOnHandV2", held)
    assert (stock["OnHandQuantity"], stock["OnOrderQuantity"]) == (115, 3)

    await post(client, number, "correct", status=409, lines={"1": 6})
    await post(client, number, "correct", slip="A")
    [head] = await rows(client, SLIPS, "PackingSlipId eq 'A'")
    versions = await rows(
        client,
        "CustPackingSlipVersionBiEntities",
        f"CustPackingSlipJour eq {head['SourceDocumentHeader']}",
    )
    assert head["Qty"] == 0
    assert versions[-1]["Qty"] == 0
    assert await told(client, number) == ("Active", "None", ["Backorder"])


async def test_more_than_ordered_is_delivered_where_that_is_allowed(client: Client) -> None:
    number = await order(client, LAMP, {**OTHER, "AllowedOverdeliveryPercentage": 50}, **GOING)
    await post(client, number, "ship", status=409, lines={"1": 9})
    await post(client, number, "ship", lines={"1": 9}, over=True)
    await post(client, number, "ship", lines={"2": 3})
    lines = await rows(client, LINES, f"SalesId eq '{number}'")
    assert [(line["Qty"], line["Remain"]) for line in lines] == [(9, -1), (3, -1)]
    assert (await told(client, number))[0] == "Delivered"


async def test_changes_of_orders_show_by_their_time(client: Client, clock: ManualClock) -> None:
    """A posting writes the header; a parcel's number does not."""
    one = await order(client, LAMP, **GOING)
    await order(client, LAMP, CustomersOrderReference="000000124", **GOING)
    clock.advance(timedelta(minutes=10))
    since = "SysModifiedDateTime gt 2026-11-23T07:35:00Z"
    assert await rows(client, "SalesTableBiEntities", since) == []
    await post(client, one, "ship", lines={"1": 1})
    [header] = await rows(client, "SalesTableBiEntities", since)
    [line] = await rows(client, "SalesLineBiEntities", since)
    assert (header["SalesId"], header["SalesStatus"], header["CustomerRef"]) == (
        one,
        "Backorder",
        "000000123",
    )
    assert (line["RemainSalesPhysical"], line["RemainSalesFinancial"]) == (7, 1)
    clock.advance(timedelta(minutes=10))
    await post(client, one, "track", parcel="JD1")
    assert await rows(client, "SalesTableBiEntities", since.replace("07:35", "07:45")) == []


async def test_a_watch_list_is_asked_for_by_numbers(client: Client) -> None:
    numbers = [
        await order(client, LAMP, CustomersOrderReference=f"00000020{count}", **GOING)
        for count in range(4)
    ]
    await post(client, numbers[2], "ship")
    for name, field in (
        ("SalesOrderHeadersV3", "SalesOrderNumber"),
        ("SalesTableBiEntities", "SalesId"),
        ("SalesLineBiEntities", "SalesId"),
    ):
        either = " or ".join(f"{field} eq '{one}'" for one in (*numbers[1:], "999999"))
        found = await rows(client, name, f"dataAreaId eq 'demf' and ({either})")
        assert [row[field] for row in found] == numbers[1:], name


async def test_what_postings_fill_nobody_writes_and_an_environment_may_lack(
    client: Client,
) -> None:
    assert (await write(client, "POST", SLIPS, {"dataAreaId": "demf"})).status == 405
    client.sandbox.systems["fo"].dials.patch({"absent_sets": [SLIPS, "SalesTableBiEntities"]})
    for name in (SLIPS, "SalesTableBiEntities"):
        assert (await client.get(f"/data/{name}", **{"cross-company": "true"})).status == 404
    answer = await client.get(f"/Metadata/PublicEntities('{LINES[:-3]}y')")
    body = await answer.json()
    assert body["IsReadOnly"]
    assert body["EntitySetName"] == LINES


async def test_members_that_mean_nothing_are_named(client: Client) -> None:
    number = await order(client, LAMP, **GOING)
    for deed, members, status in (
        ("ship", {"lines": {"7": 1}}, 422),
        ("ship", {"lines": [1]}, 422),
        ("ship", {"warehouse": "77"}, 422),
        ("ship", {"day": "tomorrow"}, 422),
        ("ship", {"lots": {}}, 422),
        ("ship", {"also": ["999999"]}, 409),
        ("track", {}, 422),
        ("correct", {"slip": "PS-1"}, 409),
    ):
        await post(client, number, deed, status=status, **members)
    assert await rows(client, SLIPS, f"SalesId eq '{number}'") == []


async def test_commands_post_what_a_warehouse_posts(client: Client) -> None:
    number = await order(client, LAMP, OTHER, **GOING)
    port = str(client.sandbox.control_url.rpartition(":")[2])
    for words, said in (
        (("ship", number, "--lines", "1:3,2", "--slip", "A"), "3 LAMP-01 (line 1, 13), 2 LAMP-02"),
        (("track", number, "JD1"), "Parcel JD1 on packing slip A"),
        (("correct", number, "--lines", "1:2"), "Packing slip A holds 4 now."),
        (("ship", "000000123", "--warehouse", "13"), "6 LAMP-01 (line 1, 13)"),
    ):
        done = await asyncio.to_thread(
            CliRunner().invoke, sandbox_app, [*words, "--control-port", port]
        )
        assert done.exit_code == 0, done.output
        assert said in done.output
    done = await asyncio.to_thread(
        CliRunner().invoke, sandbox_app, ["ship", "000999", "--control-port", port]
    )
    assert done.exit_code == 2
    assert "There is no order 000999." in done.output
