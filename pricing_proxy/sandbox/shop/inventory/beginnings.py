"""What the shop's stock begins with: a stock for each of its websites, and goods for all of it.

`base` sells from `default`, `b2b` from `wh2`, and `b2b_de` from `berlin` before `hamburg`, which
has every second SKU, and no part of a bundle: those lie in one source of a stock.
"""

from decimal import Decimal

from pricing_proxy.sandbox.shop.catalog import Catalog
from pricing_proxy.sandbox.shop.inventory.inventory import Inventory, is_managed
from pricing_proxy.sandbox.shop.inventory.network import DEFAULT_SOURCE
from pricing_proxy.sandbox.shop.stores import DEMO_WEBSITE

_SOURCES = (
    {"source_code": "wh2", "name": "Warehouse 2", "country_id": "BE", "postcode": "9000"},
    {"source_code": "berlin", "name": "Lager Berlin", "country_id": "DE", "postcode": "10115"},
    {"source_code": "hamburg", "name": "Lager Hamburg", "country_id": "DE", "postcode": "20095"},
)
_STOCKS = (
    ("B2B stock", "b2b", ("wh2",)),
    ("B2B Germany", DEMO_WEBSITE, ("berlin", "hamburg")),
)
_FULL, _HALF = Decimal(1000), Decimal(500)


def stock_up(inventory: Inventory, catalog: Catalog) -> None:
    """Make sources and stocks, and put goods into them."""
    for members in _SOURCES:
        inventory.network.save_source(members)
    for name, website, sources in _STOCKS:
        stock = inventory.network.save_stock(name, [website])
        for priority, source in enumerate(sources, start=1):
            inventory.network.link(stock.id, source, priority)
    managed = [product for product in catalog.all() if is_managed(product)]
    bundled = {number for bundle in catalog.bundles() for number, _ in bundle.parts}
    for source in (DEFAULT_SOURCE, "wh2", "berlin"):
        inventory.items.fill(source, (product.sku for product in managed), _FULL)
    second = (one.sku for one in managed if one.id % 2 and one.id not in bundled)
    inventory.items.fill("hamburg", second, _HALF)
