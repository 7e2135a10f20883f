"""The ERP's stock: what orders, warehouses and people do shows in its on-hand rows."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.command import sandbox_app
from pricing_proxy.sandbox.stock.ledger import StockLedger, StockRefusedError, place_of
from pricing_proxy.sandbox.wire import from_json
from tests.sandbox.conftest import Client
from tests.sandbox.documents import key, order

LAMP: dict[str, Any] = {"dataAreaId": "demf", "ItemNumber": "LAMP-01", "OrderedSalesQuantity": 8}
MEASURES = ("OnHand", "ReservedOnHand", "AvailableOnHand", "OnOrder", "ReservedOrdered")


async def on_hand(client: Client, sku: str = "LAMP-01", warehouse: str = "13") -> list[int]:
    """Return on hand, reserved, available, on order and reserved ordered."""
    condition = f"ItemNumber eq '{sku}' and InventoryWarehouseId eq '{warehouse}'"
    [row] = (await client.rows("WarehousesOnHandV2", filter=condition))["value"]
    return [int(row[f"{name}Quantity"]) for name in MEASURES]


async def tell(client: Client, path: str, **members: Any) -> Any:
    """Do something through the control port that must succeed."""
    answer = await client.control("POST", f"fo/{path}", members)
    assert answer.status in (200, 201), await answer.text()
    return from_json(await answer.read())


async def test_a_stopped_order_is_demand_from_its_first_line_on(client: Client) -> None:
    number = await order(client, LAMP, IsSalesProcessingStopped="Yes")
    assert await on_hand(client) == [120, 0, 120, 8, 0]

    address = f"{client.sandbox.fo_url}/data/SalesOrderHeadersV3{key(number)}?cross-company=true"
    answer = await client.session.delete(address, headers=client.headers)

    assert answer.status == 204
    assert await on_hand(client) == [120, 0, 120, 0, 0]


async def test_many_orders_are_entered_at_once_or_none(client: Client) -> None:
    one = {"lines": [{"sku": "LAMP-01", "quantity": 2, "warehouse": "13"}]}
    answer = await client.control("PUT", "fo/orders", {"orders": [{**one, "number": "W1"}, one]})
    assert answer.status == 201
    entered = from_json(await answer.read())["orders"]
    assert [each["number"] for each in entered] == ["W1", "000697"]
    assert await on_hand(client) == [120, 0, 120, 4, 0]

    for wrong, status in (({**one, "number": "w1"}, 409), ("W2", 422)):
        answer = await client.control("PUT", "fo/orders", {"orders": [one, wrong]})
        assert answer.status == status
    assert await on_hand(client) == [120, 0, 120, 4, 0]


async def test_an_automatic_line_keeps_what_is_there_and_waits_for_the_rest(client: Client) -> None:
    await tell(client, "stock/LAMP-01", quantity=5)
    await order(client, {**LAMP, "InventoryReservationMethod": "Automatic"})
    assert await on_hand(client) == [5, 5, 0, 3, 0]


async def test_an_exploded_line_keeps_its_quantity_when_its_order_is_released(
    client: Client,
) -> None:
    client.sandbox.systems["fo"].dials.patch({"reservation": "Explosion"})
    number = await order(client, LAMP, IsSalesProcessingStopped="Yes")
    assert await on_hand(client) == [120, 0, 120, 8, 0]
    await tell(client, f"orders/{number}/release")
    assert await on_hand(client) == [120, 8, 112, 0, 0]


async def test_an_order_goes_through_the_warehouse(client: Client) -> None:
    """Other channels enter it; it is reserved in part, picked, shipped in part, closed short."""
    entered = await tell(
        client, "orders", customer="C-1003", lines=[{"sku": "LAMP-01", "quantity": 8}]
    )
    number, [lot] = entered["number"], entered["lots"]
    kept = await tell(client, f"orders/{number}/reserve", lots={lot: 3})
    assert kept["done"] == {lot: 3}
    assert await on_hand(client) == [120, 3, 117, 5, 0]
    await tell(client, f"orders/{number}/pick", lots={lot: 4})
    assert await on_hand(client) == [116, 0, 116, 4, 0]
    await tell(client, f"orders/{number}/slip", lots={lot: 5})
    assert await on_hand(client) == [115, 0, 115, 3, 0]
    assert await statuses(client, number) == ("PartiallyDelivered", "Backorder")
    await tell(client, f"orders/{number}/close")
    assert await on_hand(client) == [115, 0, 115, 0, 0]
    assert await statuses(client, number) == ("Delivered", "Delivered")
    [slip] = from_json(await (await client.control("GET", "fo/slips")).read())
    assert slip["quantities"] == {lot: 5}


async def statuses(client: Client, number: str) -> tuple[str, str]:
    """Return the processing status of an order, and the status of its only line."""
    condition = f"SalesOrderNumber eq '{number}'"
    [header] = (await client.rows("SalesOrderHeadersV3", filter=condition))["value"]
    [line] = (await client.rows("SalesOrderLinesV3", filter=condition))["value"]
    return header["SalesOrderProcessingStatus"], line["SalesOrderLineStatus"]


async def test_a_line_that_never_ships_is_cancelled_and_one_that_ships_cannot_go(
    client: Client,
) -> None:
    entered = await tell(client, "orders", lines=[{"sku": "LAMP-01"}, {"sku": "LAMP-02"}])
    number, (first, second) = entered["number"], entered["lots"]
    await tell(client, f"orders/{number}/close", lots={first: None})
    await tell(client, f"orders/{number}/slip", lots={second: None})
    address = f"{client.sandbox.fo_url}/data/SalesOrderLinesV3"
    gone = f"{address}(dataAreaId='demf',InventoryLotId='{second}')?cross-company=true"
    assert (await client.session.delete(gone, headers=client.headers)).status == 400
    lines = (await client.rows("SalesOrderLinesV3"))["value"]
    told = {line["InventoryLotId"]: line["SalesOrderLineStatus"] for line in lines}
    assert told == {first: "Canceled", second: "Delivered"}


async def test_boxes_are_wanted_as_pieces(client: Client) -> None:
    """An item's own rule wins: a box of LAMP-02 holds 25, any other 10."""
    await tell(client, "orders", lines=[{"sku": "LAMP-02", "quantity": 2, "unit": "BOX"}])
    assert (await on_hand(client, "LAMP-02"))[3] == 50


