"""Which set tells whose lines invoices bill, as `d365-sync check` says it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pricing_proxy.diagnosis.board import RowState
from sync.given import ConfiguredMarket
from sync.invoices.check import lot_row
from tests.d365.documents import answers, calls_of, reply

MARKET = cast("ConfiguredMarket", SimpleNamespace(company="demf"))


@pytest.mark.parametrize(
    ("statuses", "state", "text"),
    [
        ([200], RowState.OK, "CustInvoiceTransBiEntities"),
        ([404, 200], RowState.WARNED, "BusinessDocumentStockedPackingSlipLinesV3 alone"),
        ([404, 404], RowState.WARNED, "no set tells lots"),
    ],
)
async def test_the_row_names_the_set_that_tells_lots(
    statuses: list[int], state: RowState, text: str
) -> None:
    [row] = lot_row(MARKET)
    body: dict[str, Any] = {"value": []}
    async with calls_of(answers(*(reply(body, status) for status in statuses))) as (calls, _):
        finding = await row.look(calls)
    assert (finding.state, finding.found) == (state, text)
