"""Whether the ERP's return gives back what was sent: its lines read back, quantity and amount.

A return's line has no field for how many pieces its price is for. Where the ERP takes another
number of them than the market's rules say, the amounts tell, before anybody credits them. Pure.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pricing_proxy.d365.fo.order_models import SalesOrderLineRow
from pricing_proxy.d365.fo.return_models import ReturnLineBody, ReturnLineRow
from pricing_proxy.names import same_name_key
from sync.engine.outcomes import Difference
from sync.returns.mapping import ReturnDraft, price_unit
from sync.returns.rules import ReturnRules
from sync.sales.amounts import line_amount


def line_key(item: str, lot: str) -> tuple[str, str]:
    """Return by what a line is found again, however the ERP spells it."""
    return same_name_key(item), same_name_key(lot)


def differences(
    draft: ReturnDraft,
    rows: Sequence[ReturnLineRow],
    sold: Sequence[SalesOrderLineRow],
    *,
    rules: ReturnRules,
    decimals: int,
) -> Iterator[Difference]:
    """Yield what differs between the lines sent and those in the ERP.

    Args:
        draft: What was sent.
        rows: All the return's lines.
        sold: The lines of the ERP's order.
        rules: The market's.
        decimals: Of an amount in the ERP.
    """
    found = {line_key(row.ItemNumber, row.ReturningInventoryLotId): row for row in rows}
    by_lot = {line.InventoryLotId: line for line in sold}
    for body in draft.lines:
        lot = body.ReturningInventoryLotId or ""
        name = f"line {body.ItemNumber}{f' of lot {lot}' if lot else ''}"
        row = found.get(line_key(body.ItemNumber, lot))
        if row is None:
            yield name, "1 line", "(none)"
            continue
        if row.ReturnSalesQuantity.value != body.ReturnSalesQuantity:
            quantity = str(body.ReturnSalesQuantity)
            yield f"{name} ReturnSalesQuantity", quantity, str(row.ReturnSalesQuantity)
        unit = price_unit(by_lot.get(lot), rules)
        amount = _amount(body, unit=unit, decimals=decimals)
        if abs(row.LineAmount.value - amount) > rules.line_tolerance:
            yield f"{name} LineAmount", str(amount), str(row.LineAmount)


def _amount(body: ReturnLineBody, *, unit: int, decimals: int) -> Decimal:
    price = body.SalesPrice or Decimal(0)
    return line_amount(price, body.ReturnSalesQuantity, unit=unit, decimals=decimals)
