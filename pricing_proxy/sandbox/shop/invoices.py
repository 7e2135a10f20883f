"""Make invoices: whatever is left or what is named, shipping whole in the first one."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.document_comments import first_comments
from pricing_proxy.sandbox.shop.document_lines import (
    CURRENCIES,
    HEAD_MEMBERS,
    INVOICE,
    SHIPPING_COMPENSATION,
    Share,
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
from pricing_proxy.sandbox.shop.states import settle
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.totals import ZERO, cents
from pricing_proxy.sandbox.shop.wire import RefusedError

_HEADING = "Invoice Document Validation Error(s):\n"
_NOTHING = "The invoice can't be created without products. Add products and try again."
_FINAL = ("holded", "canceled", "closed", "complete")
_SHIPPING = ("shipping_amount", "shipping_incl_tax", "shipping_tax_amount")


def invoice(shop: Shop, order_id: int, body: Mapping[str, Any]) -> str:
    """Invoice an order, and return the invoice's id as a text.

    Raises:
        RefusedError: The state forbids it, or nothing is left.
    """
    order = shop.order(order_id)
    left = {
        item["item_id"]: item["qty_ordered"] - item["qty_invoiced"] - item["qty_canceled"]
        for item in order["items"]
        if not is_companion(item) and not is_sum(item)
    }
    rows = body.get("items")
    asked = requested(order, _expanded(order, rows), left=left, verb="invoice")
    _check(order, has_products=any(asked.values()), is_open=any(left[one] > 0 for one in left))
    of_sums = _of_sums(order, rows, asked)
    parts = list(shares(order, asked, of_sums=of_sums, in_full=not rows))
    document = _document(shop, order, parts)
    document["comments"] = first_comments(shop, document["entity_id"], body)
    shop.invoices[document["entity_id"]] = document
    shop.movements.invoiced(order, document["items"])
    _book(order, document)
    settle(order)
    shop.touch(order)
    return str(document["entity_id"])


def _check(order: Order, *, has_products: bool, is_open: bool) -> None:
    problems = [] if has_products else [_NOTHING]
    if order["state"] in _FINAL:
        state = order["state"]
        problems.append(f"An invoice cannot be created when an order has a status of {state}")
    elif not is_open:
        problems.append("The order does not allow an invoice to be created.")
    if problems:
        raise RefusedError(400, _HEADING + "\n".join(problems))


def _of_sums(order: Order, rows: Any, asked: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Return what is listed for bundles' parents: named, or all, whatever of the parts is."""
    named = {row.get("order_item_id"): Decimal(str(row.get("qty", 0))) for row in rows or ()}
    by_id = {item["item_id"]: item for item in order["items"]}
    return {
        parent: named.get(parent, by_id[parent]["qty_ordered"])
        for parent in parents_of(order, asked)
    }


def _expanded(order: Order, rows: Any) -> Any:
    """Return the rows with a bundle's parent replaced by the parts that carry its value."""
    if not rows:
        return rows
    sums = {item["item_id"]: item for item in order["items"] if is_sum(item)}
    found: list[dict[str, Any]] = []
    for row in rows:
        parent = sums.get(row.get("order_item_id"))
        if parent is None:
            found.append(row)
            continue
        part = Decimal(str(row.get("qty", 0))) / parent["qty_ordered"]
        found += [
            {"order_item_id": item["item_id"], "qty": item["qty_ordered"] * part}
            for item in order["items"]
            if item.get("parent_item_id") == parent["item_id"]
        ]
    return found


def _document(shop: Shop, order: Order, parts: list[Share]) -> dict[str, Any]:
    number = len(shop.invoices) + 1
    lines = line_bodies(parts, ids=shop.line_ids, parent_id=number, kind=INVOICE)
    is_first = "shipping_invoiced" not in order
    sums = {
        f"{currency}{name}": value
        for currency in CURRENCIES
        for name, value in _sums(order, lines, currency, is_first=is_first).items()
    }
    document = {
        **shop.document_head(order, number, "invoice"),
        **{name: order[name] for name in HEAD_MEMBERS},
        **sums,
        "can_void_flag": 0,
        "state": 2,
        "total_qty": sum((share.quantity for share in parts), ZERO),
        "items": lines,
        "comments": [],
    }
    if is_first:
        for name in SHIPPING_COMPENSATION.values():
            document[name] = order[name]
    if "discount_description" in order:
        document["discount_description"] = order["discount_description"]
    return document


def _sums(
    order: Order, lines: list[dict[str, Any]], currency: str, *, is_first: bool
) -> dict[str, Decimal]:
    """Return an invoice's sums in one currency: the first one has all of the shipping."""
    sums = {
        "subtotal": summed(lines, f"{currency}row_total"),
        "subtotal_incl_tax": summed(lines, f"{currency}row_total_incl_tax"),
        "discount_amount": -summed(lines, f"{currency}discount_amount"),
        "discount_tax_compensation_amount": summed(
            lines, f"{currency}discount_tax_compensation_amount"
        ),
        "tax_amount": summed(lines, f"{currency}tax_amount"),
    }
    compensation = ZERO
    if is_first:
        sums |= {name: order[f"{currency}{name}"] for name in _SHIPPING}
        sums["tax_amount"] += sums["shipping_tax_amount"]
        sums["discount_amount"] -= order[f"{currency}shipping_discount_amount"]
        compensation = order[SHIPPING_COMPENSATION[currency]]
    added = ("subtotal", "shipping_amount", "tax_amount", "discount_amount")
    goods = sum((sums.get(name, ZERO) for name in added), ZERO)
    total = goods + sums["discount_tax_compensation_amount"] + compensation
    return {**sums, "grand_total": total}


def _book(order: Order, document: Mapping[str, Any]) -> None:
    by_id = {item["item_id"]: item for item in order["items"]}
    for line in document["items"]:
        item = by_id[line["order_item_id"]]
        item["qty_invoiced"] += line["qty"]
        item["weee_tax_applied"] = "[]"
        if "row_total" in line:
            for member, (_, name) in INVOICE.amounts.items():
                add_from(item, name, line, member)
    for name, source in (
        ("subtotal_invoiced", "subtotal"),
        ("tax_invoiced", "tax_amount"),
        ("discount_invoiced", "discount_amount"),
        ("discount_tax_compensation_invoiced", "discount_tax_compensation_amount"),
        ("shipping_invoiced", "shipping_amount"),
        ("total_invoiced", "grand_total"),
        ("total_paid", "grand_total"),
    ):
        add_from(order, name, document, source)
    add_from(order["payment"], "amount_paid", document, "grand_total")
    add_from(order["payment"], "shipping_captured", document, "shipping_amount")
    order["base_total_invoiced_cost"] = 0
    for currency in CURRENCIES:
        due = order[f"{currency}grand_total"] - order[f"{currency}total_paid"]
        order[f"{currency}total_due"] = cents(due)
