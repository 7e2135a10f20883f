"""The control port's part that has the shop begin with what the ERP has.

    POST /systems/magento/sources/berlin/stocked   {"warehouse": "13"}

A source then holds, of each SKU that the shop has and the warehouse ever held, what nobody wants
there, in whole sales units: a shop to which somebody brought the ERP's stock before. Its other rows
are gone.
"""

from collections.abc import Iterator
from decimal import Decimal

from aiohttp import web

from pricing_proxy.sandbox.book import Book, Item, fold
from pricing_proxy.sandbox.control_answers import read_members
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.price_search import conversion_factor
from pricing_proxy.sandbox.shop.inventory.inventory import is_managed
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop_answers import done
from pricing_proxy.sandbox.stock.ledger import place_of, warehouses_of
from pricing_proxy.sandbox.stock.places import WAREHOUSES
from pricing_proxy.sandbox.wire import from_json

_ROUTE = "/systems/magento/sources/{source}/stocked"


def add_stocked_route(app: web.Application, book: Book, documents: Documents, shop: Shop) -> None:
    """Add the route."""

    async def stocked(request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        source, warehouse = request.match_info["source"], members.get("warehouse")

        def stock() -> dict[str, int]:
            if source not in shop.inventory.network.sources:
                raise BadMemberError("source", "the shop has no such source")
            if warehouse not in WAREHOUSES:
                raise BadMemberError("warehouse", f"expected one of {', '.join(WAREHOUSES)}")
            rows = dict(_free(book, documents, shop, str(warehouse)))
            shop.inventory.items.stock(source, rows)
            return {"rows": len(rows)}

        return done(stock)

    app.router.add_post(_ROUTE, stocked)


def _free(
    book: Book, documents: Documents, shop: Shop, warehouse: str
) -> Iterator[tuple[str, Decimal]]:
    ledger = documents.stock
    for product in shop.catalog.all():
        key = fold(product.sku)
        item = _item(book, key)
        if item is None or not is_managed(product):
            continue
        if warehouse in warehouses_of(key, ledger.others.get(key, {})):
            balance = ledger.balance(place_of(product.sku, warehouse))
            pieces = conversion_factor(book, item, item.sales_unit, item.inventory_unit)
            free = max(Decimal(0), balance.available - balance.on_order)
            if pieces is not None:
                yield product.sku, Decimal(int(free) * pieces.denominator // pieces.numerator)


def _item(book: Book, key: str) -> Item | None:
    variant = book.variants.get(key)
    return book.items.get(key if variant is None else fold(variant.item))
