"""What the ERP's rows of `d365-sync check` say, and which dial turns which red."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.document_contracts import (
    customer_contracts,
    order_contracts,
    return_contracts,
)
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS, ENUMS
from pricing_proxy.sandbox.server import Sandbox
from sync.check.erp import ACCESS, erp_rows
from sync.check.erp import ENUMS as ENUM_ROW
from sync.check.rows import CheckRow, State
from sync.erp_access import erp_access
from tests.sandbox.conftest import Client, settings
from tests.sync.test_erp_access import environment

CONTRACTS = (
    *order_contracts(),
    *customer_contracts(always_sent=("CustomerGroupId", "SalesCurrencyCode")),
    *return_contracts(),
)
HEADERS = "SalesOrderHeadersV3"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with Sandbox(settings(tmp_path)) as sandbox, ClientSession() as session:
        yield Client(sandbox, session)


async def checked(client: Client, **members: Any) -> list[CheckRow]:
    clock = SystemClock()
    told = environment(client.sandbox, **members)
    wait = timedelta(seconds=3)
    async with erp_access("sandbox", told, clock=clock, request_time=wait) as access:
        return await erp_rows(access, company="demf", contracts=CONTRACTS, clock=clock)


def red(rows: list[CheckRow]) -> list[str]:
    assert all(row.next_step for row in rows if row.state is State.FAILED)
    return [row.name for row in rows if row.state is State.FAILED]


async def test_a_healthy_erp_has_no_red_row(client: Client) -> None:
    rows = await checked(client)
    found = {row.name: row.found for row in rows}
    assert {row.state for row in rows} == {State.OK}
    assert found[ACCESS] == "token accepted, version 10.0.44"
    assert found["CustomersV3"] == f"{len(client.sandbox.book.customers)} rows in demf"
    assert found[HEADERS] == "0 rows in demf"
    assert {contract.entity_set for contract in CONTRACTS} == set(found) & DOCUMENT_SETS.keys()


@pytest.mark.parametrize(
    ("dials", "row", "told"),
    [
        (
            {"rename_fields": {f"{HEADERS}.CustomersOrderReference": "CustomerReference"}},
            f"{HEADERS} schema",
            "perhaps it is 'CustomerReference' now",
        ),
        (
            {"mandatory_fields": ["ReturnOrderLinesV2.OriginStateId"]},
            "ReturnOrderLinesV2 schema",
            "OriginStateId is mandatory",
        ),
        ({"dead": True}, ACCESS, "cannot be reached"),
        ({"error_rate": 1}, ACCESS, "answered 500"),
        ({"retry_after": 60}, ACCESS, "the rate gate opens too late"),
        ({"token_revoked": True}, ACCESS, "answered 401"),
    ],
)
async def test_a_dial_turns_exactly_its_row_red(
    client: Client, dials: dict[str, Any], row: str, told: str
) -> None:
    await client.turn("fo", **dials)
    rows = await checked(client)
    assert red(rows) == [row]
    assert told in next(each.found for each in rows if each.name == row)


async def test_a_wrong_secret_is_told_from_an_erp_that_is_down(client: Client) -> None:
    first, *others = await checked(client, sync_client_secret="wrong")
    assert first.state is State.FAILED
    assert "sync_client_secret" in first.next_step
    assert {row.state for row in others} == {State.SKIPPED}


async def test_a_set_that_is_not_public_is_named(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(DOCUMENT_SETS, "ContactPersons")
    monkeypatch.setitem(ENUMS, "SalesStatus", {"Backorder": 1})
    assert red(await checked(client)) == ["ContactPersons", "ContactPersons schema", ENUM_ROW]
