"""What the client asks F&O, and what it believes of the answers."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.fo.models import (
    CustomerRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
)
from pricing_proxy.d365.fo.price_calls import PriceRequest, PriceRequestLine
from pricing_proxy.d365.fo.row_reading import UnreadableRows
from pricing_proxy.d365.odata import equals
from pricing_proxy.d365.transport import Transport
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.operation import OperationClass
from tests.d365.documents import answers, calls_of, reply
from tests.d365.loopback import DirectPolicy, Erp, soon, transport_to
from tests.d365.sample_files import sample

R = TypeVar("R")

NOW = Ticket(CallClass.INTERACTIVE)


def customer_row(number: int, **members: Any) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(sample("customer.get.response.json"))
    return row | {"dataAreaId": "demf", "CustomerAccount": f"C-{number}"} | members


class Book:
    """A server of entity sets in pages of `page_size`, and of prices.

    It knows no filters: what a set holds is what a read of it returns.
    """

    def __init__(self, page_size: int = 10_000) -> None:
        self.sets: dict[str, list[dict[str, Any]]] = {}
        self.page_size = page_size
        self.price_answer: bytes = b'{"lines": []}'
        self.failing_page = -1

    async def play(self, request: web.Request) -> web.Response:
        if request.path.startswith("/api/services/"):
            return web.Response(body=self.price_answer, content_type="application/json")
        if request.path.endswith("GetApplicationVersion"):
            return web.json_response({"value": "10.0.44"})
        name = request.path.removeprefix("/data/")
        rows = self.sets[name]
        start = int(request.query.get("$skiptoken", "0"))
        size = min(self.page_size, int(request.query.get("$top", "10000")))
        if start // size == self.failing_page:
            return web.Response(status=503)
        body: dict[str, Any] = {"value": rows[start : start + size]}
        if "$count" in request.query:
            body["@odata.count"] = len(rows)
        if "$top" not in request.query and start + size < len(rows):
            link = request.url.with_query({**request.query, "$skiptoken": str(start + size)})
            body["@odata.nextLink"] = str(link)
        return web.json_response(body)


@asynccontextmanager
async def client_of(
    book: Book, policy: DirectPolicy | None = None, **options: Any
) -> AsyncIterator[tuple[FinanceOperationsClient, Erp]]:
    async with transport_to(book.play, max_body_bytes=20_000_000) as (transport, erp):
        yield make_client(transport, policy, **options), erp


def make_client(
    transport: Transport, policy: DirectPolicy | None, **options: Any
) -> FinanceOperationsClient:
    return FinanceOperationsClient(
        transport, policy=policy or DirectPolicy(), clock=SystemClock(), **options
    )


def asked(target: str) -> dict[str, str]:
    """Return the query options of a target."""
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def no_odd() -> UnreadableRows:
    """Return where rows are noted that a test does not look at."""
    return UnreadableRows("any")


async def read(lists: AsyncGenerator[list[R], None]) -> list[R]:
    return [row async for rows in lists for row in rows]


async def test_all_customers_are_read_over_all_pages_in_order() -> None:
    book = Book(page_size=700)
    book.sets["CustomersV3"] = [customer_row(number) for number in range(2000)]
    policy = DirectPolicy()
    async with client_of(book, policy) as (client, erp):
        lists = [rows async for rows in client.all_rows(CustomerRow, "demf", no_odd())]
    accounts = [row.CustomerAccount for rows in lists for row in rows]
    assert accounts == [f"C-{number}" for number in range(2000)]
    assert max(map(len, lists)) <= 500
    assert len(erp.requests) == 3
    assert asked(erp.targets[0]) == {
        "cross-company": "true",
        "$filter": "dataAreaId eq 'demf'",
        "$select": ",".join(CustomerRow.model_fields),
        "$orderby": "dataAreaId,CustomerAccount",
        "$count": "true",
    }
    assert {operation.kind for operation in policy.operations} == {OperationClass.MASTER_READ}
    assert all(operation.is_safe for operation in policy.operations)
    assert {ticket.klass for ticket in policy.tickets} == {CallClass.BACKGROUND}


@pytest.mark.parametrize(("counted", "is_believed"), [(60, True), (61, False), (168, False)])
async def test_rows_that_the_erp_counts_but_does_not_send_are_missed(
    counted: int, *, is_believed: bool
) -> None:
    """A page without its link ended the read, without a word."""

    class Cut(Book):
        async def play(self, request: web.Request) -> web.Response:
            assert request.query["$count"] == "true"
            rows = self.sets["CustomersV3"]
            return web.json_response({"@odata.count": counted, "value": rows})

    book = Cut()
    book.sets["CustomersV3"] = [customer_row(number) for number in range(60)]
    async with client_of(book) as (client, _):
        if is_believed:
            assert len(await read(client.all_rows(CustomerRow, "demf", no_odd()))) == 60
        else:
            with pytest.raises(UpstreamContractError, match=f"60 of {counted} rows came"):
                await read(client.all_rows(CustomerRow, "demf", no_odd()))


async def test_products_variants_and_settings_are_read() -> None:
    book = Book()
    for name, file in (
        ("ReleasedProductsV2", "product.released.rows.json"),
        ("ReleasedProductVariantsV2", "product.variants.rows.json"),
        ("ProductDefaultOrderSettings", "product.ordersettings.rows.json"),
    ):
        book.sets[name] = [json.loads(sample(file))["value"][0]]
    async with client_of(book) as (client, erp):
        odd = no_odd()
        products = await read(client.all_rows(ReleasedProductRow, "USMF", odd))
        variants = await read(client.all_rows(ReleasedProductVariantRow, "usmf", odd))
        settings = await read(client.all_rows(OrderSettingsRow, "usmf", odd))
    assert [row.ItemNumber for row in products] == ["D0001"]
    assert products[0].SalesPrice == "74.99"
    assert [row.ProductVariantNumber for row in variants] == ["T0020 : : M : Black :"]
    assert [row.IsSalesProcessingStopped for row in settings] == [False]
    assert odd.count == 0
    assert all("$select" in asked(target) for target in erp.targets)


async def test_a_row_of_another_company_ends_the_read() -> None:
    """It would end up in the wrong market."""
    book = Book()
    book.sets["CustomersV3"] = [customer_row(1), customer_row(2, dataAreaId="usmf")]
    async with client_of(book) as (client, _):
        with pytest.raises(UpstreamContractError, match="another company"):
            [rows async for rows in client.all_rows(CustomerRow, "demf", no_odd())]


async def products_of(*texts: str) -> tuple[list[ReleasedProductRow], UnreadableRows]:
    """Return what is read of a catalog in which rows end so, as they stand on the wire."""
    [known] = json.loads(sample("product.released.rows.json"))["value"][:1]

    async def play(_: web.Request) -> web.Response:
        rows = []
        for number, text in enumerate(texts):
            row = json.dumps({**known, "ItemNumber": f"I-{number}"})[:-1]
            rows.append(row + (f",{text}" if text else "") + "}")
        body = f'{{"@odata.count": {len(rows)}, "value": [{",".join(rows)}]}}'
        return web.Response(text=body, content_type="application/json")

    odd = UnreadableRows("ReleasedProductsV2")
    async with transport_to(play) as (transport, _):
        client = make_client(transport, None)
        return await read(client.all_rows(ReleasedProductRow, "usmf", odd)), odd


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e99", "null", '"74.99"', "[]"])
@pytest.mark.parametrize("field", ["SalesPrice", "SalesPriceQuantity"])
async def test_an_item_whose_base_price_cannot_be_read_has_none(field: str, number: str) -> None:
    """Half a base price is none: a price per hundred pieces without its hundred."""
    rows, odd = await products_of("", f'"{field}": {number}', "")
    assert [row.ItemNumber for row in rows] == ["I-0", "I-1", "I-2"]
    assert [row.SalesPrice for row in rows] == ["74.99", "0", "74.99"]
    assert (odd.count, odd.told) == (
        1,
        f"ReleasedProductsV2: 1 row is not as agreed, the first is 'I-1', in {field}",
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('"SalesUnitSymbol": NaN', "SalesUnitSymbol"),
        ('"ProductType": 1e99', "ProductType"),
        ('"ItemNumber": null', "ItemNumber"),
        ('"ItemNumber": "I-1", "SalesUnitSymbol": {"secret": 4711}', "SalesUnitSymbol"),
    ],
)
async def test_a_row_that_cannot_be_read_is_left_out_and_told(text: str, field: str) -> None:
    rows, odd = await products_of("", text, "")
    assert [row.ItemNumber for row in rows] == ["I-0", "I-2"]
    assert odd.count == 1
    assert odd.told.endswith(f"in {field}")
    assert "4711" not in odd.told


async def test_a_set_of_which_most_cannot_be_read_is_not_the_one_that_was_agreed() -> None:
    with pytest.raises(UpstreamContractError, match=r"2 rows are not as agreed.*SalesPrice"):
        await products_of("", '"SalesPrice": NaN', '"SalesPrice": null')


async def test_a_line_s_item_is_found_beside_one_whose_base_price_cannot_be_read() -> None:
    """The sync looks items up by their numbers, and needs no price of them."""
    [known] = json.loads(sample("product.released.rows.json"))["value"][:1]
    rows = [json.dumps({**known, "ItemNumber": f"I-{number}"})[:-1] for number in (1, 2)]
    body = f'{{"value": [{rows[0]}, "SalesPrice": NaN}}, {rows[1]}}}]}}'
    async with calls_of(answers(reply(body.encode()))) as (calls, _):
        found = await calls.rows(
            ReleasedProductRow, equals("ProductType", "Item"), company=known["dataAreaId"]
        )
    assert [row.ItemNumber for row in found] == ["I-1", "I-2"]


async def test_a_single_row_that_cannot_be_read_names_its_field() -> None:
    body = (
        b'{"value": [{"dataAreaId": "demf", "CustomerAccount": "C-1", "SalesCurrencyCode": NaN}]}'
    )
    async with calls_of(answers(reply(body))) as (calls, _):
        with pytest.raises(UpstreamContractError, match="SalesCurrencyCode"):
            await calls.rows(CustomerRow, equals("CustomerAccount", "C-1"), company="demf")


async def test_an_odd_row_of_a_customer_is_told_without_whose_it_is() -> None:
    book, odd = Book(), UnreadableRows("CustomersV3")
    book.sets["CustomersV3"] = [customer_row(n) for n in range(3)]
    book.sets["CustomersV3"][1]["SalesCurrencyCode"] = {"secret": 4711}
    async with client_of(book) as (client, _):
        rows = await read(client.all_rows(CustomerRow, "demf", odd))
    assert [row.CustomerAccount for row in rows] == ["C-0", "C-2"]
    assert odd.told == "CustomersV3: 1 row is not as agreed, the first is in SalesCurrencyCode"


async def test_a_read_that_fails_half_way_does_not_end_as_if_complete() -> None:
    book = Book(page_size=10)
    book.sets["CustomersV3"] = [customer_row(number) for number in range(30)]
    book.failing_page = 2
    async with (
        client_of(book) as (client, _),
        aclosing(client.all_rows(CustomerRow, "demf", no_odd())) as lists,
    ):
        assert len(await anext(lists)) == 10
        assert len(await anext(lists)) == 10
        with pytest.raises(UpstreamUnavailableError):
            await anext(lists)


async def test_who_stops_early_costs_no_further_page() -> None:
    book = Book(page_size=10)
    book.sets["CustomersV3"] = [customer_row(number) for number in range(30)]
    async with (
        client_of(book) as (client, erp),
        aclosing(client.all_rows(CustomerRow, "demf", no_odd())) as lists,
    ):
        async for rows in lists:
            assert len(rows) == 10
            break
    assert len(erp.requests) == 1


async def test_one_customer_is_found_by_account() -> None:
    book = Book()
    book.sets["CustomersV3"] = [customer_row(7, CustomerAccount="c-O'7")]
    async with client_of(book) as (client, erp):
        row = await client.customer("demf", "C-O'7", ticket=NOW, deadline=soon())
    assert row is not None
    assert row.DiscountPriceGroupId == "B2B"
    filter_text = asked(erp.targets[0])["$filter"]
    assert filter_text == "(dataAreaId eq 'demf' and CustomerAccount eq 'C-O''7')"


async def test_no_customer_is_none() -> None:
    book = Book()
    book.sets["CustomersV3"] = []
    async with client_of(book) as (client, _):
        assert await client.customer("demf", "C-7", ticket=NOW, deadline=soon()) is None


async def test_a_wildcard_finds_nobody() -> None:
    """F&O would return the first customer that fits it."""
    book = Book()
    book.sets["CustomersV3"] = [customer_row(7)]
    async with client_of(book) as (client, erp):
        assert await client.customer("demf", "C-*", ticket=NOW, deadline=soon()) is None
    assert erp.requests == []


async def test_another_customer_than_asked_is_not_believed() -> None:
    book = Book()
    book.sets["CustomersV3"] = [customer_row(8)]
    async with client_of(book) as (client, _):
        with pytest.raises(UpstreamContractError, match="another customer"):
            await client.customer("demf", "C-7", ticket=NOW, deadline=soon())


async def test_probes_cost_one_small_call_each() -> None:
    book = Book()
    book.sets["LegalEntities"] = [{"LegalEntityId": "demf", "Name": "D", "TimeZone": None}]
    async with client_of(book) as (client, erp):
        company = await client.legal_entity("DEMF", ticket=NOW, deadline=soon())
        version = await client.application_version(ticket=NOW, deadline=soon())
    assert company is not None
    assert company.LegalEntityId == "demf"
    assert version == "10.0.44"
    assert len(erp.requests) == 2


async def test_no_company_is_none() -> None:
    book = Book()
    book.sets["LegalEntities"] = []
    async with client_of(book) as (client, _):
        assert await client.legal_entity("xx", ticket=NOW, deadline=soon()) is None


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"@odata.count": null}', b'{"value": 5}'])
async def test_a_version_of_another_shape_is_a_broken_contract(body: bytes) -> None:
    async def play(_: web.Request) -> web.Response:
        return web.Response(body=body)

    async with transport_to(play) as (transport, _):
        client = make_client(transport, None)
        with pytest.raises(UpstreamContractError):
            await client.application_version(ticket=NOW, deadline=soon())


def price_request(*refs: str) -> PriceRequest:
    lines = (
        PriceRequestLine(ref=ref, item_number="LAMP-01", unit="PCS", quantity=Decimal("10.00"))
        for ref in refs
    )
    return PriceRequest(
        company="demf",
        customer="C-1001",
        currency="EUR",
        day=date(2026, 11, 23),
        lines=tuple(lines),
    )


async def test_prices_are_asked_in_one_call_and_keep_their_digits() -> None:
    book, policy = Book(), DirectPolicy()
    book.price_answer = (
        b'{"$id":"1","lines":[{"$id":"2","ref":"a","unitPrice":19.00,"priceUnit":1,'
        b'"priceCharges":0,"lineDiscPercent":10,"lineDiscAmount":0,"multilineDiscPercent":0,'
        b'"netAmount":171.00,"currency":"EUR","source":"TradeAgreement","error":null}]}'
    )
    async with client_of(book, policy) as (client, erp):
        answer = await client.prices(price_request("a", "b"), ticket=NOW, deadline=soon())
    line = answer.lines["a"]
    assert (line.unitPrice, line.lineDiscPercent, line.netAmount) == ("19.00", "10", "171.00")
    assert answer.missing == ("b",)
    assert erp.targets == ["/api/services/PricingProxyServiceGroup/PricingProxyService/getPrices"]
    assert b'"quantity":10.00' in erp.bodies[0]
    assert [operation.kind for operation in policy.operations] == [OperationClass.PRICE_READ]
    assert policy.lines == [2]
    assert policy.tickets == [NOW]


async def test_the_price_service_may_live_elsewhere() -> None:
    async with client_of(Book(), price_service_path="/api/services/X/Y/z") as (client, erp):
        await client.prices(price_request("a"), ticket=NOW, deadline=soon())
    assert erp.targets == ["/api/services/X/Y/z"]


async def test_a_refused_batch_says_so() -> None:
    async def play(_: web.Request) -> web.Response:
        return web.Response(status=500, body=sample("error.500.action.json"))

    async with transport_to(play) as (transport, _):
        with pytest.raises(UpstreamRejectedError):
            await make_client(transport, None).prices(
                price_request("a"), ticket=NOW, deadline=soon()
            )


async def test_a_price_call_ends_with_its_deadline() -> None:
    async with client_of(Book()) as (client, erp):
        with pytest.raises(UpstreamTimeoutError):
            await client.prices(price_request("a"), ticket=NOW, deadline=soon(0))
    assert erp.requests == []


async def test_a_customer_is_believed_in_any_spelling_and_its_own_comes_first() -> None:
    """The ERP's database takes them for one; where it holds two, the one asked for is meant."""
    for held, asked, found in (
        (["C-7"], "c-7 ", "C-7"),
        (["C-7", "c-7"], "c-7", "c-7"),
        (["c-7", "C-7"], " C-7", "C-7"),
    ):
        book = Book()
        book.sets["CustomersV3"] = [customer_row(7) | {"CustomerAccount": each} for each in held]
        async with client_of(book) as (client, _):
            row = await client.customer("demf", asked, ticket=NOW, deadline=soon())
        assert row is not None
        assert row.CustomerAccount == found