async def test_a_line_moves_to_another_warehouse_and_shrinks(client: Client) -> None:
    entered = await tell(
        client, "orders", lines=[{"sku": "LAMP-01", "quantity": 8, "reservation": "Automatic"}]
    )
    number, [lot] = entered["number"], entered["lots"]
    await client.control(
        "PATCH", f"fo/orders/{number}", {"lot": lot, "warehouse": "14", "quantity": 6}
    )
    assert await on_hand(client) == [120, 0, 120, 0, 0]
    assert await on_hand(client, warehouse="14") == [40, 6, 34, 0, 0]


async def test_what_cannot_be_is_refused(client: Client) -> None:
    entered = await tell(client, "orders", is_stopped=True, lines=[{"sku": "LAMP-01"}])
    for path, body, status in (
        (f"orders/{entered['number']}/slip", {}, 409),
        (f"orders/{entered['number']}/jump", {}, 422),
        ("orders/999999/slip", {}, 409),
        ("orders", {"lines": [{"sku": "GHOST"}]}, 409),
        ("orders", {"lines": [{"sku": "LAMP-01", "warehouse": "77"}]}, 422),
        ("orders", {"lines": 7}, 422),
        ("stock/GHOST", {"quantity": 1}, 422),
        ("stock/LAMP-01", {"quantity": "many"}, 422),
        ("stock/LAMP-01", {"quantity": 1, "warehouse": "77"}, 422),
    ):
        answer = await client.control("POST", f"fo/{path}", body)
        assert answer.status == status, (path, await answer.text())
    # An order that was refused in its second line is not there in half.
    assert len((await client.rows("SalesOrderHeadersV3"))["value"]) == 1


