"""The sync's way to F&O, with its real limits, over the simulated one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from fakeredis import FakeAsyncRedis

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.d365.way import SYNC, ErpWay, erp_way
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamThrottledError, UpstreamUnavailableError
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import OperationClass
from pricing_proxy.sandbox.entra import TENANT
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.shared_state.gate import Gates
from tests.fakes.recorded_calls import RecordedCalls
from tests.integration.test_documents_over_sandbox import HEADER, line
from tests.resilience.scenario import SECOND, clock, run
from tests.resilience.test_gate import Callers
from tests.sandbox.conftest import Client, settings


def environment(sandbox: Sandbox, **members: Any) -> Environment:
    document = {
        "url": sandbox.fo_url,
        "tenant": TENANT,
        "authority": sandbox.authority.removesuffix(f"/{TENANT}"),
        "ca_file": str(sandbox.ca_file),
        "time_zone": "Europe/Berlin",
        "pricing_client_id": "demo-pricing",
        "pricing_client_secret": "unused",
        "sync_client_id": "demo-sync",
        "sync_client_secret": "demo-sync-secret",
    }
    return Environment.model_validate({**document, **members})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with Sandbox(settings(tmp_path)) as sandbox, ClientSession() as session:
        yield Client(sandbox, session)


@pytest.fixture
def told() -> RecordedCalls:
    return RecordedCalls()


@pytest.fixture
async def way(client: Client, told: RecordedCalls) -> AsyncIterator[ErpWay]:
    async with erp_way(
        "sandbox",
        environment(client.sandbox),
        SYNC,
        gates=Gates(FakeAsyncRedis(), SystemClock()),
        watch=told,
    ) as opened:
        yield opened


@pytest.fixture
def documents(way: ErpWay) -> DocumentCalls:
    return DocumentCalls(
        way.transport, policy=way.policy, clock=SystemClock(), request_time=timedelta(seconds=10)
    )


async def test_documents_and_master_data_are_reached_as_the_sync_app(
    way: ErpWay, documents: DocumentCalls, client: Client, told: RecordedCalls
) -> None:
    orders = SalesOrders(documents)
    number = await orders.create_header("demf", HEADER, reference="M1")
    await orders.add_line("demf", number, line(1))
    assert [row.SalesOrderNumber for row in await orders.find("demf", "M1")] == [number]
    deadline = Deadline.after(5_000_000, now_us=SystemClock().monotonic_us())
    ticket = Ticket(CallClass.BACKGROUND)
    account = next(iter(client.sandbox.book.customers.values())).account
    found = await way.client.customer("demf", account, ticket=ticket, deadline=deadline)
    assert found is not None
    assert [report.operation for report in told.reports] == [
        "order_header_create",
        "order_line_create",
        "read SalesOrderHeadersV3",
        "CustomersV3",
    ]


async def test_a_failing_write_goes_once_and_a_failing_read_again(
    documents: DocumentCalls, client: Client
) -> None:
    orders = SalesOrders(documents)
    await client.turn("fo", error_rate=1)
    with pytest.raises(UpstreamUnavailableError):
        await orders.create_header("demf", HEADER, reference="M1")
    with pytest.raises(UpstreamUnavailableError):
        await orders.find("demf", "M1")
    operations = (await client.calls("fo"))["operations"]
    assert operations["order_header_create"] == 1
    assert operations["order_header_read"] > 1


async def test_a_throttled_write_is_left_to_the_caller(
    documents: DocumentCalls, client: Client
) -> None:
    await client.turn("fo", retry_after=3)
    with pytest.raises(UpstreamThrottledError) as caught:
        await SalesOrders(documents).create_header("demf", HEADER, reference="M1")
    assert caught.value.retry_after == timedelta(seconds=3)


def test_after_a_throttling_the_sync_comes_back_in_its_own_rhythm() -> None:
    """It has no checkout to keep turns for, and obeys a 429 without a time for half a minute."""

    async def main() -> None:
        gate = Gate(system="fo", name="sync", clock=clock(), chance=lambda: 0.0, settings=SYNC.gate)
        gate.throttled(timedelta(seconds=1))
        callers = Callers(gate)
        for index in range(80):
            callers.come(str(index), CallClass.REFRESH)
        await asyncio.gather(*callers.tasks)
        assert [callers.seconds().count(second) for second in range(4)] == [0, 20, 40, 20]

        gate.throttled(None)
        assert gate.view().opens_in_us == 30 * SECOND

    run(main())


async def test_a_guard_that_objects_says_nothing_of_the_erp(
    way: ErpWay, documents: DocumentCalls, client: Client
) -> None:
    async def guard() -> None:
        raise LookupError

    orders = SalesOrders(documents)
    for _ in range(8):
        with pytest.raises(LookupError):
            await orders.create_header("demf", HEADER, reference="M1", guard=guard)
    assert way.policy.breakers[OperationClass.DOCUMENT_WRITE].is_closed
    assert (await client.calls("fo"))["total"] == 0


async def test_an_environment_without_an_app_for_the_sync_is_a_mistake(client: Client) -> None:
    with pytest.raises(ValueError, match="no app for the sync"):
        async with erp_way(
            "sandbox",
            environment(client.sandbox, sync_client_id=None),
            SYNC,
            gates=Gates(FakeAsyncRedis(), SystemClock()),
        ):
            pass
