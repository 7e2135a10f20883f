"""Make credit memos, traps included.

An empty list of lines refunds everything invoiced, and without a shipping amount all
that is left of the shipping goes back.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing_proxy.sandbox.shop.document_comments import first_comments
from pricing_proxy.sandbox.shop.document_lines import (
    CREDIT_MEMO,
    CURRENCIES,
    HEAD_MEMBERS,
    SHIPPING_COMPENSATION,
    add,
    add_from,
    is_companion,
    is_sum,
    line_bodies,
    parents_of,
    requested,
    shares,
    summed,
)
from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.states import close, write_history
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.totals import ZERO, cents
from pricing_proxy.sandbox.shop.wire import RefusedError, missing_entity

_NO_FIXED_TAX = {
    "base_cost": None,
    "base_weee_tax_row_disposition": 0,
    "weee_tax_applied": "[]",
    "weee_tax_applied_row_amount": 0,
    "weee_tax_row_disposition": 0,
}
# As many as the database keeps.
_FOUR_DIGITS = Decimal("0.0001")
_ADJUSTMENTS = ("adjustment_positive", "adjustment_negative")
_TOO_MANY = "The quantity to refund must not be greater than the unrefunded quantity."
_WRONG_LINES = "The creditmemo contains incorrect product items."
_OFFLINE_METHODS = ("checkmo", "banktransfer", "cashondelivery", "purchaseorder", "free")
_HEADING = "Creditmemo Document Validation Error(s):\n"


def refund(shop: Shop, order_id: int, body: Mapping[str, Any]) -> str:
    """Refund what is named, or all that is invoiced, and return the credit memo's id as a text.

    Raises:
        RefusedError: The state forbids it, or more is asked for than was paid.
    """
    order = shop.order(order_id)
    if order["state"] == "closed":
        text = "A creditmemo can not be created when an order has a status of closed"
        raise RefusedError(400, _HEADING + text)
    refundable = order.get("base_total_paid", ZERO) - order.get("base_total_refunded", ZERO)
    left = {
        item["item_id"]: item["qty_invoiced"] - item["qty_refunded"]
        for item in order["items"]
        if not is_companion(item) and not is_sum(item)
    }
    rows = body.get("items")
    _check(order, rows, left=left, refundable=refundable)
    if any(row.get("order_item_id") not in left for row in rows or ()):
        raise RefusedError(400, _HEADING + _WRONG_LINES)
    asked = requested(order, rows, left=left, verb="refund")
    document = _document(shop, order, asked, body.get("arguments") or {})
    if document["base_grand_total"] > refundable:
        text = f"The most money available to refund is {cents(refundable).normalize():f}."
        raise RefusedError(400, _HEADING + text)
    document["comments"] = first_comments(shop, document["entity_id"], body)
    shop.credit_memos[document["entity_id"]] = document
    shop.movements.refunding(order, document["items"], returned=_returned(body))
    _book(order, document)
    order["customer_note_notify"] = int(body.get("notify") is True)
    if order["base_total_refunded"] >= order["base_total_paid"] == order["base_grand_total"]:
        close(order)
    write_history(
        shop,
        order,
        f"We refunded €{cents(document['base_grand_total'])} offline.",
        entity="creditmemo",
    )
    shop.touch(order)
    return str(document["entity_id"])


def _check(order: Order, rows: Any, *, left: Mapping[int, Decimal], refundable: Decimal) -> None:
    """Raise `RefusedError` where an order is on hold, or nothing can go back of it or of a line."""
    problems = []
    if order["state"] == "holded":
        text = "A creditmemo can not be created when an order has a status of holded"
        problems.append(text)
    if refundable <= 0:
        problems.append("The most money available to refund is 0.")
    asked = (row["order_item_id"] for row in rows or () if Decimal(str(row.get("qty", 0))) > 0)
    if any(left.get(item, 1) <= 0 for item in asked):
        problems.append(_TOO_MANY)
    if problems:
        raise RefusedError(400, _HEADING + "\n".join(problems))


def refund_invoice(shop: Shop, invoice_id: int, body: Mapping[str, Any]) -> str:
    """Refund through an invoice, which no payment made outside of the shop allows.

    Raises:
        RefusedError: Such a payment, or what is refused of the order.
    """
    invoice = shop.invoices.get(invoice_id)
    if invoice is None:
        raise missing_entity()
    order = shop.order(invoice["order_id"])
    if order["payment"]["method"] in _OFFLINE_METHODS:
        raise RefusedError(400, f"{_HEADING}We can't create creditmemo for the invoice.")
    mine = [
        {"order_item_id": line["order_item_id"], "qty": line["qty"]} for line in invoice["items"]
    ]
    return refund(shop, order["entity_id"], {**body, "items": body.get("items") or mine})


def _returned(body: Mapping[str, Any]) -> Sequence[int]:
    """Return the lines of which the pieces go back into stock."""
    extension = (body.get("arguments") or {}).get("extension_attributes") or {}
    return extension.get("return_to_stock_items") or ()


def _document(
    shop: Shop, order: Order, asked: Mapping[int, Decimal], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    number = len(shop.credit_memos) + 1
    by_id = {item["item_id"]: item for item in order["items"]}
    # Whatever the parent was said to be invoiced for goes back with each memo.
    of_sums = {parent: by_id[parent]["qty_invoiced"] for parent in parents_of(order, asked)}
    parts = list(shares(order, asked, of_sums=of_sums))
    lines = line_bodies(parts, ids=shop.line_ids, parent_id=number, kind=CREDIT_MEMO)
    for share, line in zip(parts, lines, strict=True):
        line.update(_fixed_tax(share.item))
    base = _in_base(order, arguments)
    sums = {
        f"{currency}{name}": value
        for currency in CURRENCIES
        for name, value in _sums(order, lines, currency, base).items()
    }
    document = {
        **shop.document_head(order, number, "creditmemo"),
        **{name: order[name] for name in HEAD_MEMBERS},
        **sums,
        "state": 2,
        "items": lines,
        "comments": [],
    }
    if "discount_description" in order:
        document["discount_description"] = order["discount_description"]
    return document


def _sums(
    order: Order, lines: list[dict[str, Any]], currency: str, base: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Return a credit memo's sums in one currency.

    Args:
        order: The order.
        lines: The memo's lines.
        currency: What the names of its amounts begin with.
        base: Shipping and adjustments, which are named in the shop's currency.
    """
    rate = Decimal(1) if currency else Decimal(order["base_to_order_rate"])
    shipping, shipping_tax, compensation = _shipping(order, currency, base["shipping_amount"])
    given = {name: cents(base[name] * rate) for name in _ADJUSTMENTS if name in base}
    discount = summed(lines, f"{currency}discount_amount")
    discount += _shipping_discount(order, currency, shipping)
    sums = {
        "subtotal": summed(lines, f"{currency}row_total"),
        "subtotal_incl_tax": summed(lines, f"{currency}row_total_incl_tax"),
        "discount_amount": -discount,
        # An invoice has that of the shipping in a member of its own; a memo has none for it.
        "discount_tax_compensation_amount": compensation
        + summed(lines, f"{currency}discount_tax_compensation_amount"),
        "shipping_amount": shipping,
        "shipping_tax_amount": shipping_tax,
        "shipping_incl_tax": shipping + shipping_tax,
        "tax_amount": summed(lines, f"{currency}tax_amount") + shipping_tax,
        "adjustment": given.get(_ADJUSTMENTS[0], ZERO) - given.get(_ADJUSTMENTS[1], ZERO),
    }
    added = ("subtotal", "shipping_amount", "tax_amount", "discount_amount", "adjustment")
    goods = sum((sums[name] for name in added), ZERO)
    sums["grand_total"] = goods + sums["discount_tax_compensation_amount"]
    # Absent unless they are named, as 0 too.
    return sums | given


