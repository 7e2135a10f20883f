"""The row that invoices have in `d365-sync check`, beside their sets and resources."""

from collections.abc import Iterator
from http import HTTPStatus

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.invoice_models import InvoicedSlipRow, LotInvoiceLineRow
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.odata import Query, equals
from pricing_proxy.diagnosis.board import Finding, ok, warned
from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.description import CheckRow, erp_advice
from sync.given import ConfiguredMarket

_LOTS = "lots of invoices"
_BY_LOT, _BY_SLIP = LotInvoiceLineRow.entity_set, InvoicedSlipRow.entity_set


def lot_row(market: ConfiguredMarket) -> Iterator[CheckRow[DocumentCalls]]:
    """Yield which set tells whose line of which order an invoice bills.

    Args:
        market: The market.
    """

    async def find(calls: DocumentCalls) -> Finding:
        if await _is_there(calls, LotInvoiceLineRow, market.company):
            return ok(_BY_LOT)
        if await _is_there(calls, InvoicedSlipRow, market.company):
            return warned(
                f"{_BY_SLIP} alone",
                f"Make {_BY_LOT} public in F&O: amounts of invoices over several orders are not "
                "compared without it, and services in them are not invoiced",
            )
        return warned(
            "no set tells lots",
            f"Make {_BY_LOT} public in F&O: invoices that may be over several orders are held "
            "without it",
        )

    yield CheckRow(name=_LOTS, look=find, advice=erp_advice(_BY_LOT))


async def _is_there(calls: DocumentCalls, row: type[Row], company: str) -> bool:
    where = equals("dataAreaId", company)
    query = Query(entity_set=row.entity_set, select=row.key, where=where, top=1)
    try:
        await calls.get(query.target(), name=_LOTS)
    except UpstreamRejectedError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True
