"""What invoices rely on in the ERP. Pure."""

from collections.abc import Iterable

from pricing_proxy.d365.fo.invoice_models import (
    InvoiceLineRow,
    InvoiceRow,
    ReturnedLotRow,
    ReturnReferenceRow,
)
from pricing_proxy.d365.fo.mirror_contracts import read_contracts
from pricing_proxy.d365.fo.schema_contract import EntityContract
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from sync.invoices.rules import InvoiceRules


def contracts(_: InvoiceRules) -> Iterable[EntityContract]:
    """Return the sets that they are read from; those that tell lots need not be there."""
    return read_contracts(
        (InvoiceRow, InvoiceLineRow, DemandLineRow, ReturnedLotRow, ReturnReferenceRow)
    )
