"""Lines for what is no goods: shipping, fees of the shop's modules, and rest cents. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.draft import DraftLine
from sync.orders.line_fields import priced_line
from sync.orders.line_tax import UNTAXED, Rate, rate_of_shipping
from sync.orders.rules import OrderRules
from sync.orders.selling import Selling
from sync.orders.tax_groups import rounding_fields, tax_fields
from sync.orders.totals import Surcharge, fee_of, shipping_of
from sync.sales.value_lines import ROUNDING_KEY, SHIPPING_KEY, line_reference

_ONE = Decimal(1)


def surcharge_lines(order: Order, *, selling: Selling, rules: OrderRules) -> list[DraftLine]:
    """Return lines for shipping and fees; none for what costs nothing.

    Raises:
        HeldError: An amount below zero, or a tax rate without a map entry.
    """
    return [*_shipping(order, selling, rules), *_fees(order, selling, rules)]


def rounding_line(
    increment_id: str, gap: Decimal, *, rules: OrderRules, market: str
) -> DraftLine | None:
    """Return the line that closes a gap; None where there is none, or no rule closes it.

    Args:
        increment_id: The order's number.
        gap: What the ERP's total lacks of the shop's; below zero where it is more.
        rules: The market's.
        market: Its code, for messages.

    Raises:
        HeldError: The map of tax rates has no entry for the line.
    """
    if rules.rounding is None or not rules.is_off(gap) or abs(gap) > rules.rounding.limit:
        return None
    return priced_line(
        rounding_reference(increment_id),
        item_number=rules.rounding.item,
        source="grand_total",
        quantity=_ONE if gap > 0 else -_ONE,
        net=gap,
        rate=UNTAXED,
        extra=rounding_fields(rules, market=market),
        rules=rules,
    )


def rounding_reference(increment_id: str) -> str:
    """Return how an order's rounding line is found again."""
    return line_reference(increment_id, ROUNDING_KEY)


def _shipping(order: Order, selling: Selling, rules: OrderRules) -> Iterator[DraftLine]:
    if rules.shipping_item is None:
        return
    cost = shipping_of(order)
    if cost.net == 0 and cost.tax == 0:
        return
    rate = rate_of_shipping(order, net=cost.net, tax=cost.tax)
    groups = partial(tax_fields, rate, order, selling=selling, rules=rules)
    yield from _surcharge(
        cost,
        line_reference(order.increment_id, SHIPPING_KEY),
        item=rules.shipping_item,
        source="shipping_amount",
        rate=rate,
        extra=groups(field="shipping_tax_amount") if cost.net > 0 else {},
        rules=rules,
    )


def _fees(order: Order, selling: Selling, rules: OrderRules) -> Iterator[DraftLine]:
    for place, fee in enumerate(rules.fees, start=1):
        cost = fee_of(order, fee)
        percent = cost.tax / cost.net * 100 if cost.net else Decimal(0)
        taxed: dict[str, str | bool] = {}
        if cost.net and not order.tax_amount and not any(row.tax_percent for row in order.items):
            # Of an order without any tax the fee has none for the same reason.
            taxed = tax_fields(UNTAXED, order, selling=selling, rules=rules, field=fee.amount)
        if fee.tax_item_group:
            taxed["SalesTaxItemGroupCode"] = fee.tax_item_group
        yield from _surcharge(
            cost,
            line_reference(order.increment_id, f"fee{place}"),
            item=fee.item,
            source=fee.amount,
            rate=Rate(f"fee{place}", percent),
            extra=taxed,
            rules=rules,
        )


def _surcharge(
    cost: Surcharge,
    reference: str,
    *,
    item: str,
    source: str,
    rate: Rate,
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
