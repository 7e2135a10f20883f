"""Lines for what is no goods: shipping, fees of the shop's modules, and rest cents. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.draft import DraftLine
from sync.orders.line_fields import priced_line, tax_fields
from sync.orders.rules import OrderRules
from sync.orders.selling import Selling
from sync.orders.totals import Surcharge, Totals, fee_of, shipping_of
from sync.sales.value_lines import SHIPPING_KEY, line_reference

_ONE = Decimal(1)


def surcharge_lines(order: Order, *, selling: Selling, rules: OrderRules) -> list[DraftLine]:
    """Return lines for shipping and fees; none for what costs nothing.

    Raises:
        HeldError: An amount below zero, or a tax rate without a map entry.
    """
    return [*_shipping(order, selling, rules), *_fees(order, rules)]


def rounding_line(
    order: Order,
    lines: Sequence[DraftLine],
    *,
    totals: Totals,
    charges: Surcharge,
    selling: Selling,
    rules: OrderRules,
) -> list[DraftLine]:
    """Return the line that closes the gap between the totals, where there is one and a rule.

    A gap beyond the rule's limit is left open: the comparison of the totals tells it.
    """
    if rules.rounding is None:
        return []
    erp = sum((line.net + line.tax for line in lines), charges.net + charges.tax)
    gap = totals.gross - erp
    if abs(gap) > rules.rounding.limit or abs(gap) < Decimal(1).scaleb(-rules.amount_decimals):
        return []
    line = priced_line(
        line_reference(order.increment_id, "rounding"),
        item_number=rules.rounding.item,
        source="grand_total",
        quantity=_ONE if gap > 0 else -_ONE,
        net=gap,
        rate=Decimal(0),
        extra=tax_fields((), rules, selling=selling, field="grand_total"),
        rules=rules,
    )
    return [line]


def _shipping(order: Order, selling: Selling, rules: OrderRules) -> Iterator[DraftLine]:
    if rules.shipping_item is None:
        return
    cost = shipping_of(order)
    applied = [
        tax
        for taxes in order.extension_attributes.item_applied_taxes
        if taxes.type == "shipping"
        for tax in taxes.applied_taxes
    ]
    groups = partial(tax_fields, tuple(tax.code for tax in applied), rules, selling=selling)
    yield from _surcharge(
        cost,
        line_reference(order.increment_id, SHIPPING_KEY),
        item=rules.shipping_item,
        source="shipping_amount",
        rate=sum((tax.percent for tax in applied), Decimal(0)),
        extra=groups(field="shipping_tax_amount") if cost.net else {},
        rules=rules,
    )


def _fees(order: Order, rules: OrderRules) -> Iterator[DraftLine]:
    for place, fee in enumerate(rules.fees, start=1):
        cost = fee_of(order, fee)
        rate = cost.tax / cost.net * 100 if cost.net else Decimal(0)
        taxed = {"SalesTaxItemGroupCode": fee.tax_item_group} if fee.tax_item_group else {}
        yield from _surcharge(
            cost,
            line_reference(order.increment_id, f"fee{place}"),
            item=fee.item,
            source=fee.amount,
            rate=rate,
            extra=taxed,
            rules=rules,
        )


def _surcharge(
    cost: Surcharge,
    reference: str,
    *,
    item: str,
    source: str,
    rate: Decimal,
    extra: Mapping[str, str | bool],
    rules: OrderRules,
) -> Iterator[DraftLine]:
    if cost.net == 0 and cost.tax == 0:
        return
    if cost.net < 0:
        raise HeldError(
            field=source,
            text=f"comes to {cost.net}, below zero",
            advice="correct the order in the shop and replay, or enter it by hand and skip",
        )
    yield priced_line(
        reference,
        item_number=item,
        source=source,
        quantity=_ONE,
        net=cost.net,
        rate=rate,
        extra=extra,
        rules=rules,
    )
