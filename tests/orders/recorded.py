"""The recorded orders, with rules and products under which they can be sold."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pricing_proxy.shared_state.item_map import Item
from sync.magento.order_models import Order
from sync.orders.rules import OrderRules
from sync.orders.selling import Sellable, Selling, SoldThing
from tests.magento.recordings import recordings

SELLING = Selling(market="b2b_de", company="demf", currencies=frozenset({"EUR", "USD"}))
RULES: Mapping[str, Any] = {
    "start_at": "2026-01-01T00:00:00Z",
    "site": "1",
    "warehouse": "13",
    "shipping": {"flatrate_*": {"mode": "10"}, "virtual": {"mode": "NONE"}},
    "pickup": {"wh2": {"mode": "PICK", "warehouse": "14"}},
    "payment": {"checkmo": {"method": "CHECK"}, "free": {"method": "FREE"}},
    "countries": {"DE": "DEU", "NL": "NLD", "BE": "BEL", "CA": "CAN"},
    "tax": {
        "DE-19": {"sales_tax_group": "DE", "item_group": "FULL"},
        "DE-7": {"sales_tax_group": "DE", "item_group": "RED"},
        "NL-21": {"sales_tax_group": "NL", "item_group": "FULL"},
        "CA-GST-5+CA-QC-QST-9.975": {"sales_tax_group": "CA-QC", "item_group": "FULL"},
        "none": {"sales_tax_group": "NONE", "item_group": "NONE"},
    },
    "tax_codes": {"19": "DE-19", "7": "DE-7"},
    "untaxed": [
        {"reason": "domestic", "countries": ["DE"], "sales_tax_group": "DE", "item_group": "NONE"},
        {"reason": "exempt", "sales_tax_group": "EXEMPT", "item_group": "FULL"},
    ],
    "shipping_item": "FREIGHT",
    "free_lines": "send",
    "tax_difference": "hold",
}


# What the ERP computes by the groups above.
RATES: Mapping[tuple[str, str], Decimal] = {
    ("DE", "FULL"): Decimal(19),
    ("DE", "RED"): Decimal(7),
    ("NL", "FULL"): Decimal(21),
    ("CA-QC", "FULL"): Decimal("15.4737"),
}


def rules(**changes: Any) -> OrderRules:
    """Return rules that fit the recordings, changed as told."""
    return OrderRules.model_validate({**RULES, **changes})


@cache
def orders() -> dict[str, Order]:
    """Return every recorded order by the recording's name; lists of orders are left out."""
    return {
        name: Order.model_validate(exchange.answer)
        for name, exchange in recordings("order_shapes").items()
        if isinstance(exchange.answer, dict) and "increment_id" in exchange.answer
        if "payment" in exchange.answer
    }


def products(order: Order, **changes: Any) -> dict[SoldThing, Sellable]:
    """Return each product of the order as an item whose number tells the product's id."""
    plain: dict[str, Any] = dict.fromkeys(
        ("color", "size", "style", "configuration", "version"), ""
    )
    plain |= {"sales_unit": "PCS", "list_price": None, "is_sold": True, **changes}
    return {
        SoldThing(row.product_id, row.sku): Sellable(
            Item(row.sku, f"ITEM-{row.product_id}", **plain), row.sku
        )
        for row in order.items
    }


def numbered(sample: Order, entity_id: int, number: str, store: int, **members: Any) -> Order:
    """Return an order of this number whose rows have ids of their own, as the shop gives them."""
    shift = entity_id * 1000
    rows = tuple(
        row.model_copy(
            update={
                "item_id": row.item_id + shift,
                "parent_item_id": row.parent_item_id and row.parent_item_id + shift,
            }
        )
        for row in sample.items
    )
    identity = {"entity_id": entity_id, "increment_id": number, "store_id": store, "items": rows}
    return sample.model_copy(update={**identity, "ext_order_id": "", **members})
