"""What stock relies on in the ERP. Pure."""

from collections.abc import Iterable

from pricing_proxy.d365.fo.mirror_contracts import STOCK_ROWS, read_contracts
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.stock.rules import StockRules


def contracts(_: StockRules) -> Iterable[EntityContract]:
    """Return the sets that stock is read from."""
    return read_contracts(STOCK_ROWS)
