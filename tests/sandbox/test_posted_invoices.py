"""Invoices and credit notes of the simulated ERP, as its sets tell them."""

import asyncio
from decimal import Decimal
from typing import Any

from typer.testing import CliRunner

from pricing_proxy.sandbox.command import sandbox_app
from tests.sandbox.conftest import Client
from tests.sandbox.documents import create, order
from tests.sandbox.test_packing_slips import FREIGHT, GOING, LAMP, OTHER, post, rows, told

HEADS, LINES = "SalesInvoiceHeadersV2", "SalesInvoiceV2Lines"
JOURNAL, TRANSACTIONS = "CustInvoiceJourBiEntities", "CustInvoiceTransBiEntities"
LINKS = "BusinessDocumentStockedPackingSlipLinesV3"
PRICED: dict[str, Any] = {**LAMP, "SalesPrice": 10, "SalesTaxItemGroupCode": "VAT19"}
TAXED_FREIGHT: dict[str, Any] = {**FREIGHT, "SalesPrice": 4.5, "SalesTaxItemGroupCode": "VAT19"}


async def joined(client: Client, number: str) -> list[tuple[Any, ...]]:
    """Return an invoice's lines with their orders' lines, joined as F&O lets them be joined."""
    lines = await rows(client, LINES, f"InvoiceNumber eq '{number}'")
    links = await rows(client, TRANSACTIONS, f"InvoiceId eq '{number}'")
    place = "LineCreationSequenceNumber"
    orders = {row[place]: (row["OrigSalesId"], row["InventTransId"]) for row in links}
    return [
        (*orders[row[place]], row["InvoicedQuantity"], row["LineAmount"], row["LineTotalTaxAmount"])
        for row in lines
    ]


async def lots(client: Client, number: str) -> list[str]:
    """Return the lots of an order's lines."""
    lines = await rows(client, "SalesOrderLinesV3", f"SalesOrderNumber eq '{number}'")
    return [line["InventoryLotId"] for line in lines]


async def test_what_was_delivered_is_billed_with_all_services(client: Client) -> None:
    number = await order(client, PRICED, OTHER, TAXED_FREIGHT, **GOING)
    lamp, _, freight = await lots(client, number)
    for amount in (9, -1):
        await post(client, number, "invoice", status=409, lines={"1": amount})
    await post(client, number, "ship", lines={"1": 5}, services=False)

    first = await post(client, number, "invoice", day="2026-11-24")

    assert await joined(client, first["invoice"]) == [
        (number, lamp, 5, 50, Decimal("9.50")),
        (number, freight, 1, Decimal("4.50"), Decimal("0.86")),
    ]
    [head] = await rows(client, HEADS, "InvoiceDate ge 2026-11-24T00:00:00Z")
    assert (head["TotalInvoiceAmount"], head["TotalTaxAmount"]) == (
        Decimal("64.86"),
        Decimal("10.36"),
    )
    assert (head["InvoiceDate"], head["SalesOrderNumber"], head["CustomersOrderReference"]) == (
        "2026-11-24T12:00:00Z",
        number,
        "000000123",
    )
    assert await told(client, number) == (
        "PartiallyInvoiced",
        "Invoice",
        ["Backorder", "Backorder", "Invoiced"],
    )
    await post(client, number, "ship")
    await post(client, number, "invoice")
    assert (await told(client, number))[0] == "Invoiced"
    await post(client, number, "invoice", status=409)


async def test_the_links_say_which_slips_an_invoice_bills(client: Client) -> None:
    """The oldest first, each once, services on none."""
    number = await order(client, PRICED, FREIGHT, **GOING)
    await post(client, number, "ship", lines={"1": 3}, slip="A")
    await post(client, number, "ship", lines={"1": 5}, slip="B")
    one = await post(client, number, "invoice", lines={"1": 4})
    another = await post(client, number, "invoice")
    links = await rows(client, LINKS, f"OrigSalesId eq '{number}'")
    assert [(row["InvoiceId"], row["PackingSlipId"], row["Quantity"]) for row in links] == [
        (one["invoice"], "A", 3),
        (one["invoice"], "B", 1),
        (another["invoice"], "B", 4),
    ]


async def test_an_invoice_over_orders_names_the_first_alone(client: Client) -> None:
    first = await order(client, PRICED, **GOING)
    second = await order(client, PRICED, CustomersOrderReference="000000124", **GOING)
    for number in (first, second):
        await post(client, number, "ship", lines={"1": 2})
    billed = await post(client, first, "invoice", also=[second])
    [head] = await rows(client, HEADS, f"InvoiceNumber eq '{billed['invoice']}'")
    [journal] = await rows(client, JOURNAL, f"InvoiceId eq '{billed['invoice']}'")
    assert (head["SalesOrderNumber"], journal["SalesId"]) == (first, first)
    found = await rows(client, TRANSACTIONS, f"InvoiceId eq '{billed['invoice']}'")
    assert [(row["SalesId"], row["OrigSalesId"]) for row in found] == [
        (first, first),
        (first, second),
    ]
    foreign = await order(client, PRICED, OrderingCustomerAccountNumber="C-1003", **GOING)
    await post(client, first, "invoice", status=409, also=[foreign])


