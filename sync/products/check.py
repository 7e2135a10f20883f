"""The rows that products have in `d365-sync check`, beside their sets and resources."""

from collections.abc import Iterator, Mapping

from pricing_proxy.diagnosis.board import Finding, failed, ok
from sync.description import CheckRow
from sync.given import ConfiguredMarket
from sync.magento.resources import ATTRIBUTES, STORES
from sync.magento.shop import Shop
from sync.products.rules import ProductRules

_ATTRIBUTES, _VIEWS = "attributes of products", "store views of products"
_TEXTS = frozenset({"text", "textarea", "select", "multiselect", "price", "date", "boolean"})


def shop_rows(markets: Mapping[str, ConfiguredMarket]) -> Iterator[CheckRow[Shop]]:
    """Yield whether the shop has the attributes and store views that are written."""
    rules = {code: market.own.rules(ProductRules) for code, market in markets.items()}

    async def attributes(shop: Shop) -> Finding:
        return await _look_at_attributes(shop, rules)

    async def views(shop: Shop) -> Finding:
        return await _look_at_views(shop, markets)

    if any(each.attribute_codes() for each in rules.values()):
        advice = ATTRIBUTES.advice("attributes of products", route="products/attributes")
        yield CheckRow(name=_ATTRIBUTES, look=attributes, advice=advice)
    advice = STORES.advice("store views", route="store/storeViews")
    yield CheckRow(name=_VIEWS, look=views, advice=advice)


async def _look_at_attributes(shop: Shop, rules: Mapping[str, ProductRules]) -> Finding:
    fitting = 0
    for market, each in rules.items():
        chosen = set(each.dimensions.values())
        for code, entry in each.attribute_codes().items():
            where = f"sync.markets.{market}.products.{entry}"
            found = await shop.attributes.attribute(code)
            if found is None:
                return failed(
                    f"the shop's products have no attribute {code}: it would be dropped",
                    f"Make it in the shop, or correct {where}",
                )
            if code in chosen and (found.frontend_input != "select" or found.scope != "global"):
                return failed(
                    f"variants cannot differ in {code}: it is {found.frontend_input}, "
                    f"{found.scope or 'of unknown scope'}",
                    f"Make it a drop-down of global scope in the shop, or correct {where}",
                )
            if found.frontend_input not in _TEXTS:
                return failed(
                    f"{code} is {found.frontend_input}, which is no text", f"Correct {where}"
                )
            fitting += 1
    return ok(f"{fitting} are there")


async def _look_at_views(shop: Shop, markets: Mapping[str, ConfiguredMarket]) -> Finding:
    known = {view.id: view for view in await shop.catalog.store_views()}
    named = 0
    for code, market in markets.items():
        for store in market.own.store_ids:
            where = f"sync.markets.{code}"
            if store not in known:
                return failed(f"the shop has no store view {store}", f"Correct {where}.store_ids")
            if known[store].website_id != market.own.website_id:
                return failed(
                    f"store view {store} is of website {known[store].website_id}",
                    f"Correct {where}.website_id or {where}.store_ids",
                )
            named += 1
    return ok(f"{named} store views, each of its website")
