"""Which of an order's rows carry its value, and which product each of them sells.

Magento lists parents and children side by side, and repeats sums:

- configurable: the parent carries price and quantity, the child is the product;
- bundle priced by its parts: the children carry the value, the parent repeats their sums;
- bundle with one price: the parent carries the value, the children are zero;
- anything else has no children.

A row is sold by its `product_id`; its SKU gets suffixes from options and is never parsed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from pricing_proxy.names import same_name_key
from sync.engine.outcomes import HeldError
from sync.magento.order_line_models import OrderLine
from sync.magento.order_models import Order
from sync.sales.amounts import shared

SHIPPING_KEY = "shipping"
"""Stands for the row's id in the reference of the line that carries the shipping."""
ROUNDING_KEY = "rounding"
"""Likewise of the line by which both systems come to one total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLine:
    """A line to be sold.

    Attributes:
        row: The row that carries quantity and value.
        index: Its place in the order's list, for messages.
        product_id: The product sold, perhaps of another row; None when the shop deleted it.
        sku: That row's SKU, for people.
        key: The shop's row id that names the line in the ERP.
        quantity: Pieces, up to four decimals.
        net: After discount, without tax.
        tax: The shop's.
    """

    row: OrderLine
    index: int
    product_id: int | None
    sku: str
    key: int
    quantity: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class _Row:
    index: int
    line: OrderLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """How a bundle with one price is sold.

    Attributes:
        bundle: As its parent, or as its parts with the price shared by quantity.
        amount_decimals: Decimals of an amount in the ERP.
    """

    bundle: Literal["parent", "parts"]
    amount_decimals: int


def line_reference(increment_id: str, key: int | str) -> str:
    """Return the ERP's `OrderLineReference` of a line, by which it is found again."""
    return f"{increment_id}-{key}"


def own_line_references(order: Order) -> set[str]:
    """Return what all spellings of the references share that no line of another order has.

    They hold the ids of the shop's rows, which are unique whatever orders are numbered.
    """
    return {same_name_key(line_reference(order.increment_id, row.item_id)) for row in order.items}


def value_lines(lines: Sequence[OrderLine], splitting: Splitting) -> list[ValueLine]:
    """Return the order's value, each piece of it once.

    Raises:
        HeldError: A row whose parts do not fit its kind.
    """
    rows = [_Row(index, line) for index, line in enumerate(lines)]
    known = {line.item_id for line in lines}
    children: dict[int, list[_Row]] = {}
    for row in rows:
        parent_id = row.line.parent_item_id
        if parent_id is None:
            continue
        if parent_id not in known:
            raise _held(row, "parent_item_id", "names a row that the order does not have")
        children.setdefault(parent_id, []).append(row)
    return [
        value
        for row in rows
        if row.line.parent_item_id is None
        for value in _values_of(row, children.get(row.line.item_id, ()), splitting)
    ]


def _values_of(row: _Row, parts: Sequence[_Row], splitting: Splitting) -> list[ValueLine]:
    kind = row.line.product_type
    if kind == "configurable":
        if len(parts) != 1:
            raise _held(row, "product_type", f"a configurable with {len(parts)} variants, not one")
        return [_value(row, sold=parts[0])]
    if kind != "bundle":
        if parts:
            raise _held(row, "product_type", f"{kind} with parts is not known")
        return [_value(row, sold=row)]
    if not parts:
        raise _held(row, "product_type", "a bundle without parts")
    if any(part.line.price > 0 for part in parts):
        return [_value(part, sold=part) for part in parts]
    return (
        _shared_out(row, parts, splitting)
        if splitting.bundle == "parts"
        else [_value(row, sold=row)]
    )


def _value(row: _Row, *, sold: _Row) -> ValueLine:
    line = row.line
    return ValueLine(
        row=line,
        index=row.index,
        product_id=sold.line.product_id,
        sku=sold.line.sku,
        key=line.item_id,
        quantity=line.qty_ordered,
        net=line.row_total_incl_tax - line.tax_amount,
        tax=line.tax_amount,
    )


def _shared_out(row: _Row, parts: Sequence[_Row], splitting: Splitting) -> list[ValueLine]:
    weights = [part.line.qty_ordered for part in parts]
    if not any(weight > 0 for weight in weights):
        raise _held(row, "qty_ordered", "a bundle whose parts have no quantity")
    whole = _value(row, sold=row)
    nets = shared(whole.net, weights, decimals=splitting.amount_decimals)
    taxes = shared(whole.tax, weights, decimals=splitting.amount_decimals)
    return [
        replace(
            whole,
            product_id=part.line.product_id,
            sku=part.line.sku,
            key=part.line.item_id,
            quantity=part.line.qty_ordered,
            net=net,
            tax=tax,
        )
        for part, net, tax in zip(parts, nets, taxes, strict=True)
    ]


def _held(row: _Row, member: str, text: str) -> HeldError:
    return HeldError(
        field=f"items[{row.index}].{member}",
        text=f"{row.line.sku}: {text}",
        advice="enter this order by hand and skip the event",
    )