def _fixed_tax(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of fixed product taxes, which this shop has none of."""
    is_plain = not is_sum(item) and not is_companion(item)
    return _NO_FIXED_TAX if is_plain else {"base_cost": None}


def _in_base(order: Order, arguments: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return shipping and adjustments of a refund, in the shop's currency.

    Raises:
        RefusedError: There is less of the shipping left.
    """
    left = order.get("base_shipping_invoiced", ZERO) - order.get("base_shipping_refunded", ZERO)
    given = arguments.get("shipping_amount")
    net = left if given is None else Decimal(str(given))
    if net > left:
        text = "Maximum shipping amount allowed to refund is: %1"
        raise RefusedError(400, text, [f"€{cents(left)}"])
    adjustments = {
        name: Decimal(str(arguments[name]))
        for name in _ADJUSTMENTS
        if arguments.get(name) is not None
    }
    return {"shipping_amount": net, **adjustments}


def _shipping(order: Order, currency: str, base: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Return net, tax and the discount's tax part of shipping that goes back, in one currency."""
    whole = order["base_shipping_amount"]
    if not whole:
        return ZERO, ZERO, ZERO
    names = f"{currency}shipping_amount", f"{currency}shipping_tax_amount"
    net, tax, compensation = (
        cents(order[name] * base / whole) for name in (*names, SHIPPING_COMPENSATION[currency])
    )
    return net, tax, compensation


def _shipping_discount(order: Order, currency: str, shipping: Decimal) -> Decimal:
    """Return the discount on the shipping that goes back.

    Where none goes back Magento takes the order's whole shipping tax for it, below zero: the
    memo's discount is too small, and not rounded to cents.
    """
    whole = order[f"{currency}shipping_amount"]
    discount: Decimal = order[f"{currency}shipping_discount_amount"]
    if not whole or not discount:
        return ZERO
    counted = shipping or -order[f"{currency}shipping_tax_amount"]
    counted_for: Decimal = counted * discount / whole
    return counted_for.quantize(_FOUR_DIGITS, ROUND_HALF_UP)


def _book(order: Order, document: Mapping[str, Any]) -> None:
    by_id = {item["item_id"]: item for item in order["items"]}
    for line in document["items"]:
        item = by_id[line["order_item_id"]]
        item["qty_refunded"] += line["qty"]
        if "row_total" in line:
            for member, (_, name) in CREDIT_MEMO.amounts.items():
                add_from(item, name, line, member)
    for name, source in (
        ("subtotal_refunded", "subtotal"),
        ("tax_refunded", "tax_amount"),
        ("discount_refunded", "discount_amount"),
        ("discount_tax_compensation_refunded", "discount_tax_compensation_amount"),
        ("shipping_refunded", "shipping_amount"),
        ("shipping_tax_refunded", "shipping_tax_amount"),
        ("adjustment_positive", "adjustment_positive"),
        ("adjustment_negative", "adjustment_negative"),
        ("total_refunded", "grand_total"),
        ("total_offline_refunded", "grand_total"),
    ):
        add_from(order, name, document, source)
    # Kept in cents, unlike the memos that it is the sum of.
    for currency in CURRENCIES:
        order[f"{currency}total_refunded"] = cents(order[f"{currency}total_refunded"])
    payment, total = order["payment"], document["grand_total"]
    add(payment, "amount_refunded", total, cents(document["base_grand_total"]))
    add_from(payment, "shipping_refunded", document, "shipping_amount")
