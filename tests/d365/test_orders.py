"""What the sales order client sends, how often, and what it believes of the answers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web

from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderBody,
    SalesOrderHeaderRow,
    SalesOrderLineBody,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.operation import OperationClass
from tests.d365.documents import answers, calls_of, reply, sent
from tests.d365.loopback import DirectPolicy, Erp, Play
from tests.d365.sample_files import sample

HEADER = SalesOrderHeaderBody(
    OrderingCustomerAccountNumber="US-001",
    InvoiceCustomerAccountNumber="US-001",
    CurrencyCode="USD",
    LanguageId="en-us",
    CustomerRequisitionNumber="PO-4711",
    SalesOrderOriginCode="WEB",
    SalesOrderName="Contoso Retail San Diego",
    Email="buyer@example.com",
    DefaultShippingSiteId="1",
    DefaultShippingWarehouseId="13",
    DeliveryModeCode="10",
    DeliveryTermsCode="FOB",
    PaymentTermsName="Net30",
    CustomerPaymentMethodName="CARD",
    RequestedShippingDate=date(2025, 3, 10),
    ArePricesIncludingSalesTax=False,
    SkipCreateAutoCharges=True,
    IsDeliveryAddressOrderSpecific=True,
    DeliveryAddressName="Jane Doe",
    DeliveryAddressStreet="123 Coffee Street",
    DeliveryAddressCity="Redmond",
    DeliveryAddressStateId="WA",
    DeliveryAddressZipCode="98052",
    DeliveryAddressCountryRegionId="USA",
)
LINE = SalesOrderLineBody(
    OrderLineReference="000000123-01",
    ItemNumber="D0001",
    OrderedSalesQuantity=Decimal(2),
    SalesUnitSymbol="ea",
    SalesPrice=Decimal("59.99"),
    SalesPriceQuantity=Decimal(1),
    LineDiscountPercentage=Decimal(0),
    ShippingSiteId="1",
    ShippingWarehouseId="13",
    CustomersLineNumber=1,
    SkipCreateAutoCharges=True,
)


def header_row(**members: Any) -> dict[str, Any]:
    """Return a header as the ERP lists it: the sample, completed with empty fields."""
    row: dict[str, Any] = dict.fromkeys(SalesOrderHeaderRow.fields())
    row |= json.loads(sample("order.header.post.response.json"))
    return (
        row
        | {"RequestedReceiptDate": "1900-01-01T12:00:00Z", "TotalDiscountPercentage": 0}
        | members
    )


def line_row(values: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(SalesOrderLineRow.fields()) | {"LineDiscountAmount": 0} | values


@asynccontextmanager
async def orders_of(
    play: Play, policy: DirectPolicy | None = None, **options: Any
) -> AsyncIterator[tuple[SalesOrders, Erp]]:
    time = options.pop("request_time", timedelta(seconds=5))
    async with calls_of(play, policy, request_time=time) as (calls, erp):
        yield SalesOrders(calls, **options), erp


async def test_the_header_on_the_wire_is_the_recorded_one() -> None:
    policy = DirectPolicy()
    answer = reply(sample("order.header.post.response.json"), 201)
    async with orders_of(answers(answer), policy) as (orders, erp):
        number = await orders.create_header("usmf", HEADER, reference="000000123")
    assert number == "000697"
    assert erp.targets == ["/data/SalesOrderHeadersV3?cross-company=true"]
    assert sent(erp) == json.loads(sample("order.header.post.request.json"))
    assert [(o.name, o.kind, o.is_safe) for o in policy.operations] == [
        ("order_header_create", OperationClass.DOCUMENT_WRITE, False)
    ]
    assert [ticket.klass for ticket in policy.tickets] == [CallClass.REFRESH]


async def test_the_line_on_the_wire_is_the_recorded_one_and_keeps_its_digits() -> None:
    answer = reply(sample("order.line.post.response.json"), 201)
    async with orders_of(answers(answer)) as (orders, erp):
        assert await orders.add_line("usmf", "000697", LINE) == "011001"
    assert erp.targets == ["/data/SalesOrderLinesV3?cross-company=true"]
    assert sent(erp) == json.loads(sample("order.line.post.request.json"))
    assert b'"SalesPrice":59.99' in erp.bodies[0]


async def test_the_name_of_the_reference_is_a_setting() -> None:
    options: dict[str, Any] = {
        "reference_field": "XYZMagentoOrderId",
    }
    replies = (
        reply({"SalesOrderNumber": "7"}, 201),
        reply({"InventoryLotId": "L"}, 201),
        reply({"value": [header_row(XYZMagentoOrderId="M1"), header_row(XYZMagentoOrderId="M2")]}),
    )
    async with orders_of(answers(*replies), **options) as (orders, erp):
        await orders.create_header("usmf", HEADER, reference="M1")
        await orders.add_line("usmf", "7", LINE)
        assert len(await orders.find("usmf", "M1")) == 1
    header = sent(erp, 0)
    assert header["XYZMagentoOrderId"] == "M1"
    assert "CustomersOrderReference" not in header
    assert [target.partition("?")[0] for target in erp.targets] == [
        "/data/SalesOrderHeadersV3",
        "/data/SalesOrderLinesV3",
        "/data/SalesOrderHeadersV3",
    ]
    assert "XYZMagentoOrderId eq 'M1'" in unquote(erp.targets[2])
    assert unquote(erp.targets[2]).count("XYZMagentoOrderId") == 2


async def test_fields_that_the_erps_customer_added_are_written_and_read() -> None:
    """They are texts that the program knows the names of by its configuration alone."""
    note, added = "Ring twice", ("ContosoNote", "RequestedShippingDate")
    replies = (
        reply({"SalesOrderNumber": "7"}, 201),
        reply({"value": [header_row(CustomersOrderReference="M1", ContosoNote=note)]}),
    )
    body = HEADER.model_validate({**HEADER.model_dump(exclude_none=True), "ContosoNote": note})
    async with orders_of(answers(*replies), more_fields=added) as (orders, erp):
        await orders.create_header("usmf", body, reference="M1")
        [found] = await orders.find("usmf", "M1")
    assert sent(erp, 0)["ContosoNote"] == note
    assert found.model_dump()["ContosoNote"] == note
    assert unquote(erp.targets[1]).count("ContosoNote") == 1
    assert unquote(erp.targets[1]).count("RequestedShippingDate") == 1


async def test_every_header_with_the_reference_is_found_the_lowest_number_first() -> None:
    policy = DirectPolicy()
    numbers = ("SO-1000", "SO-999", "SO-1001")
    rows = [header_row(SalesOrderNumber=number) for number in numbers]
    link = "/data/SalesOrderHeadersV3?$skiptoken=2"
    pages = (reply({"value": rows[:2], "@odata.nextLink": link}), reply({"value": rows[2:]}))
    async with orders_of(answers(*pages), policy) as (orders, erp):
        found = await orders.find("usmf", "000000123")
    assert [row.SalesOrderNumber for row in found] == ["SO-999", "SO-1000", "SO-1001"]
    assert found[0].IsSalesProcessingStopped
    assert found[0].RequestedShippingDate == date(2025, 3, 10)
    asked = unquote(erp.targets[0])
    assert "(dataAreaId eq 'usmf' and CustomersOrderReference eq '000000123')" in asked
    assert "$select=dataAreaId,SalesOrderNumber," in asked
    assert "OrderTotal" not in asked
    assert {(o.kind, o.is_safe) for o in policy.operations} == {
        (OperationClass.DOCUMENT_READ, True)
    }


async def test_an_empty_look_up_finds_nothing() -> None:
    async with orders_of(answers(reply(sample("order.lookup.empty.json")))) as (orders, _):
        assert await orders.find("usmf", "000000123") == []


async def test_a_wildcard_in_a_reference_finds_no_other_order() -> None:
    """F&O reads `*` as anything, and would return every order that begins so."""
    rows = [header_row(CustomersOrderReference=text) for text in ("A1", "A*", "a* ")]
    async with orders_of(answers(reply({"value": rows}))) as (orders, _):
        found = await orders.find("usmf", "A*")
    assert [row.CustomersOrderReference for row in found] == ["A*", "a* "]


async def test_stopped_orders_are_asked_for_by_the_enums_members() -> None:
    rows = [header_row(IsSalesProcessingStopped="Yes")]
    async with orders_of(answers(reply({"value": rows}))) as (orders, erp):
        found = await orders.stopped("usmf")
    asked = unquote(erp.targets[0])
    assert [row.SalesOrderNumber for row in found] == ["000697"]
    assert "IsSalesProcessingStopped eq Microsoft.Dynamics.DataEntities.NoYes'Yes'" in asked
    assert "SalesOrderStatus eq Microsoft.Dynamics.DataEntities.SalesStatus'Backorder'" in asked


async def test_stopped_orders_have_their_reference_from_the_field_that_holds_it() -> None:
    """Read from the standard field, no late double of a shop with a field of its own was found."""
    rows = [header_row(CustomersOrderReference="typed by a clerk") | {"ShopReference": "B-1"}]
    async with calls_of(answers(reply({"value": rows}))) as (calls, erp):
        found = await SalesOrders(calls, reference_field="ShopReference").stopped("usmf")
    assert [row.CustomersOrderReference for row in found] == ["B-1"]
    assert ",ShopReference" in unquote(erp.targets[0])


async def test_totals_are_read_on_their_own() -> None:
    row = dict.fromkeys(SalesOrderTotalsRow.fields(), 0) | {
        "dataAreaId": "usmf",
        "SalesOrderNumber": "000697",
        "AreTotalsCalculated": "Yes",
    }
    body = json.dumps({"value": [row]}).replace(
        '"OrderTotalTaxAmount": 0', '"OrderTotalTaxAmount": 3.10'
    )
    async with orders_of(answers(reply(body.encode()), reply({"value": []}))) as (orders, _):
        totals = await orders.totals("usmf", "000697")
        assert await orders.totals("usmf", "000698") is None
    assert totals is not None
    assert totals.OrderTotalTaxAmount == "3.10"


async def test_lines_come_by_their_line_numbers() -> None:
    listed = json.loads(sample("order.lines.list.json"))["value"]
    rows = [line_row(values) for values in reversed(listed)]
    async with orders_of(answers(reply({"value": rows}))) as (orders, erp):
        lines = await orders.lines("usmf", "000697")
    assert [line.OrderLineReference for line in lines] == ["000000123-01", "000000123-02"]
    assert [line.InventoryLotId for line in lines] == ["011001", "011002"]
    assert lines[0].LineAmount.value == Decimal("119.98")
    assert lines[1].ProductColorId == "Black"
    assert "SalesOrderNumber eq '000697'" in unquote(erp.targets[0])


async def test_a_row_of_another_company_is_not_believed() -> None:
    rows = [header_row(dataAreaId="demf")]
    async with orders_of(answers(reply({"value": rows}))) as (orders, _):
        with pytest.raises(UpstreamContractError, match="another company"):
            await orders.find("usmf", "000000123")


async def test_release_stop_and_delete_name_the_row_by_its_whole_key() -> None:
    replies = (reply(status=204), reply(status=204), reply(status=204))
    async with orders_of(answers(*replies)) as (orders, erp):
        await orders.release("usmf", "WEB/1")
        await orders.stop("usmf", "WEB/1")
        await orders.delete_header("usmf", "WEB/1")
    key = "(dataAreaId='usmf',SalesOrderNumber='WEB%2F1')?cross-company=true"
    assert erp.targets == [f"/data/SalesOrderHeadersV3{key}"] * 3
    assert [request.method for request in erp.requests] == ["PATCH", "PATCH", "DELETE"]
    assert sent(erp, 0) == json.loads(sample("order.release-hold.patch.json"))
    assert sent(erp, 1) == {"IsSalesProcessingStopped": "Yes"}
    assert erp.bodies[2] == b""


async def test_a_refusal_names_text_and_field() -> None:
    answer = reply(sample("error.400.validation.header.json"), 400)
    async with orders_of(answers(answer)) as (orders, _):
        with pytest.raises(UpstreamRejectedError) as caught:
            await orders.create_header("usmf", HEADER, reference="1")
    assert caught.value.field == "Customer account"
    assert "XX-999" in caught.value.reasons[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"SalesOrderNumber": ""}'])
async def test_a_created_header_without_a_number_is_a_broken_contract(body: bytes) -> None:
    """The order exists, so the caller has to look it up; it is no success."""
    async with orders_of(answers(reply(body, 201))) as (orders, _):
        with pytest.raises(UpstreamContractError):
            await orders.create_header("usmf", HEADER, reference="1")


async def test_a_write_that_fails_without_an_explanation_is_sent_once() -> None:
    async with orders_of(answers(reply(status=503))) as (orders, erp):
        with pytest.raises(UpstreamUnavailableError):
            await orders.create_header("usmf", HEADER, reference="1")
    assert len(erp.requests) == 1


async def test_no_call_lasts_longer_than_the_request_time() -> None:
    async def play(request: web.Request) -> web.Response:
        await request.read()
        raise AssertionError("nothing may be sent")

    async with orders_of(play, request_time=timedelta()) as (orders, erp):
        with pytest.raises(UpstreamTimeoutError):
            await orders.create_header("usmf", HEADER, reference="1")
    assert erp.requests == []


class FenceLostError(Exception):
    """What a guard raises."""


async def test_a_guard_that_objects_keeps_everything_off_the_wire() -> None:
    async def guard() -> None:
        raise FenceLostError

    async with orders_of(answers()) as (orders, erp):
        for write in (
            orders.create_header("usmf", HEADER, reference="1", guard=guard),
            orders.add_line("usmf", "7", LINE, guard=guard),
            orders.release("usmf", "7", guard=guard),
            orders.stop("usmf", "7", guard=guard),
            orders.delete_header("usmf", "7", guard=guard),
        ):
            with pytest.raises(FenceLostError):
                await write
    assert erp.requests == []


async def test_the_guard_is_asked_again_before_a_request_is_sent_anew() -> None:
    """Getting a new token takes time, in which another worker may have taken over."""
    asked: list[int] = []

    async def guard() -> None:
        asked.append(len(erp.requests))
        if len(asked) == 2:
            raise FenceLostError

    async with orders_of(answers(reply(status=401))) as (orders, erp):
        with pytest.raises(FenceLostError):
            await orders.create_header("usmf", HEADER, reference="1", guard=guard)
    assert asked == [0, 1]
    assert len(erp.requests) == 1