async def test_a_row_can_be_missing_and_stock_below_zero(client: Client) -> None:
    await tell(client, "stock/LAMP-01", change=-130)
    assert await on_hand(client) == [-10, 0, -10, 0, 0]
    await client.control("DELETE", "fo/stock/LAMP-01?warehouse=13")
    rows = (await client.rows("WarehousesOnHandV2", filter="ItemNumber eq 'LAMP-01'"))["value"]
    assert [row["InventoryWarehouseId"] for row in rows] == ["14", "24"]
    await tell(client, "stock/LAMP-01", warehouse="19", quantity=2)
    rows = (await client.rows("WarehousesOnHandV2", filter="ItemNumber eq 'LAMP-01'"))["value"]
    assert [row["InventoryWarehouseId"] for row in rows] == ["14", "19", "24"]


async def test_ranges_filters_and_counts_agree_with_the_whole_set(client: Client) -> None:
    """The rows are made when looked at: whichever way they are asked for, they are the same."""
    whole, link = [], "/data/WarehousesOnHandV2?cross-company=true&$count=true"
    body: dict[str, Any] = {}
    while link:
        answer = await client.session.get(client.sandbox.fo_url + link, headers=client.headers)
        body = from_json(await answer.read())
        whole += body["value"]
        link = str(body.get("@odata.nextLink", "")).removeprefix(client.sandbox.fo_url)
    assert len(whole) == body["@odata.count"]
    items = [row["ItemNumber"].casefold() for row in whole]
    assert items == sorted(items)
    for condition, fits in (
        ("ItemNumber ge 'lamp-20'", lambda row: row["ItemNumber"] >= "LAMP-20"),
        ("ItemNumber gt 'LAMP-20'", lambda row: row["ItemNumber"] > "LAMP-20"),
        ("ItemNumber le 'CABLE-0002'", lambda row: row["ItemNumber"] <= "CABLE-0002"),
        (
            "ItemNumber ge 'LAMP-03' and ItemNumber lt 'LAMP-05' and InventoryWarehouseId ne '14'",
            lambda row: (
                "LAMP-03" <= row["ItemNumber"] < "LAMP-05" and row["InventoryWarehouseId"] != "14"
            ),
        ),
        (
            "(ItemNumber eq 'LAMP-01' or ItemNumber eq 'LAMP-07') and dataAreaId eq 'demf'",
            lambda row: row["ItemNumber"] in ("LAMP-01", "LAMP-07"),
        ),
        ("not (InventoryWarehouseId eq '13')", lambda row: row["InventoryWarehouseId"] != "13"),
        ("OnHandQuantity eq 40", lambda row: row["OnHandQuantity"] == 40),
        ("dataAreaId eq 'usmf'", lambda _: False),
    ):
        body = await client.rows("WarehousesOnHandV2", filter=condition, count="true", top="40")
        assert body["@odata.count"] == len([row for row in whole if fits(row)]), condition
        assert body["value"] == [row for row in whole if fits(row)][:40], condition


async def test_an_export_gone_wrong_tells_zeros_and_half_a_catalog(client: Client) -> None:
    dials = client.sandbox.systems["fo"].dials
    dials.patch({"zero_stock": True, "zero_prices": True, "catalog_share": 0.5})
    assert await on_hand(client) == [0, 0, 0, 0, 0]
    body = await client.rows("ReleasedProductsV2", count="true")
    assert {row["SalesPrice"] for row in body["value"]} == {0}
    assert 0 < body["@odata.count"] < len(client.sandbox.book.items)
    dials.patch({"catalog_share": 0})
    assert (await client.rows("ReleasedProductsV2", count="true"))["@odata.count"] == 0


PLACE = place_of("LAMP-01", "13")
deeds = st.tuples(
    st.sampled_from(("enter", "reserve", "unreserve", "pick", "ship", "close", "remove", "change")),
    st.integers(0, 3),
    st.integers(1, 9),
)


