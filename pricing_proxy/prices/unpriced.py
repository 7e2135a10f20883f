"""Answer lines that the item map settles: they never reach the ERP."""

from pricing_proxy.domain.freshness import State
from pricing_proxy.domain.price import NoPriceReason
from pricing_proxy.prices.query import Line, QuotedLine
from pricing_proxy.shared_state.item_map import Item


def without_price(line: Line, item: Item | None, *, is_verified: bool) -> QuotedLine:
    """Return the answer for an item that is not sold, or None that is no item."""
    if item is None:
        reason, unit = NoPriceReason.UNKNOWN_SKU, line.unit
    else:
        reason, unit = NoPriceReason.NOT_SOLD, line.unit or item.sales_unit
    return QuotedLine(line, unit, None, State.NO_PRICE, True, reason.value, "l1", is_verified)
