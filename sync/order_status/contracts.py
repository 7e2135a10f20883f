"""What order status relies on in the ERP. Pure."""

from collections.abc import Iterable

from pricing_proxy.d365.fo.mirror_contracts import read_contracts
from pricing_proxy.d365.fo.schema_contract import EntityContract
from pricing_proxy.d365.fo.slip_models import (
    OrderStatusRow,
    PackingSlipLineRow,
    PackingSlipRow,
    TrackingRow,
)
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from sync.order_status.rules import OrderStatusRules


def contracts(_: OrderStatusRules) -> Iterable[EntityContract]:
    """Return the sets that it is read from; what tells of changes sooner need not be there."""
    return read_contracts(
        (OrderStatusRow, DemandLineRow, PackingSlipRow, PackingSlipLineRow, TrackingRow)
    )
