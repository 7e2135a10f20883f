"""What the returns of a market rely on in the ERP, as its rules make them: pure."""

from collections.abc import Iterable

from pricing_proxy.d365.fo.document_contracts import given, return_contracts
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.returns.rules import ReturnRules

_HEADER = ("InvoiceCustomerAccountNumber", "CurrencyCode", "CustomerRequisitionNumber")


def contracts(rules: ReturnRules) -> Iterable[EntityContract]:
    """Return the sets that returns are read from and written into."""
    more = given(
        CustomerReturnReasonCode=rules.reason,
        DefaultReturnSiteId=rules.site,
        DefaultReturnWarehouseId=rules.warehouse,
    )
    return return_contracts(
        header_sent={*_HEADER, *more},
        line_sent={"SalesPrice", *given(ReturnDispositionCode=rules.disposition)},
    )
