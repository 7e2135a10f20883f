"""The document client against the simulated F&O, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.order_models import SalesOrderHeaderBody, SalesOrderLineBody
from pricing_proxy.d365.fo.orders import OrderSets, SalesOrders
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


@pytest.fixture(params=["V3", "V4"])
def orders(calls: DocumentCalls, request: pytest.FixtureRequest) -> SalesOrders:
    lines = "SalesOrderLinesV3" if request.param == "V3" else "SalesOrderLines"
    return SalesOrders(
        calls, sets=OrderSets(headers=f"SalesOrderHeaders{request.param}", lines=lines)
    )


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
    released = await orders.header("demf", number)
    assert released is not None
    assert not released.IsSalesProcessingStopped
    await orders.stop("demf", number)
    await orders.delete_header("demf", number)
    assert await orders.header("demf", number) is None
    assert await orders.lines("demf", number) == []


async def test_a_whole_order_is_written_or_none_of_it(orders: SalesOrders) -> None:
    await orders.create_whole("demf", "WEB-1", HEADER, [line(1), line(2)], reference="M1")
    assert len(await orders.lines("demf", "WEB-1")) == 2
    nothing = line(2, quantity=0)
    with pytest.raises(UpstreamRejectedError) as caught:
        await orders.create_whole("demf", "WEB-2", HEADER, [line(1), nothing], reference="M2")
    assert caught.value.field == "Quantity"
    assert await orders.find("demf", "M2") == []


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
