"""Whether an order's amounts add up, by the sums that held over all recorded orders.

An order that breaks one of them carries something this version does not know (a product
tax, a surcharge, a credit). Sent on it would be off by that amount, so it is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.rules import Fee, OrderRules
from sync.sales.value_lines import ValueLine

# The shop rounds each amount to four places; the recorded sums all hold within it.
_TOLERANCE = Decimal("0.0001")
_ADVICE = (
    "see which module of the shop changes totals, and add a rule under fees; "
    "or enter the order by hand and skip the event"
)


@dataclass(frozen=True, slots=True)
class Surcharge:
    """An amount on the order beside goods: a fee of a module, or the shipping."""

    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """What the ERP's document must come to.

    Attributes:
        net: Without tax.
        tax: The shop's.
    """

    net: Decimal
    tax: Decimal


def shipping_of(order: Order) -> Surcharge:
    """Return the shipping after its discount.

    The compensation may be a cent without any discount, so it is always counted.
    """
    net = (
        order.shipping_amount
        - order.shipping_discount_amount
        + order.shipping_discount_tax_compensation_amount
    )
    return Surcharge(net, order.shipping_tax_amount)


def fee_of(order: Order, fee: Fee) -> Surcharge:
    """Return what a module added; zero when it added nothing.

    Raises:
        HeldError: Something else than an amount stands there.
    """
    net = _amount_at(order, fee.amount)
    return Surcharge(net, _amount_at(order, fee.tax) if fee.tax else Decimal(0))


def checked_totals(order: Order, lines: Sequence[ValueLine], rules: OrderRules) -> Totals:
    """Return the order's totals.

    Raises:
        HeldError: They are not the sum of the parts, or credits paid a share and no rule says
            what to do with it.
    """
    extra = order.extension_attributes
    credited = (
        extra.gift_cards_amount + extra.customer_balance_amount + extra.reward_currency_amount
    )
    if credited and rules.credits == "hold":
        raise HeldError(
            field="extension_attributes.gift_cards_amount",
            text=f"gift cards, store credit or points paid {credited}",
            advice='set credits = "payment" where finance settles them, then replay',
        )
    parts = [shipping_of(order), *(fee_of(order, fee) for fee in rules.fees)]
    tax = sum((line.tax for line in lines), Decimal(0)) + sum(
        (part.tax for part in parts), Decimal(0)
    )
    net = sum((line.net for line in lines), Decimal(0)) + sum(
        (part.net for part in parts), Decimal(0)
    )
    _compare("tax_amount", order.tax_amount, tax)
    _compare("grand_total", order.grand_total + credited, net + tax)
    return Totals(net, tax)


def _compare(field: str, stated: Decimal, added: Decimal) -> None:
    if abs(stated - added) > _TOLERANCE:
        raise HeldError(
            field=field,
            text=f"does not add up: the order says {stated}, its parts come to {added}",
            advice=_ADVICE,
        )


def _amount_at(order: Order, path: str) -> Decimal:
    place: Any = order.extension_attributes.model_extra or {}
    for name in path.removeprefix("extension_attributes.").split("."):
        place = place.get(name) if isinstance(place, dict) else None
    if place is None or place == "":
        return Decimal(0)
    try:
        return Decimal(str(place))
    except ArithmeticError:
        raise HeldError(
            field=path, text="is not an amount", advice="correct the rule under fees"
        ) from None
