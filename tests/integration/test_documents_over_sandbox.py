"""The document client against the simulated F&O, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.customer_models import AddressBody, CustomerBody
from pricing_proxy.d365.fo.customers import Customers
from pricing_proxy.d365.fo.document_contracts import (
    customer_contracts,
    order_contracts,
    return_contracts,
)
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.metadata import MetadataReader
from pricing_proxy.d365.fo.order_models import SalesOrderHeaderBody, SalesOrderLineBody
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.d365.fo.return_models import ReturnHeaderBody, ReturnLineBody
from pricing_proxy.d365.fo.returns import Returns
from pricing_proxy.d365.fo.schema_contract import Change, compare_entity
from pricing_proxy.d365.transport import Transport
from pricing_proxy.resilience.errors import UpstreamRejectedError, UpstreamUnavailableError
from pricing_proxy.sandbox.server import Sandbox
from tests.d365.loopback import DirectPolicy
from tests.sandbox.conftest import Client, settings

HEADER = SalesOrderHeaderBody(
    OrderingCustomerAccountNumber="C-1001",
    InvoiceCustomerAccountNumber="C-1001",
    CurrencyCode="EUR",
    SalesOrderName="Müller & Söhne",
)


def line(number: int, quantity: int = 2) -> SalesOrderLineBody:
    return SalesOrderLineBody(
        OrderLineReference=f"M1-{number}",
        ItemNumber="LAMP-01",
        OrderedSalesQuantity=Decimal(quantity),
        SalesPrice=Decimal("17.10"),
    )


@dataclass
class Signed:
    """The token of a client of the sandbox."""

    client: Client

    async def token(self) -> str:
        return self.client.token

    def invalidate(self, token: str) -> None:
        raise AssertionError(f"F&O refused {token!r}")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with Sandbox(settings(tmp_path, page_size=2)) as sandbox, ClientSession() as session:
        signed_in = Client(sandbox, session)
        await signed_in.sign_in()
        yield signed_in


@pytest.fixture
async def calls(client: Client) -> AsyncIterator[DocumentCalls]:
    async with ClientSession() as session:
        transport = Transport(
            session,
            base_url=client.sandbox.fo_url,
            tokens=Signed(client),
            clock=SystemClock(),
            system="fo",
        )
        yield DocumentCalls(
            transport,
            policy=DirectPolicy(),
            clock=SystemClock(),
            request_time=timedelta(seconds=10),
        )


@pytest.fixture
def orders(calls: DocumentCalls) -> SalesOrders:
    return SalesOrders(calls)


async def test_an_order_is_written_read_back_and_released(orders: SalesOrders) -> None:
    number = await orders.create_header("demf", HEADER, reference="M1")
    lots = [await orders.add_line("demf", number, line(each)) for each in range(3)]
    (found,) = await orders.find("demf", "M1")
    assert found.SalesOrderNumber == number
    assert found.IsSalesProcessingStopped
    assert found.SalesOrderName == "Müller & Söhne"
    read = await orders.lines("demf", number)
    assert [each.OrderLineReference for each in read] == ["M1-0", "M1-1", "M1-2"]
    assert [each.InventoryLotId for each in read] == lots
    assert {each.LineAmount.value for each in read} == {Decimal("34.20")}
    totals = await orders.totals("demf", number)
    assert totals is not None
    assert totals.OrderTotalAmount.value == Decimal("102.60")
    await orders.release("demf", number)
    (released,) = await orders.find("demf", "M1")
    assert not released.IsSalesProcessingStopped
    await orders.stop("demf", number)
    await orders.delete_header("demf", number)
    assert await orders.find("demf", "M1") == []
    assert await orders.lines("demf", number) == []


async def test_all_headers_of_a_lost_answer_are_found(orders: SalesOrders, client: Client) -> None:
    await client.turn("fo", commit_then_drop=1)
    for _ in range(3):
        with pytest.raises(UpstreamUnavailableError):
            await orders.create_header("demf", HEADER, reference="M1")
    found = await orders.find("demf", "M1")
    assert [row.SalesOrderNumber for row in found] == ["000697", "000698", "000699"]


async def test_a_renamed_reference_field_is_named_by_the_refusal(
    orders: SalesOrders, client: Client
) -> None:
    names = [f"SalesOrderHeaders{version}.CustomersOrderReference" for version in ("V3", "V4")]
    await client.turn("fo", rename_fields=dict.fromkeys(names, "CustRef"))
    with pytest.raises(UpstreamRejectedError) as caught:
        await orders.find("demf", "M1")
    assert caught.value.field == "CustomersOrderReference"
    with pytest.raises(UpstreamRejectedError) as caught:
        await orders.create_header("demf", HEADER, reference="M1")
    assert caught.value.field == "CustomersOrderReference"


async def test_customers_are_found_again_after_they_were_written(calls: DocumentCalls) -> None:
    customers = Customers(calls)
    body = CustomerBody(
        OrganizationName="Fabrikam",
        CustomerGroupId="30",
        SalesCurrencyCode="EUR",
        TaxExemptNumber="DE123",
        PrimaryContactEmail="ap@example.com",
        AddressStreet="Radweg 1",
        AddressCountryRegionId="DEU",
    )
    account = await customers.create("demf", body)
    for found in (
        await customers.find_by_email("demf", "AP@example.com"),
        await customers.find_by("demf", "TaxExemptNumber", "DE123"),
    ):
        assert [row.CustomerAccount for row in found] == [account]
    await customers.update("demf", account, CustomerBody(NameAlias="Fab"))
    row = await customers.find("demf", account)
    assert row is not None
    assert row.NameAlias == "Fab"
    (primary,) = await customers.addresses("demf", account)
    assert primary.AddressLocationId == row.AddressLocationId
    await customers.change_address(primary, AddressBody(AddressCity="Ulm"))
    roles = AddressBody(AddressCity="Bonn", AddressLocationRoles="Delivery;Invoice")
    added = await customers.add_address("demf", account, roles)
    addresses = await customers.addresses("demf", account)
    assert [(each.AddressLocationId, each.AddressCity) for each in addresses] == [
        (primary.AddressLocationId, "Ulm"),
        (added, "Bonn"),
    ]
    assert addresses[1].IsRoleInvoice


async def test_a_return_is_linked_to_the_order(calls: DocumentCalls) -> None:
    orders, returns = SalesOrders(calls), Returns(calls)
    number = await orders.create_header("demf", HEADER, reference="M1")
    lot = await orders.add_line("demf", number, line(1))
    header = ReturnHeaderBody(CustomerAccountNumber="C-1001")
    returned = await returns.create_header("demf", header, reference="CM-1")
    body = ReturnLineBody(
        ItemNumber="LAMP-01",
        ReturnSalesQuantity=Decimal(-1),
        ReturningInventoryLotId=lot,
        ReturnDispositionCode="Credit",
    )
    own = await returns.add_line("demf", returned, body)
    (found,) = await returns.find("demf", "CM-1")
    assert found.ReturnOrderNumber == returned
    (read,) = await returns.lines("demf", returned)
    assert (read.ReturnInventoryLotId, read.ReturningInventoryLotId) == (own, lot)
    assert read.LineAmount.value == Decimal("-17.10")


async def test_a_change_of_the_schema_is_seen_before_a_record_meets_it(
    calls: DocumentCalls, client: Client
) -> None:
    reader = MetadataReader(calls)
    account = ("CustomerGroupId", "SalesCurrencyCode")
    contracts = (
        *order_contracts(),
        *customer_contracts(account_sent=account),
        *return_contracts(),
    )
    for contract in contracts:
        entity = await reader.entity(contract.entity)
        assert entity is not None
        assert compare_entity(contract, entity) == []
    await client.turn(
        "fo",
        rename_fields={"SalesOrderHeadersV3.CustomersOrderReference": "CustRef"},
        mandatory_fields=["SalesOrderHeadersV3.SalesOrderPoolId"],
    )
    header = contracts[0]
    now = await reader.entity(header.entity)
    assert now is not None
    found = compare_entity(header, now)
    assert [(each.change, each.name) for each in found] == [
        (Change.FIELD_GONE, "CustomersOrderReference"),
        (Change.NEWLY_MANDATORY, "SalesOrderPoolId"),
    ]
