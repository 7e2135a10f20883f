"""Which writes may be sent in bulk, under which names the shop keeps them, and what they take.

What stands in the path of a single write goes into each item, `products/bySku`. The shape of
every item is looked at when it is posted; what it means, only by the consumer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.sandbox.shop.bulk.bulks import ConsumerDiedError, Operation, asked_json
from pricing_proxy.sandbox.shop.inventory.routes import (
    SOURCE_ITEM_FAILURE,
    check_source_items,
    save_source_items,
)
from pricing_proxy.sandbox.shop.products import requests
from pricing_proxy.sandbox.shop.products.routes import (
    BASE_PRICE_FAILURE,
    PRODUCT_FAILURE,
    TIER_PRICE_FAILURE,
)
from pricing_proxy.sandbox.shop.products.scopes import WHOLE_SHOP
from pricing_proxy.sandbox.shop.reading import Call, Handler
from pricing_proxy.sandbox.shop.writes import Cost, Failure

_CATALOG = "Magento_Catalog::catalog"
_PRODUCTS = "Magento_Catalog::products"
_MODEL = "Magento\\Catalog\\Model\\"
_SAVED = f"{_MODEL}ProductRepository\\Interceptor::save"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkKind:
    """One kind of write in bulk.

    Attributes:
        path: As the caller writes it.
        name: How its posts are counted.
        topic: Under which the shop keeps it.
        service: What its message says was done.
        check: Looks at the shape of an item; raises `RefusedError`.
        handle: Does one item.
        cost: How long the consumer takes for one.
        failure: How it fails by the dials.
    """

    method: str
    path: str
    resource: str
    name: str
    topic: str
    service: str
    check: Callable[[Call], Any]
    handle: Handler
    cost: Cost
    failure: Failure

    def operation(self, number: int, call: Call) -> Operation:
        """Return the operation of an item; raises `RefusedError` where its shape is wrong."""
        self.check(call)
        store_id = WHOLE_SHOP if call.store is None else call.store.id
        return Operation(
            id=number,
            topic=self.topic,
            service=self.service,
            asked=asked_json(call.body, store_id=store_id),
            seconds=self.cost.seconds(call.body),
            failure=self.failure,
            carry_out=lambda: self.handle(call),
        )


def _put_product(call: Call) -> Any:
    product: Mapping[str, Any] = call.members("product")
    if not product.get("sku"):
        # A PHP TypeError, which nothing catches.
        raise ConsumerDiedError
    return requests.saved_product(call)


def _save_source_items(call: Call) -> Any:
    # The service itself answers nothing.
    save_source_items(call)


KINDS = (
    BulkKind(
        method="POST",
        path="products",
        resource=_PRODUCTS,
        name="bulk_save_product",
        topic="async.magento.catalog.api.productrepositoryinterface.save.post",
        service=_SAVED,
        check=requests.checked_product,
        handle=requests.saved_product,
        cost=Cost(first_ms=50),
        failure=PRODUCT_FAILURE,
    ),
    BulkKind(
        method="PUT",
        path="products/bySku",
        resource=_PRODUCTS,
        name="bulk_save_product",
        topic="async.magento.catalog.api.productrepositoryinterface.save.put",
        service=_SAVED,
        check=requests.checked_product,
        handle=_put_product,
        cost=Cost(first_ms=62),
        failure=PRODUCT_FAILURE,
    ),
    BulkKind(
        method="POST",
        path="products/base-prices",
        resource=_CATALOG,
        name="bulk_save_base_prices",
        topic="async.magento.catalog.api.basepricestorageinterface.update.post",
        service=f"{_MODEL}Product\\Price\\BasePriceStorage::update",
        check=requests.base_prices_of,
        handle=requests.write_base_prices_of,
        cost=Cost(first_ms=12, row_ms=0.2, rows="prices"),
        failure=BASE_PRICE_FAILURE,
    ),
    BulkKind(
        method="POST",
        path="products/tier-prices",
        resource=_CATALOG,
        name="bulk_save_tier_prices",
        topic="async.magento.catalog.api.tierpricestorageinterface.update.post",
        service=f"{_MODEL}Product\\Price\\TierPriceStorage\\Interceptor::update",
        check=requests.tiers_of,
        handle=requests.add_tier_prices,
        cost=Cost(first_ms=17, row_ms=8, rows="prices"),
        failure=TIER_PRICE_FAILURE,
    ),
    BulkKind(
        method="POST",
        path="inventory/source-items",
        resource="Magento_InventoryApi::stock_source_item_assign",
        name="bulk_save_source_items",
        topic="async.magento.inventoryapi.api.sourceitemssaveinterface.execute.post",
        service=(
            "Magento\\Inventory\\Model\\SourceItem\\Command\\SourceItemsSave\\Interceptor::execute"
        ),
        check=check_source_items,
        handle=_save_source_items,
        cost=Cost(first_ms=15, row_ms=5, rows="sourceItems"),
        failure=SOURCE_ITEM_FAILURE,
    ),
)


def kind_of(method: str, segments: tuple[str, ...]) -> BulkKind | None:
    """Return the kind of a post in bulk, None where nothing of it may be."""
    path = "/".join(segments)
    return next((kind for kind in KINDS if (kind.method, kind.path) == (method, path)), None)