async def test_an_invoice_before_any_slip_delivers(client: Client) -> None:
    number = await order(client, PRICED, **GOING)
    await post(client, number, "invoice", lines={"1": 8})
    assert (await told(client, number))[0] == "Invoiced"
    assert await rows(client, "CustPackingSlipJourBiEntities", f"SalesId eq '{number}'") == []
    held = "ItemNumber eq 'LAMP-01' and InventoryWarehouseId eq '13'"
    [stock] = await rows(client, "WarehousesOnHandV2", held)
    assert (stock["OnHandQuantity"], stock["OnOrderQuantity"]) == (112, 0)


async def test_amounts_contain_tax_where_prices_do(client: Client) -> None:
    gross = {**PRICED, "OrderedSalesQuantity": 1, "SalesPrice": 119}
    number = await order(client, gross, ArePricesIncludingSalesTax="Yes", **GOING)
    await post(client, number, "ship")
    billed = await post(client, number, "invoice")
    assert (billed["total"], billed["tax"]) == (119, 19)
    [link] = await rows(client, TRANSACTIONS, f"InvoiceId eq '{billed['invoice']}'")
    assert (link["LineAmount"], link["LineAmountTax"]) == (119, 19)


async def test_a_return_is_credited_below_zero(client: Client) -> None:
    """Its lots are its own; the lines that it takes back are named by the return."""
    number = await order(client, PRICED, **GOING)
    [lot] = await lots(client, number)
    await post(client, number, "ship")
    await post(client, number, "invoice")
    made = await create(
        client,
        "ReturnOrderHeadersV2",
        {"dataAreaId": "demf", "CustomerAccountNumber": "C-1001", "CustomersOrderReference": "RMA"},
    )
    line = await create(
        client,
        "ReturnOrderLinesV2",
        {
            "dataAreaId": "demf",
            "ReturnOrderNumber": made["ReturnOrderNumber"],
            "ItemNumber": "LAMP-01",
            "ReturningInventoryLotId": lot,
            "ReturnSalesQuantity": -2,
        },
    )
    credited = await post(client, made["ReturnOrderNumber"], "credit")
    assert (credited["total"], credited["tax"]) == (Decimal("-23.80"), Decimal("-3.80"))
    [journal] = await rows(client, JOURNAL, "InvoiceAmount lt 0")
    assert (journal["SalesId"], journal["ReturnItemNum"], journal["SalesType"]) == (
        made["ReturnOrderNumber"],
        made["RMANumber"],
        "ReturnItem",
    )
    [link] = await rows(client, TRANSACTIONS, f"InvoiceId eq '{credited['invoice']}'")
    assert (link["InventTransId"], link["Qty"]) == (line["ReturnInventoryLotId"], -2)
    [sales] = await rows(client, "SalesLineBiEntities", f"SalesId eq '{made['ReturnOrderNumber']}'")
    assert (sales["InventTransId"], sales["InventTransIdReturn"]) == (link["InventTransId"], lot)
    [slip] = await rows(client, "CustPackingSlipJourBiEntities", "Qty lt 0")
    assert slip["Qty"] == -2
    [again] = await rows(
        client, "ReturnOrderHeadersV2", f"ReturnOrderNumber eq '{made['ReturnOrderNumber']}'"
    )
    assert (again["ReturnStatus"], again["ReturnOrderStatus"]) == ("Closed", "Invoiced")
    await post(client, made["ReturnOrderNumber"], "credit", status=409)


async def test_people_credit_lines_or_money(client: Client) -> None:
    number = await order(client, PRICED, **GOING)
    await post(client, number, "credit", status=409)
    await post(client, number, "ship", lines={"1": 3})
    await post(client, number, "invoice")
    goods = await post(client, number, "credit", lines={"1": 1})
    assert goods["total"] == Decimal("-11.90")
    assert goods["rma"]
    await post(client, number, "credit", status=409, lines={"1": 9})

    money = await post(client, number, "credit", amount="5.00", tax_group="VAT19")

    assert (money["order"], money["total"], money["rma"]) == (number, Decimal("-5.95"), None)
    [line] = await rows(client, LINES, f"InvoiceNumber eq '{money['invoice']}'")
    assert (line["ProductNumber"], line["InvoicedQuantity"]) == ("ALLOWANCE", -1)
    assert (await told(client, number))[2] == ["Backorder", "Invoiced"]


async def test_what_an_order_has_below_zero_does_not_come_back(client: Client) -> None:
    rounding = {**LAMP, "ItemNumber": "ROUNDING", "OrderedSalesQuantity": -1, "SalesPrice": 0.01}
    number = await order(client, PRICED, rounding, **GOING)
    await post(client, number, "ship")
    await post(client, number, "invoice")

    goods = await post(client, number, "credit")

    assert [(line["item"], line["quantity"]) for line in goods["lines"]] == [("LAMP-01", -8)]
    await post(client, number, "credit", status=409, lines={"2": None})


async def test_commands_bill_and_credit(client: Client) -> None:
    number = await order(client, PRICED, **GOING)
    await post(client, number, "ship")
    port = str(client.sandbox.control_url.rpartition(":")[2])
    for words, said in (
        (("invoice", number, "--number", "CIV-9"), f"Invoice CIV-9 of {number}: 8 LAMP-01; 95.20"),
        (("credit", number, "--lines", "1:2"), "-2 LAMP-01; -23.80 EUR, tax -3.80 of it"),
        (("credit", "000000123", "--amount", "5"), "-1 ALLOWANCE; -5.00 EUR"),
    ):
        done = await asyncio.to_thread(
            CliRunner().invoke, sandbox_app, [*words, "--control-port", port]
        )
        assert done.exit_code == 0, done.output
        assert said in done.output
