"""How return orders are looked up and written."""

import json
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)
from pricing_proxy.d365.fo.returns import Returns
from pricing_proxy.resilience.errors import UpstreamContractError
from tests.d365.documents import answers, calls_of, reply, sent
from tests.d365.sample_files import sample

HEADER = ReturnHeaderBody(
    CustomerAccountNumber="US-001",
    CurrencyCode="USD",
    CustomerReturnReasonCode="21",
    ReturnDeadline=date(2025, 4, 10),
    DefaultReturnSiteId="1",
    DefaultReturnWarehouseId="13",
)
LINE = ReturnLineBody(
    ItemNumber="D0001",
    ReturnSalesQuantity=Decimal(-1),
    SalesPrice=Decimal("59.99"),
    ReturnWarehouseId="13",
    ReturnDispositionCode="Credit",
    ReturningInventoryLotId="011001",
)


def header_row(**members: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(ReturnHeaderRow.fields())
    row |= json.loads(sample("return.header.response.json"))
    return row | {"ReturnDeadline": "2025-04-10T12:00:00Z"} | members


async def test_the_return_on_the_wire_is_the_recorded_one() -> None:
    play = answers(
        reply(sample("return.header.response.json"), 201),
        reply({"ReturnInventoryLotId": "021001"}, 201),
        reply(status=204),
    )
    async with calls_of(play) as (calls, erp):
        returns = Returns(calls)
        number = await returns.create_header("usmf", HEADER, reference="RMA-100000007")
        lot = await returns.add_line("usmf", number, LINE)
        await returns.delete_header("usmf", number)
    assert number == "000712"
    assert lot == "021001"
    assert sent(erp, 0) == json.loads(sample("return.header.post.request.json"))
    assert sent(erp, 1) == json.loads(sample("return.line.post.request.json"))
    key = "(dataAreaId='usmf',ReturnOrderNumber='000712')"
    assert erp.targets[2] == f"/data/ReturnOrderHeadersV2{key}?cross-company=true"


async def test_a_return_without_a_number_is_a_broken_contract() -> None:
    async with calls_of(answers(reply({"RMANumber": "7"}, 201))) as (calls, _):
        with pytest.raises(UpstreamContractError, match="ReturnOrderNumber"):
            await Returns(calls).create_header("usmf", HEADER, reference="1")


async def test_returns_are_found_by_reference_with_their_lines() -> None:
    line = dict.fromkeys(ReturnLineRow.fields()) | {
        **json.loads(sample("return.line.post.request.json")),
        "ReturnInventoryLotId": "021001",
        "LineAmount": Decimal("-59.99"),
    }
    text = json.dumps({"value": [line]}, default=float).encode()
    play = answers(
        reply({"value": [header_row(ReturnOrderNumber=number) for number in ("1000", "712")]}),
        reply(text),
    )
    async with calls_of(play) as (calls, erp):
        found = await Returns(calls).find("usmf", "rma-100000007")
        (read,) = await Returns(calls).lines("usmf", "712")
    assert [row.ReturnOrderNumber for row in found] == ["712", "1000"]
    assert found[0].ReturnDeadline == date(2025, 4, 10)
    assert (read.ReturningInventoryLotId, read.LineAmount) == ("011001", "-59.99")
    assert "CustomersOrderReference eq 'rma-100000007'" in unquote(erp.targets[0])
    assert "ReturnOrderNumber eq '712'" in unquote(erp.targets[1])
