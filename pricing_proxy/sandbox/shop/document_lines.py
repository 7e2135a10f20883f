"""What invoices and credit memos share: which lines, how many of each, and their shares.

A document's share of a line is a share of what the documents before left of it, rounded as
`part_rounding` says, so that the last one takes the odd cent. Amounts in the order's currency and
in the shop's (`base_`) are shared each by themselves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.part_rounding import PartRounding
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
_HUNDRED = Decimal(100)
CURRENCIES = ("", "base_")
"""What the names of amounts begin with: in the order's currency, and in the shop's."""
SHIPPING_COMPENSATION = {
    "": "shipping_discount_tax_compensation_amount",
    "base_": "base_shipping_discount_tax_compensation_amnt",
}
"""The tax part of the discount on an order's shipping in each; spelt like this by Magento."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of an order's line a document holds."""

    item: dict[str, Any]
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of document, by the members of an order's line.

    Attributes:
        whole: The quantity that the line's amounts are for.
        done: How much of it went into documents before.
        amounts: By the member of a document's line: that of the order's line that is shared,
            and that of what went before.
    """

    whole: str
    done: str
    amounts: Mapping[str, tuple[str, str]]


INVOICE = Kind(
    whole="qty_ordered",
    done="qty_invoiced",
    amounts={
        "row_total": ("row_total", "row_invoiced"),
        "discount_amount": ("discount_amount", "discount_invoiced"),
        "tax_amount": ("tax_amount", "tax_invoiced"),
        "discount_tax_compensation_amount": (
            "discount_tax_compensation_amount",
            "discount_tax_compensation_invoiced",
        ),
    },
)
CREDIT_MEMO = Kind(
    whole="qty_invoiced",
    done="qty_refunded",
    amounts={
        "row_total": ("row_invoiced", "amount_refunded"),
        "discount_amount": ("discount_invoiced", "discount_refunded"),
        "tax_amount": ("tax_invoiced", "tax_refunded"),
        "discount_tax_compensation_amount": (
            "discount_tax_compensation_invoiced",
            "discount_tax_compensation_refunded",
        ),
    },
)


def requested(
    order: Order, rows: Any, *, left: Mapping[int, Decimal], verb: str
) -> dict[int, Decimal]:
    """Return the quantity of each line that is asked for; all that is left when nothing is named.

    A line of which nothing is left to invoice is left out.

    Raises:
        RefusedError: More is asked for than is left.
    """
    if not rows:
        return {item_id: quantity for item_id, quantity in left.items() if quantity > 0}
    names = {item["item_id"]: item["name"] for item in order["items"]}
    asked: dict[int, Decimal] = {}
    for row in rows:
        item_id, quantity = row.get("order_item_id"), Decimal(str(row.get("qty", 0)))
        if item_id not in left or (verb == "invoice" and left[item_id] <= 0):
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


def line_bodies(
    parts: Iterable[Share], *, ids: Iterator[int], parent_id: int, kind: Kind
) -> list[dict[str, Any]]:
    """Return a document's lines; `row_total` is before discount here."""
    shared = list(parts)
    bodies = [_line_body(share, entity_id=next(ids), parent_id=parent_id) for share in shared]
    pairs = [
        (share, body)
        for share, body in zip(shared, bodies, strict=True)
        if not is_sum(share.item) and not is_companion(share.item)
    ]
    for currency in CURRENCIES:
        _share_amounts(pairs, kind, currency)
    return bodies


def _line_body(share: Share, *, entity_id: int, parent_id: int) -> dict[str, Any]:
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
    if is_companion(item):
        return body
    names = [f"{currency}price_incl_tax" for currency in CURRENCIES]
    return body | {name: item[name] for name in names}


def _share_amounts(
    pairs: Sequence[tuple[Share, dict[str, Any]]], kind: Kind, currency: str
) -> None:
    """Write the amounts of all lines in one currency, in the order of Magento's totals."""
    rounding, including = PartRounding(), PartRounding()

    def write(share: Share, body: dict[str, Any], name: str) -> None:
        whole, done = kind.amounts[name]
        item = share.item
        body[f"{currency}{name}"] = rounding.part(
            _whole(item, f"{currency}{whole}"),
            item.get(f"{currency}{done}", ZERO),
            item[kind.whole] - item[kind.done],
            share.quantity,
            is_taken_off=name == "discount_amount",
        )

    for share, body in pairs:
        write(share, body, "row_total")
        body[f"{currency}row_total_incl_tax"] = including.part(
            _gross(share.item, currency), ZERO, share.item["qty_ordered"], share.quantity
        )
    for share, body in pairs:
        # Absent where there is none.
        if share.item.get(kind.amounts["discount_amount"][0]):
            write(share, body, "discount_amount")
    for share, body in pairs:
        write(share, body, "tax_amount")
        write(share, body, "discount_tax_compensation_amount")


def _gross(item: Mapping[str, Any], currency: str) -> Decimal:
    """Return what an order's row comes to with tax before discount; it is shown after it."""
    shown: Decimal = item[f"{currency}row_total_incl_tax"]
    discount: Decimal = item[f"{currency}discount_amount"]
    if not discount:
        return shown
    if item[f"{currency}discount_tax_compensation_amount"]:
        return shown + discount
    net = _whole(item, f"{currency}row_total")
    return net + cents(net * item["tax_percent"] / _HUNDRED)


def _whole(item: Mapping[str, Any], name: str) -> Decimal:
    """Return an amount of an order's line; its row is shown after discount, and cut at 0."""
    amount: Decimal = item.get(name, ZERO)
    if not name.endswith("row_total"):
        return amount
    currency = name.removesuffix("row_total")
    if not amount:
        return cents(item[f"{currency}price"] * item["qty_ordered"])
    return amount + Decimal(item[f"{currency}discount_amount"])


def summed(lines: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    """Return the sum of a member over a document's lines."""
    return sum((line.get(name, ZERO) for line in lines), ZERO)


def add(target: dict[str, Any], name: str, value: Decimal, base: Decimal | None = None) -> None:
    """Add to an amount that is absent until it first happens, and to its twin in base currency."""
    for member, more in ((name, value), (f"base_{name}", value if base is None else base)):
        target[member] = target.get(member, ZERO) + more


def add_from(target: dict[str, Any], name: str, source: Mapping[str, Any], member: str) -> None:
    """Add a member of a document, in both currencies; one that is not there is 0."""
    add(target, name, source.get(member, ZERO), source.get(f"base_{member}", ZERO))
