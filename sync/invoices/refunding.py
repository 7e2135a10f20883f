"""What the shop is told to give back for a credit note, as its sums are not the ERP's. Pure.

Its lines and its shipping are capped at what is left of them. Shipping is named before discount
and without tax, in the shop's currency, so it goes back as a share of what was invoiced. What is
for none of the order's rows goes beside the goods, tax included, as an adjustment has none. Where
shipping was discounted and none of it goes back, Magento takes its tax for its amount, and gives
too much by that: it is kept.
"""

from decimal import Decimal

from sync.invoices.mapping import BillDraft, capped, left_to_refund, valued_rows
from sync.magento.billed_order_models import BilledOrder
from sync.magento.invoices import Refund
from sync.sales.amounts import rounded

_NOTHING = Decimal(0)
_CENTS = 2


def refund_of(draft: BillDraft, order: BilledOrder) -> Refund | None:
    """Return what to tell the shop; None where nothing is left to give back.

    Args:
        draft: What the credit note means.
        order: As the shop has it.
    """
    quantities = capped(draft.quantities, order, left_to_refund)
    shipping, rest = _shipping(draft, order)
    beside = _in_base(draft.beside + rest, order)
    if not quantities and not shipping and not beside:
        return None
    excess = _NOTHING if shipping else _in_base(_excess(order), order)
    return Refund(
        quantities=quantities or {_any_row(order): _NOTHING},
        shipping=shipping,
        given=max(beside, _NOTHING),
        kept=max(-beside, _NOTHING) + excess,
    )


def _shipping(draft: BillDraft, order: BilledOrder) -> tuple[Decimal, Decimal]:
    """Return the shipping that goes back, and what of the credited freight is none of it."""
    whole = order.shipping_amount - order.shipping_discount_amount
    whole += order.shipping_discount_tax_compensation_amount
    if draft.freight <= 0 or whole <= 0 or not order.base_shipping_invoiced:
        return _NOTHING, draft.freight_gross
    left = order.base_shipping_invoiced - order.base_shipping_refunded
    share = min(draft.freight / whole, Decimal(1)) * order.base_shipping_invoiced
    return max(_NOTHING, min(rounded(share, _CENTS), left)), _NOTHING


def _excess(order: BilledOrder) -> Decimal:
    if not order.shipping_amount:
        return _NOTHING
    return order.shipping_tax_amount * order.shipping_discount_amount / order.shipping_amount


def _in_base(amount: Decimal, order: BilledOrder) -> Decimal:
    return rounded(amount / (order.base_to_order_rate or Decimal(1)), _CENTS)


def _any_row(order: BilledOrder) -> int:
    """Return a row that carries value: a memo without lines would give back all of them.

    A bundle that is the sum of its parts shows the highest price of all, and is refused.
    """
    rows = valued_rows(order)
    return max(rows, key=lambda row: (left_to_refund(row) > 0, row.price * row.qty_ordered)).item_id
