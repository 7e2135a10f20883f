"""The routes of multi-source inventory."""

from typing import Any

from pricing_proxy.sandbox.shop.criteria import find
from pricing_proxy.sandbox.shop.inventory import describing, salability
from pricing_proxy.sandbox.shop.inventory.saving import UNSAVED
from pricing_proxy.sandbox.shop.products import requests
from pricing_proxy.sandbox.shop.reading import Call, criteria_of
from pricing_proxy.sandbox.shop.route import Route
from pricing_proxy.sandbox.shop.writes import Cost, Failure

_API = "Magento_InventoryApi::"
_SOURCE, _SOURCE_EDIT = f"{_API}source", f"{_API}source_edit"
_STOCK, _STOCK_EDIT = f"{_API}stock", f"{_API}stock_edit"
_LINKS, _ASSIGN = f"{_API}stock_source_link", f"{_API}stock_source_item_assign"
_SALES = "Magento_InventorySalesApi::stock"


_SOURCE_ITEM = "Magento\\InventoryApi\\Api\\Data\\SourceItemInterface"
# The deadlock's words are the shop's for any batch of these that it cannot save.
SOURCE_ITEM_FAILURE = Failure(deadlock=UNSAVED, unsaved=UNSAVED)


def save_source_items(call: Call) -> list[Any]:
    """Write a batch of source items."""
    check_source_items(call)
    return call.shop.source_items.save(call.body)


def check_source_items(call: Call) -> None:
    """Look at the shape of a batch; raises `RefusedError` where it is beyond the limits."""
    if isinstance(call.body.get("sourceItems"), list):
        call.rows("sourceItems", _SOURCE_ITEM)


def _source_items(call: Call) -> dict[str, Any]:
    criteria = criteria_of(call)
    for name in criteria.names():
        call.shop.inventory.items.check_column(name)
    rows, rest = call.shop.inventory.items.narrowed(criteria)
    page, total = find(rows, rest, lambda row, name: row.read(name))
    return {
        "items": [row.body() for row in page],
        "search_criteria": criteria.echo(),
        "total_count": total,
    }


INVENTORY_ROUTES = (
    Route(
        "GET",
        "stockItems/*",
        "Magento_CatalogInventory::cataloginventory",
        "stock_item",
        requests.stock_item,
    ),
    Route("GET", "inventory/source-items", _SOURCE, "source_items", _source_items),
    Route(
        "POST",
        "inventory/source-items",
        _ASSIGN,
        "save_source_items",
        save_source_items,
        Cost(first_ms=60, row_ms=2.6, rows="sourceItems"),
        SOURCE_ITEM_FAILURE,
    ),
    Route(
        "POST",
        "inventory/source-items-delete",
        _ASSIGN,
        "delete_source_items",
        lambda call: call.shop.source_items.delete(call.body),
    ),
    Route("GET", "inventory/sources", _SOURCE, "sources", describing.sources),
    Route("POST", "inventory/sources", _SOURCE_EDIT, "save_source", describing.save_source),
    Route("GET", "inventory/sources/*", _SOURCE, "source", describing.source),
    Route("PUT", "inventory/sources/*", _SOURCE_EDIT, "save_source", describing.save_source),
    Route("GET", "inventory/stocks", _STOCK, "stocks", describing.stocks),
    Route("POST", "inventory/stocks", _STOCK_EDIT, "save_stock", describing.save_stock),
    Route("GET", "inventory/stocks/*", _STOCK, "stock", describing.stock),
    Route("PUT", "inventory/stocks/*", _STOCK_EDIT, "save_stock", describing.save_stock),
    Route("GET", "inventory/stock-resolver/*/*", _SALES, "stock_resolver", describing.resolved),
    Route("GET", "inventory/stock-source-links", _LINKS, "stock_links", describing.links),
    Route("POST", "inventory/stock-source-links", _LINKS, "save_links", describing.save_links),
    Route(
        "POST",
        "inventory/stock-source-links-delete",
        _LINKS,
        "delete_links",
        describing.delete_links,
    ),
    Route(
        "GET",
        "inventory/get-product-salable-quantity/*/*",
        _SALES,
        "salable_quantity",
        salability.salable_quantity,
    ),
    Route("GET", "inventory/is-product-salable/*/*", _SALES, "is_salable", salability.is_salable),
    Route(
        "GET",
        "inventory/is-product-salable-for-requested-qty/*/*/*",
        _SALES,
        "is_quantity_salable",
        salability.is_quantity_salable,
    ),
    Route("GET", "inventory/are-products-salable", _SALES, "are_salable", salability.are_salable),
    Route(
        "GET",
        "inventory/are-product-salable-for-requested-qty/",
        _SALES,
        "are_quantities_salable",
        salability.are_quantities_salable,
    ),
    Route(
        "GET",
        "inventory/export-stock-salable-qty/*/*",
        _STOCK,
        "export_salable",
        salability.exported,
    ),
    Route(
        "GET",
        "inventory/dump-stock-index-data/*/*",
        _STOCK,
        "dump_stock_index",
        salability.dumped,
    ),
)
