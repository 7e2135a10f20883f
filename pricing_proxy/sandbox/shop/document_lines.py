"""What invoices and credit memos share: which lines, how many of each, and their shares.

A document's share of a line is computed from what the documents so far and this one
come to together, so that the last one takes the odd cent.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.totals import ZERO, cents
from pricing_proxy.sandbox.shop.wire import RefusedError

HEAD_MEMBERS = (
    "base_currency_code",
    "base_to_global_rate",
    "base_to_order_rate",
    "global_currency_code",
    "order_currency_code",
    "store_currency_code",
    "store_to_base_rate",
    "store_to_order_rate",
)
# As in the lines of a recorded document, with what they are called in an order's line.
_SHARED = ("tax_amount", "discount_amount", "discount_tax_compensation_amount")


@dataclass(frozen=True, slots=True)
class Share:
    """How much of an order's line a document holds."""

    item: dict[str, Any]
    quantity: Decimal

    def part(self, whole: Decimal, done: str) -> Decimal:
        """Return the share of an amount; `done` names the quantity that went before."""
        ordered: Decimal = self.item["qty_ordered"]
        before: Decimal = self.item[done]
        if not ordered:
            return ZERO
        together = cents(whole * (before + self.quantity) / ordered)
        return together - cents(whole * before / ordered)


def requested(
    order: Order, rows: Any, *, left: Mapping[int, Decimal], verb: str
) -> dict[int, Decimal]:
    """Return the quantity of each line that is asked for; all that is left when nothing is named.

    Raises:
        RefusedError: More is asked for than is left.
    """
    if not rows:
        return {item_id: quantity for item_id, quantity in left.items() if quantity > 0}
    names = {item["item_id"]: item["name"] for item in order["items"]}
    asked: dict[int, Decimal] = {}
    for row in rows:
        item_id, quantity = row.get("order_item_id"), Decimal(str(row.get("qty", 0)))
        if item_id not in left:
            continue
        if quantity > left[item_id]:
            text = f'We found an invalid quantity to {verb} item "%1".'
            raise RefusedError(400, text, [names[item_id]])
        if quantity > 0:
            asked[item_id] = quantity
    return asked


def shares(
    order: Order,
    asked: Mapping[int, Decimal],
    *,
    of_sums: Mapping[int, Decimal],
    in_full: bool = False,
) -> Iterator[Share]:
    """Yield the lines of a document: those asked for, and their companions.

    Args:
        order: The order.
        asked: Quantities by line.
        of_sums: What to list for the parents of bundles whose price is in their parts; it means
            nothing, and is listed all the same.
        in_full: Count the parts of a bundle in full whatever went before, as the last invoice
            does when it names no lines.
    """
    by_id = {item["item_id"]: item for item in order["items"]}
    for item in order["items"]:
        quantity = of_sums.get(item["item_id"], asked.get(item["item_id"]))
        parent = by_id.get(item.get("parent_item_id", 0))
        if parent is not None and parent["item_id"] in asked and is_companion(item):
            part = item["qty_ordered"] / parent["qty_ordered"]
            is_whole = in_full and parent["product_type"] == "bundle"
            quantity = item["qty_ordered"] if is_whole else asked[parent["item_id"]] * part
        if quantity is not None:
            yield Share(item, quantity)


def parents_of(order: Order, asked: Mapping[int, Decimal]) -> dict[int, list[dict[str, Any]]]:
    """Return the parts asked for of each bundle whose price is in its parts."""
    sums = {item["item_id"] for item in order["items"] if is_sum(item)}
    found: dict[int, list[dict[str, Any]]] = {}
    for item in order["items"]:
        if item.get("parent_item_id") in sums and item["item_id"] in asked:
            found.setdefault(item["parent_item_id"], []).append(item)
    return found


def is_companion(item: Mapping[str, Any]) -> bool:
    """Say whether a line is a child without a value of its own."""
    return "parent_item_id" in item and "price_incl_tax" not in item


def is_sum(item: Mapping[str, Any]) -> bool:
    """Say whether a line is a bundle's parent that repeats the sums of its parts."""
    return "tax_percent" not in item


def valued(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the lines that carry value."""
    return (item for item in items if not is_companion(item) and not is_sum(item))


def line_body(share: Share, *, entity_id: int, parent_id: int, done: str) -> dict[str, Any]:
    """Return a document's line; `row_total` is before discount here."""
    item = share.item
    body: dict[str, Any] = {
        "entity_id": entity_id,
        "parent_id": parent_id,
        "name": item["name"],
        "order_item_id": item["item_id"],
        "product_id": item["product_id"],
        "sku": item["sku"],
        "price": item["price"],
        "base_price": item["base_price"],
        "qty": share.quantity,
    }
    if is_sum(item):
        gross = item["price_incl_tax"]
        return body | {"price_incl_tax": gross, "base_price_incl_tax": gross}
    if is_companion(item):
        return body
    row = cents(share.item["price"] * share.quantity)
    amounts = {name: share.part(item[name], done) for name in _SHARED}
    net = item["row_total"] + item["discount_amount"]
    amounts["row_total"] = share.part(net, done) if item["row_total"] else row
    amounts["row_total_incl_tax"] = cents(item["price_incl_tax"] * share.quantity)
    for name, value in amounts.items():
        body |= {name: value, f"base_{name}": value}
    return body | {
        "price_incl_tax": item["price_incl_tax"],
        "base_price_incl_tax": item["price_incl_tax"],
    }


def summed(lines: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    """Return the sum of a member over a document's lines."""
    return sum((line.get(name, ZERO) for line in lines), ZERO)


def add(target: dict[str, Any], name: str, value: Decimal) -> None:
    """Add to an amount that is absent until it first happens, and to its twin in base currency."""
    for member in (name, f"base_{name}"):
        target[member] = target.get(member, ZERO) + value