@given(held=st.integers(0, 20), done=st.lists(deeds, max_size=40))
@settings(max_examples=100, deadline=None)
def test_what_is_free_falls_by_what_is_ordered_however_it_is_kept(
    held: int, done: list[tuple[str, int, int]]
) -> None:
    """Reserving, picking and shipping change nothing of it: only orders, closings and counts do."""
    ledger = StockLedger()
    ledger.put(PLACE, Decimal(held))
    for deed, number, amount in done:
        lot, quantity = str(number), Decimal(amount)
        if (lot in ledger.lines) == (deed == "enter"):
            continue
        steps: list[Any] = []
        ledger.remember = steps.append
        before = ledger.balance(PLACE)
        try:
            do(ledger, deed, lot, quantity)
        except StockRefusedError:
            assert deed in ("pick", "ship", "remove", "change")
        if amount % 3 == 0:
            while steps:
                steps.pop()()
            assert ledger.balance(PLACE) == before
        lines = ledger.lines_at(PLACE)
        balance = ledger.balance(PLACE)
        free = balance.available - balance.on_order - balance.reserved_ordered
        wanted = sum((line.open for line in lines), ZERO)
        shipped = sum((line.shipped for line in lines), ZERO)
        gone = held - balance.on_hand - sum((line.picked for line in lines), ZERO)
        assert gone == shipped
        assert free == held - shipped - wanted
        assert balance.reserved >= 0
        assert balance.on_order >= 0
        assert balance.available >= 0


def do(ledger: StockLedger, deed: str, lot: str, quantity: Decimal) -> None:
    """Do one thing to a line."""
    match deed:
        case "enter":
            ledger.enter(lot, PLACE, quantity)
        case "change":
            ledger.change(lot, PLACE, quantity)
        case "reserve":
            ledger.reserve(lot, quantity)
        case "pick":
            ledger.pick(lot, quantity)
        case "ship":
            ledger.ship(lot, quantity)
        case "unreserve":
            ledger.unreserve(lot)
        case "close":
            ledger.close(lot)
        case _:
            ledger.remove(lot)


def test_what_is_on_its_way_can_be_kept_too() -> None:
    ledger = StockLedger()
    ledger.put(PLACE, ZERO)
    ledger.expect(PLACE, Decimal(5))
    ledger.enter("1", PLACE, Decimal(8))
    assert ledger.reserve_ordered("1") == 5
    balance = ledger.balance(PLACE)
    assert balance.reserved_ordered == 5
    assert balance.on_order == 3
    assert balance.available_ordered == 0
    with pytest.raises(StockRefusedError):
        ledger.ship("1", Decimal(1))


async def test_commands_speak_to_the_control_port(client: Client) -> None:
    port = str(client.sandbox.control_url.rpartition(":")[2])
    for words in (
        ("adjust", "LAMP-01", "12"),
        ("adjust", "LAMP-01", "+3", "--warehouse", "14"),
        ("rename", "LAMP-01", "Tischlampe", "--language", "de"),
        ("block", "LAMP-02"),
        ("poison", "prices"),
    ):
        done = await asyncio.to_thread(
            CliRunner().invoke, sandbox_app, [*words, "--control-port", port]
        )
        assert done.exit_code == 0, done.output
    assert await on_hand(client) == [12, 0, 12, 0, 0]
    assert await on_hand(client, warehouse="14") == [43, 0, 43, 0, 0]
    condition = "ProductNumber eq 'LAMP-01' and LanguageId eq 'de'"
    [name] = (await client.rows("ProductTranslations", filter=condition))["value"]
    assert name["ProductName"] == "Tischlampe"
    condition = "ItemNumber eq 'LAMP-02'"
    [settings_row] = (await client.rows("ProductDefaultOrderSettings", filter=condition))["value"]
    assert settings_row["IsSalesProcessingStopped"] == "Yes"
    [released] = (await client.rows("ReleasedProductsV2", filter=condition))["value"]
    assert released["SalesPrice"] == 0
