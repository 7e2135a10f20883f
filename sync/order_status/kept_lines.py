"""How much of a line the ERP goes on with: less than was ordered once somebody reduced it. Pure.

    cancelled                                          nothing
    delivered in part, and over                        what was delivered: the rest was closed short
    else                                               what is ordered

A line that is over without any packing slip is one that was invoiced as it stood, as services are.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pricing_proxy.d365.fo.slip_models import PackingSlipLineRow
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.names import same_name_key

CANCELED = "Canceled"
"""What the ERP says of orders and lines that it cancelled."""
_OVER = frozenset({"Delivered", "Invoiced"})
_NOTHING = Decimal(0)

Delivered = Mapping[str, Decimal]
"""What packing slips delivered, by what all spellings of a lot share."""


def delivered_by(slips: Iterable[PackingSlipLineRow]) -> dict[str, Decimal]:
    """Return what slips delivered of each line."""
    sums: dict[str, Decimal] = {}
    for row in slips:
        lot = same_name_key(row.InventTransId)
        sums[lot] = sums.get(lot, _NOTHING) + row.Qty.value
    return sums


def is_over(line: DemandLineRow) -> bool:
    """Return whether nothing of a line is to be delivered any more, as something was."""
    return line.SalesOrderLineStatus in _OVER


def kept_of(line: DemandLineRow, delivered: Delivered) -> Decimal:
    """Return how much of a line the ERP has delivered or is going to."""
    if line.SalesOrderLineStatus == CANCELED:
        return _NOTHING
    ordered = line.OrderedSalesQuantity.value
    gone = delivered.get(same_name_key(line.InventoryLotId), _NOTHING)
    return gone if is_over(line) and _NOTHING < gone < ordered else ordered
