"""What an integration is given access to in the shop, as its administrators see it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pricing_proxy.diagnosis.steps import Advice
from sync.engine.windows import Window
from sync.magento.odd_rows import RowPage
from sync.magento.shop import Shop

_NO_BULK = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Resource:
    """One right of the integration.

    Attributes:
        name: What is read with it.
        right: Where an administrator gives it.
        read: Reads as little as possible.
        lately: Reads what changed since an instant, as a poll does; None where nothing polls it.
    """

    name: str
    right: str
    read: Callable[[Shop], Awaitable[object]]
    lately: Callable[[Shop, datetime], AsyncGenerator[RowPage[Any], None]] | None = None

    def advice(self, what: str, *, route: str) -> Advice:
        """Return what to do when the shop does not answer on something that needs it.

        Args:
            what: What is read.
            route: What the shop calls the route.
        """
        return Advice(
            what=what,
            when_missing=f"The shop has no route for {route}: compare its version with 2.4",
            who=f"the integration ({self.right})",
            place="the shop's log",
        )


ORDERS = Resource(
    "orders",
    "Sales > Operations > Orders",
    lambda shop: shop.orders.order_count(),
    lately=lambda shop, since: shop.orders.order_heads_changed(Window(since=since)),
)
CUSTOMERS = Resource(
    "customers",
    "Customers > All Customers",
    lambda shop: shop.customers.customers_by_email("nobody@shop.invalid"),
    lately=lambda shop, since: shop.customers.customers_changed(Window(since=since)),
)
CREDIT_MEMOS = Resource(
    "credit memos",
    "Sales > Operations > Credit Memos",
    lambda shop: shop.credit_memos.credit_memos_of(0),
    lately=lambda shop, since: shop.credit_memos.credit_memos_changed(Window(since=since)),
)
INVOICES = Resource(
    "invoices",
    "Sales > Operations > Invoices",
    lambda shop: shop.invoices.invoices_of(0),
)
PRODUCTS = Resource(
    "products", "Catalog > Inventory > Products", lambda shop: shop.products.products_by_id([0])
)
SHIPMENTS = Resource(
    "shipments",
    "Sales > Operations > Shipments",
    lambda shop: shop.reserving_orders.shipment_count(),
    lately=lambda shop, since: shop.reserving_orders.shipped(Window(since=since)),
)
SOURCE_ITEMS = Resource(
    "source items",
    "Stores > Settings > Inventory, and Catalog > Inventory",
    lambda shop: shop.source_items.source_items(["nothing"], sources=["nothing"]),
)
ATTRIBUTES = Resource(
    "product attributes",
    "Stores > Attributes > Product",
    lambda shop: shop.attributes.attribute("sku"),
)
PRICES = Resource(
    "base prices", "Catalog > Inventory", lambda shop: shop.base_prices.prices(["none"])
)
BULKS = Resource(
    "bulk operations",
    "System > Action Logs > Bulk Operations",
    lambda shop: shop.bulks.has(_NO_BULK),
)
STORES = Resource(
    "store views", "Stores > Settings > All Stores", lambda shop: shop.catalog.store_views()
)
