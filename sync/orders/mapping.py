"""From the shop's order to the ERP's: pure, exact, and never a guess.

Prices go net of tax and discount, so that the ERP's line comes to what the shop's line
does: net = `row_total_incl_tax` - `tax_amount`; the shop's `row_total` is cut at 0. Tax
cannot be imported, so what the ERP will compute is foretold and compared; what it has computed
(`erp_total`) decides on the last cents. Whatever does not fit, an unknown code, a wrong sum, a
text too long, raises `HeldError` with the field and what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from types import MappingProxyType

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders import line_fields
from sync.orders.draft import OrderDraft
from sync.orders.header import header_of
from sync.orders.named_items import MEMBER
from sync.orders.rules import OrderRules
from sync.orders.selling import Sellable, Selling, SoldThing
from sync.orders.service_lines import surcharge_lines
from sync.orders.totals import Surcharge, Totals, checked_totals, shipping_of
from sync.sales.amounts import TaxRounding, document_tax
from sync.sales.value_lines import ValueLine, value_lines

VERSION = 2
"""Raise when the same order would become another document; the journal keeps it."""

_ROUNDINGS: tuple[TaxRounding, ...] = ("line", "total")


def products_of(order: Order, rules: OrderRules, named: Mapping[int, str]) -> frozenset[SoldThing]:
    """Return what is sold; raises `HeldError`.

    Args:
        order: The shop's.
        rules: The market's.
        named: Items that a person named, by line.
    """
    values = value_lines(order.items, rules.splitting)
    if strange := named.keys() - {value.key for value in values}:
        raise HeldError(
            field=MEMBER,
            text=f"names an item for line {min(strange)}, which the order does not sell",
            advice=f"its lines are {', '.join(str(value.key) for value in values)}: correct the "
            "payload with d365-sync edit, then replay",
        )
    return frozenset(line_fields.asked_of(value, named) for value in values)


def map_order(
    order: Order,
    *,
    account: str,
    products: Mapping[SoldThing, Sellable],
    selling: Selling,
    rules: OrderRules,
    named: Mapping[int, str] = MappingProxyType({}),
) -> OrderDraft:
    """Return the ERP's order; raises `HeldError`, which names the field that a person decides on.

    Args:
        order: The shop's.
        account: The ERP's customer account.
        products: What the things sold are in the ERP.
        selling: The market.
        rules: Its rules.
        named: Items that a person named, by line.
    """
    header = header_of(order, account=account, selling=selling, rules=rules)
    values = value_lines(order.items, rules.splitting)
    _check_quantities(values, rules)
    totals = checked_totals(order, values, rules)
    sale = partial(line_fields.sale_line, order=order, selling=selling, rules=rules)
    asked = [line_fields.asked_of(value, named) for value in values]
    lines = [sale(value, one, products[one]) for value, one in zip(values, asked, strict=True)]
    lines += surcharge_lines(order, selling=selling, rules=rules)
    charges = Surcharge(Decimal(0), Decimal(0)) if rules.shipping_item else shipping_of(order)
    draft = OrderDraft(
        reference=rules.reference_of(order),
        header=header.body,
        lines=tuple(lines),
        net=totals.net,
        tax=totals.tax,
        charges=charges.net,
        charges_tax=charges.tax,
        notes=(*header.notes, *(f"{line.source}: {cut}" for line in lines for cut in line.cut)),
    )
    _compare(draft, totals, rules)
    return draft


def _check_quantities(values: Sequence[ValueLine], rules: OrderRules) -> None:
    for value in values:
        for member, text in _objections(value, rules):
            raise HeldError(
                field=f"items[{value.index}].{member}",
                text=f"{value.sku}: {text}",
                advice="correct the order in the shop and replay, or enter it by hand and skip",
            )


def _objections(value: ValueLine, rules: OrderRules) -> Iterator[tuple[str, str]]:
    row = value.row
    if value.quantity <= 0:
        yield "qty_ordered", f"a quantity of {value.quantity} cannot be sold"
    if row.qty_canceled:
        yield (
            "qty_canceled",
            f"{row.qty_canceled} of {row.qty_ordered} were cancelled before the order was sent",
        )
    if value.net < 0 or value.tax < 0 or row.price < 0:
        yield "row_total_incl_tax", f"an amount below zero: net {value.net}, tax {value.tax}"
    if row.price == 0 and rules.free_lines == "hold":
        yield "price", 'the price is zero; set free_lines = "send" where the shop gives things away'


def _compare(draft: OrderDraft, totals: Totals, rules: OrderRules) -> None:
    """Hold an order that cannot come out right, before anything of it is written."""
    # Rest cents of fractional quantities: half a cent for each line.
    net_gap = abs(draft.erp_net - totals.net)
    if rules.rounding is None and net_gap > rules.line_tolerance * len(draft.lines):
        raise _apart("grand_total", "net", totals.net, draft.erp_net)
    if rules.tax_difference != "hold":
        return
    parts = [line.taxed(line.net) for line in draft.lines]
    taxes = [
        document_tax(parts, rounding=rounding, decimals=rules.amount_decimals) + draft.charges_tax
        for rounding in _ROUNDINGS
    ]
    # The ERP's own tax decides; here is held what it comes to in no way of rounding.
    nearest = min(taxes, key=lambda tax: abs(tax - totals.tax))
    if abs(nearest - totals.tax) > rules.tax_limit(len(draft.lines)):
        raise _apart("tax_amount", "tax", totals.tax, nearest)


def _apart(field: str, what: str, shop: Decimal, erp: Decimal) -> HeldError:
    return HeldError(
        field=field,
        text=f"the {what} is {shop} in the shop and would be {erp} in the ERP",
        advice="correct the shop's tax settings or the market's tolerance, then replay",
        diff=((what, str(shop), str(erp)),),
    )
