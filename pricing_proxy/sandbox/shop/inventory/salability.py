"""Answer what may be sold: one SKU, some of them, or all of a website's stock by the page.

The shop asks for a SKU in its own letters here. What it does not know ends in three ways: a
crash where a quantity is asked for, a plain no elsewhere, and silence in lists.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Product
from pricing_proxy.sandbox.shop.inventory.inventory import is_managed, is_uncounted
from pricing_proxy.sandbox.shop.products.listing import found_products
from pricing_proxy.sandbox.shop.reading import Call, criteria_of
from pricing_proxy.sandbox.shop.wire import CrashedError, RefusedError, required, wrong_type
from pricing_proxy.shop_names import collated

_UNKNOWN_STOCK = "Could not receive Stock Item data"
_UNMANAGED = "Can't check requested quantity for products without Source Items support."
_TOO_MUCH = (
    {"code": "back_order-disabled", "message": "Backorders are disabled"},
    {"code": "manage_stock-enabled", "message": "Manage stock is enabled"},
    {
        "code": "is_salable_with_reservations-not_enough_qty",
        "message": "The requested qty is not available",
    },
)


def salable_quantity(call: Call) -> Decimal:
    """Return how much of a SKU may be sold from a stock."""
    product, stock_id = _managed(call, call.places[0]), _number(call.places[1])
    _check_stock(call, stock_id)
    return call.shop.inventory.salable(product.sku, stock_id)


def is_salable(call: Call) -> bool:
    """Say whether anything of a SKU may be sold from a stock."""
    return _is_salable(call, call.places[0], _number(call.places[1]))


def are_salable(call: Call) -> list[dict[str, Any]]:
    """Say so of several SKUs."""
    skus = list(_given(call, "skus").values())
    stock_id = _stock_id(call)
    return [
        {"sku": sku, "stock_id": stock_id, "salable": _is_salable(call, sku, stock_id)}
        for sku in skus
    ]


def is_quantity_salable(call: Call) -> dict[str, Any]:
    """Say whether so much of a SKU may be sold from a stock, and why not."""
    sku, stock, quantity = call.places
    return _judged(call, sku, _number(stock), _quantity(quantity))


def are_quantities_salable(call: Call) -> list[dict[str, Any]]:
    """Say so of several SKUs."""
    stock_id = _stock_id(call)
    asked: dict[str, dict[str, str]] = {}
    for place, value in _given(call, "skuRequests").items():
        index, _, member = place.partition("][")
        asked.setdefault(index, {})[member] = value
    return [
        {"sku": one["sku"], "stock_id": stock_id}
        | _judged(call, one["sku"], stock_id, _quantity(one["qty"], during="qty"))
        for one in asked.values()
    ]


def exported(call: Call) -> dict[str, Any]:
    """Return a page of what may be sold on a website; `total_count` is that of the page alone."""
    stock = call.shop.inventory.network.stock_of(_website(call))
    criteria = criteria_of(call)
    page, _ = found_products(call.shop.catalog, call.shop.attributes, criteria)
    if any(name == "sku" for name in criteria.names()):
        # The database then goes by that index.
        page.sort(key=lambda product: collated(product.sku))
    items = list(_salable_rows(call, page, stock.id))
    return {"items": items, "search_criteria": criteria.echo(), "total_count": len(items)}


def dumped(call: Call) -> list[dict[str, Any]]:
    """Return the whole index of a website's stock, as if nothing were reserved."""
    inventory = call.shop.inventory
    stock = inventory.network.stock_of(_website(call))
    found = []
    for product in call.shop.catalog.all():
        held = inventory.indexed(product.sku, stock.id) if is_managed(product) else Decimal(0)
        if held is not None and (held or inventory.has_any(product, stock.id)):
            is_for_sale = inventory.is_salable(product, stock.id)
            found.append({"sku": product.sku, "qty": held, "is_salable": is_for_sale})
    return found


def _salable_rows(call: Call, page: list[Product], stock_id: int) -> Iterator[dict[str, Any]]:
    inventory = call.shop.inventory
    for product in page:
        if is_managed(product) and is_uncounted(product):
            yield {"sku": product.sku, "qty": Decimal(0), "is_salable": True}
            continue
        if is_managed(product) and inventory.indexed(product.sku, stock_id) is None:
            continue
        quantity = inventory.salable(product.sku, stock_id) if is_managed(product) else Decimal(0)
        is_for_sale = inventory.is_salable(product, stock_id)
        yield {"sku": product.sku, "qty": quantity, "is_salable": is_for_sale}


def _known(call: Call, sku: str) -> Product | None:
    product = call.shop.catalog.by_sku(sku)
    return product if product is not None and product.sku == sku else None


def _managed(call: Call, sku: str) -> Product:
    product = _known(call, sku)
    if product is None:
        raise CrashedError
    if not is_managed(product):
        raise RefusedError(400, _UNMANAGED)
    return product


def _check_stock(call: Call, stock_id: int) -> None:
    if stock_id not in call.shop.inventory.network.stocks:
        raise RefusedError(400, _UNKNOWN_STOCK)


def _is_salable(call: Call, sku: str, stock_id: int) -> bool:
    product = _known(call, sku)
    if product is None:
        return False
    _check_stock(call, stock_id)
    return call.shop.inventory.is_salable(product, stock_id)


def _judged(call: Call, sku: str, stock_id: int, quantity: Decimal) -> dict[str, Any]:
    product = _managed(call, sku)
    _check_stock(call, stock_id)
    left = call.shop.inventory.salable(product.sku, stock_id)
    is_enough = is_uncounted(product) or left >= quantity
    return {"salable": is_enough, "errors": [] if is_enough else list(_TOO_MUCH)}


def _website(call: Call) -> str:
    kind, code = call.places
    return code if kind == "website" else ""


def _given(call: Call, name: str) -> Mapping[str, str]:
    """Return the members of a parameter of the query, by what stands between the brackets."""
    found = {}
    for key, value in call.query:
        top, _, rest = key.partition("[")
        if top == name:
            found[rest.removesuffix("]")] = value
    if not found:
        raise required(name)
    return found


def _stock_id(call: Call) -> int:
    return _number(_given(call, "stockId").get("", ""), during="stockId")


def _number(text: str, *, during: str | None = None) -> int:
    if not text.lstrip("-").isdecimal():
        raise wrong_type(text, "int", during=during)
    return int(text)


def _quantity(text: str, *, during: str | None = None) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise wrong_type(text, "float", during=during) from None
