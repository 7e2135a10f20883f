"""How invoices are asked for, and what a missing set means."""

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from pricing_proxy.d365.fo.invoice_models import LotInvoiceLineRow, ReturnedLotRow
from pricing_proxy.d365.fo.invoices import InvoiceReads
from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.papers.odd_papers import OddPapers
from tests.d365.documents import answers, calls_of, reply

SINCE = datetime(2026, 11, 29, 12, tzinfo=UTC)
NOT_FOUND = {"error": {"message": "No HTTP resource was found"}}


def line(number: int, **members: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(LotInvoiceLineRow.fields(), ""),
        "dataAreaId": "demf",
        "InvoiceId": "CIV-1",
        "InvoiceDate": "2026-11-29T12:00:00Z",
        "LineCreationSequenceNumber": number,
        "SalesId": "000697",
        "Qty": 1,
        "LineAmount": 11.9,
        "LineAmountTax": 1.9,
        "TaxAmount": 1.9,
        "CreatedOn": "2026-11-29T12:00:00Z",
        "SysModifiedDateTime": "2026-11-29T12:00:00Z",
        **members,
    }


async def test_a_set_that_is_missing_says_nothing_and_another_refusal_is_told() -> None:
    play = answers(reply(NOT_FOUND, 404), reply(NOT_FOUND, 404), reply(NOT_FOUND, 400))
    async with calls_of(play) as (calls, erp):
        reads = InvoiceReads(calls)
        assert await reads.lines_changed("demf", SINCE, OddPapers()) is None
        assert await reads.billed_of("demf", "000697") is None
        with pytest.raises(UpstreamRejectedError):
            await reads.lots_of("demf", "CIV-1")
    asked = unquote(erp.targets[0])
    assert asked.startswith("/data/CustInvoiceTransBiEntities?")
    assert "SysModifiedDateTime ge 2026-11-29T12:00:00" in asked


async def test_a_line_that_is_filed_under_its_own_order_is_told_once() -> None:
    own = line(1, OrigSalesId="000697")
    play = answers(reply({"value": [own, line(2)]}), reply({"value": [own]}))
    async with calls_of(play) as (calls, _):
        found = await InvoiceReads(calls).billed_of("demf", "000697")
    assert found is not None
    assert [str(row.LineCreationSequenceNumber) for row in found] == ["1", "2"]
    assert found[0].net == 10
    assert {row.order for row in found} == {"000697"}


async def test_an_odd_line_is_left_out_where_bills_are_found() -> None:
    odd = OddPapers()
    async with calls_of(answers(reply({"value": [line(1, Qty="x"), line(2)]}))) as (calls, _):
        found = await InvoiceReads(calls).lines_dated("demf", date(2026, 11, 26), odd)
    assert found is not None
    assert len(found) == 1
    assert [each.member for each in odd.found] == ["Qty"]


async def test_many_returns_are_asked_for_in_groups_and_nothing_for_none() -> None:
    row = {
        **dict.fromkeys(ReturnedLotRow.fields(), ""),
        "dataAreaId": "demf",
        "ReturnOrderNumber": "000701",
        "ReturnInventoryLotId": "R-1",
        "ReturnSalesQuantity": -1,
    }
    play = answers(*(reply({"value": [row]}) for _ in range(2)))
    async with calls_of(play) as (calls, erp):
        reads = InvoiceReads(calls)
        assert not await reads.returned("demf", ["", "*"])
        found = await reads.returned("demf", [f"00070{number:02}" for number in range(40)])
    assert (len(found), len(erp.targets)) == (2, 2)
    assert all(len(each) < 2_048 for each in erp.targets)
