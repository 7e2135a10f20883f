"""A shop's catalog with store views, options, variants, prices and a queue, as recorded.

What a real Magento does with single values: a name is one store view's, a status its website's,
everything else all views'. Writing in other letters renames, and unknown attributes are dropped.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import UpstreamConflictError
from pricing_proxy.shop_names import collated, shop_key
from sync.magento.answers import MagentoRejectedError
from sync.magento.attributes import AttributeOption, ProductAttribute
from sync.magento.base_prices import BasePrice, PriceFaults
from sync.magento.bulk import BulkEnd
from sync.magento.bulk_models import BulkOperation, OperationState
from sync.magento.catalog import ALL, StoreView
from sync.magento.configurables import Axis
from sync.magento.fault_messages import ShopFault
from sync.magento.product_models import CatalogProduct

VIEWS = {"admin": (0, 0), "default": (1, 1), "de": (3, 1), "b2b": (2, 2)}
"""Id and website of each store view."""

DEADLOCK = "Database deadlock found when trying to get lock"
_LONGEST = 255


def refusal(message: str, status: int = 400) -> MagentoRejectedError:
    return MagentoRejectedError(
        str(status), system="magento", status=status, faults=(ShopFault(message, {}),)
    )


@dataclass
class FakeProduct:
    """One product: what all views have, and what single ones have."""

    id: int
    values: dict[str, Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    stock_item: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    axes: list[str] = field(default_factory=list)


class FakeShopCatalog:
    """Products, attributes, variants and prices of one shop.

    Attributes:
        asked: What was written, one line each.
        is_dead: Whether nobody works the queue off.
        bad: SKUs that the shop refuses.
        pages: What the pages of products are called that were made.
        conflicts: How often the next writes of a SKU lose a deadlock.
        loses_status: Whether a module of the shop sets statuses back.
        each_variant: Called as a variant is added, which takes time.
    """

    def __init__(self) -> None:
        self.products: dict[str, FakeProduct] = {}
        self.attributes: dict[str, ProductAttribute] = {}
        self.asked: list[str] = []
        self.sent: list[Any] = []
        self.is_dead = False
        self.bad: set[str] = set()
        self.pages: set[str] = set()
        self.conflicts: dict[str, int] = {}
        self.loses_status = False
        self.held: list[str] = []
        self.each_variant: Callable[[], None] = lambda: None
        self._bulks: dict[str, Sequence[tuple[str, str, Mapping[str, Any]]]] = {}
        self._ended: dict[str, Sequence[BulkOperation]] = {}
        self._last = 100

    def put(self, sku: str, *, linked: Sequence[str] = (), **values: Any) -> FakeProduct:
        self._last += 1
        attributes = values.pop("attributes", {})
        whole = {"type_id": "simple", "status": 1, "name": sku, "price": Decimal(1)} | values
        product = FakeProduct(self._last, {"sku": sku, **whole}, attributes, linked=list(linked))
        self.products[collated(sku)] = product
        return product

    def offer(self, code: str, *labels: str, kind: str = "select") -> None:
        options = [AttributeOption(label=" ", value="")] + [
            AttributeOption(label=label, value=str(number))
            for number, label in enumerate(labels, start=4)
        ]
        self.attributes[code] = ProductAttribute(
            attribute_id=137 + len(self.attributes),
            attribute_code=code,
            frontend_input=kind,
            default_frontend_label=code.title(),
            options=tuple(options),
        )

    def seen(self, sku: str, store: str = ALL) -> dict[str, Any]:
        """Return a product as a view shows it."""
        product = self.products[collated(sku)]
        website = str(VIEWS[store][1]) if store != ALL else ""
        return {
            **product.values,
            **product.own.get(f"website {website}", {}),
            **product.own.get(store, {}),
        }

    # Products.

    async def store_views(self) -> Sequence[StoreView]:
        return [
            StoreView(id=number, code=code, website_id=website)
            for code, (number, website) in VIEWS.items()
        ]

    async def listed(self, skus: Sequence[str], *, store: str) -> Sequence[CatalogProduct]:
        keys = {shop_key(sku) for sku in skus}
        return [self._shown(key, store) for key in self.products if key in keys]

    async def product(self, sku: str) -> CatalogProduct | None:
        product = self.products.get(collated(sku))
        if product is None:
            return None
        shown = self._shown(collated(sku), ALL).model_dump()
        settings = {
            "use_config_min_sale_qty": 1,
            "use_config_max_sale_qty": True,
            "use_config_qty_increments": True,
        } | product.stock_item
        return CatalogProduct.model_validate(
            shown | {"extension_attributes": {"stock_item": settings}}
        )

    async def save(
        self, sku: str, members: Mapping[str, Any], *, store: str, guard: Guard | None = None
    ) -> CatalogProduct:
        await _passed(guard)
        self.asked.append(f"PUT {store} {sku}")
        self._change(sku, store, members)
        return self._shown(collated(sku), store)

    async def create(
        self, members: Mapping[str, Any], *, guard: Guard | None = None
    ) -> CatalogProduct:
        await _passed(guard)
        self.asked.append(f"POST {members['sku']}")
        self._create(members)
        return self._shown(collated(str(members["sku"])), ALL)

    # The queue.

    async def change_products(
        self, products: Sequence[Mapping[str, Any]], *, store: str, guard: Guard | None = None
    ) -> str:
        await _passed(guard)
        self.asked.append(f"bulk PUT {store} x{len(products)}")
        return self._queued([("PUT", store, each) for each in products])

    async def create_products(
        self, products: Sequence[Mapping[str, Any]], *, guard: Guard | None = None
    ) -> str:
        await _passed(guard)
        self.asked.append(f"bulk POST x{len(products)}")
        return self._queued([("POST", ALL, each) for each in products])

    async def ends(self, bulk: str) -> Sequence[BulkOperation] | None:
        if bulk not in self._bulks:
            return None
        if self.is_dead:
            return [_open(number) for number in range(len(self._bulks[bulk]))]
        if bulk not in self._ended:
            its = enumerate(self._bulks[bulk])
            self._ended[bulk] = [self._operation(number, *each) for number, each in its]
        return self._ended[bulk]

    def forget_bulks(self) -> None:
        """As the shop does after some weeks."""
        self._bulks.clear()

    async def follow(self, bulk: str, *, rows: int, wait: timedelta) -> BulkEnd:
        del wait
        if self.is_dead:
            return BulkEnd({}, is_overdue=True)
        ended = {
            number: self._operation(number, *each) for number, each in enumerate(self._bulks[bulk])
        }
        assert len(ended) == rows
        return BulkEnd(ended, is_overdue=False)

    # Attributes.

    async def attribute(self, code: str) -> ProductAttribute | None:
        return self.attributes.get(code)

    async def add_option(self, code: str, label: str, *, guard: Guard | None = None) -> str:
        await _passed(guard)
        self.asked.append(f"option {code} {label}")
        known = self.attributes[code]
        if any(each.label.strip().casefold() == label.strip().casefold() for each in known.options):
            raise refusal(f'Admin store attribute option label "{label}" is already exists.')
        number = str(50 + len(known.options))
        added = AttributeOption(label=label, value=number)
        self.attributes[code] = known.model_copy(update={"options": (*known.options, added)})
        return number

    # Configurables.

    async def variants(self, sku: str) -> Sequence[str]:
        return list(self.products[collated(sku)].linked)

    async def axes(self, sku: str) -> Sequence[Axis]:
        codes = self.products[collated(sku)].axes
        return [
            Axis(id=number, attribute_id=str(self.attributes[code].attribute_id))
            for number, code in enumerate(codes)
        ]

    async def add_axis(
        self,
        sku: str,
        attribute_id: int,
        *,
        label: str,
        position: int,
        values: Sequence[int],
        guard: Guard | None = None,
    ) -> str:
        await _passed(guard)
        code = next(c for c, each in self.attributes.items() if each.attribute_id == attribute_id)
        self.asked.append(f"axis {sku} {code} {label} {position} {list(values)}")
        self.products[collated(sku)].axes.append(code)
        return "1"

    async def add_variant(self, sku: str, variant: str, *, guard: Guard | None = None) -> None:
        await _passed(guard)
        self.asked.append(f"variant {sku} {variant}")
        self.each_variant()
        parent, child = self.products[collated(sku)], self.products[collated(variant)]
        if variant in parent.linked:
            raise refusal("The product is already attached.")
        for code in parent.axes:
            if not child.attributes.get(code):
                raise refusal(f'The child product doesn\'t have the "{code}" attribute value.')
        parent.linked.append(variant)

    # Prices.

    async def set_prices(
        self, prices: Sequence[BasePrice], *, guard: Guard | None = None
    ) -> PriceFaults:
        await _passed(guard)
        self.asked.append(f"prices x{len(prices)}")
        self.sent += prices
        rows: dict[str, ShopFault] = {}
        nameless: list[ShopFault] = []
        for price in prices:
            product = self.products.get(collated(price.sku))
            if product is None or product.values["type_id"] == "configurable":
                rows[price.sku] = ShopFault(f"Invalid attribute SKU = {price.sku}.", {})
            elif price.price < 0:
                nameless.append(ShopFault(f"Invalid attribute Price = {price.price}.", {}))
            else:
                product.values["price"] = price.price
        return PriceFaults(rows, tuple(nameless))

    @asynccontextmanager
    async def hold(self, folded: Collection[str]) -> AsyncIterator[None]:
        self.held += folded
        yield

    def _queued(self, rows: Sequence[tuple[str, str, Mapping[str, Any]]]) -> str:
        bulk = f"bulk-{len(self._bulks)}"
        self._bulks[bulk] = rows
        return bulk

    def _operation(
        self, number: int, method: str, store: str, members: Mapping[str, Any]
    ) -> BulkOperation:
        sku = str(members["sku"])
        try:
            if method == "POST":
                self._create(members)
            else:
                self._change(sku, store, members)
        except UpstreamConflictError as error:
            return BulkOperation(id=number, status=3, result_message=str(error))  # type: ignore[arg-type]
        except MagentoRejectedError as error:
            return BulkOperation(id=number, status=3, result_message=error.reasons[0])  # type: ignore[arg-type]
        shown = self._shown(collated(sku), store)
        result = f'{{"id": {shown.id}, "sku": "{shown.sku}"}}'
        return BulkOperation(id=number, status=1, result_serialized_data=result)  # type: ignore[arg-type]

    def _create(self, members: Mapping[str, Any]) -> None:
        sku = str(members["sku"])
        if sku in self.bad:
            raise refusal("The shop refuses this product.")
        page = _page_of(members)
        if page and page in self.pages:
            raise refusal("URL-Schlüssel für angegebenen Store existiert bereits.")
        self.pages.add(page)
        if collated(sku) not in self.products:
            self.put(sku)
        self._change(sku, ALL, members)

    def _change(self, sku: str, store: str, members: Mapping[str, Any]) -> None:
        product = self.products.get(collated(sku))
        if product is None:
            raise refusal("Invalid product data: Invalid attribute set entity type")
        if sku in self.bad:
            raise refusal("The shop refuses this product.")
        if self.conflicts.get(sku, 0):
            self.conflicts[sku] -= 1
            raise UpstreamConflictError(DEADLOCK, system="magento", status=400)
        self.sent.append({"store": store, **members})
        product.values["sku"] = sku
        for name, value in members.items():
            if name == "custom_attributes":
                known = {each["attribute_code"]: each["value"] for each in value}
                product.attributes |= {
                    code: one
                    for code, one in known.items()
                    if code in self.attributes or code == "tax_class_id"
                }
            elif name == "extension_attributes":
                product.stock_item |= value.get("stock_item", {})
                if "website_ids" in value:
                    product.values["website_ids"] = value["website_ids"]
            elif name != "sku":
                self._set(product, store, name, value)

    def _set(self, product: FakeProduct, store: str, name: str, value: Any) -> None:
        kept = value[:_LONGEST] if name == "name" else value
        if name == "status" and self.loses_status:
            return
        if store == ALL or name not in {"name", "status"}:
            product.values[name] = kept
        elif name == "name":
            product.own.setdefault(store, {})[name] = kept
        else:
            product.own.setdefault(f"website {VIEWS[store][1]}", {})[name] = kept

    def _shown(self, key: str, store: str) -> CatalogProduct:
        product = self.products[key]
        attributes = [
            {"attribute_code": code, "value": value} for code, value in product.attributes.items()
        ]
        values = self.seen(key, store)
        return CatalogProduct.model_validate(
            {**values, "id": product.id, "custom_attributes": attributes}
        )


def _page_of(members: Mapping[str, Any]) -> str:
    """Return what a product's page is called; empty for a variant, which has none."""
    if members["visibility"] == 1:
        return ""
    codes = {row["attribute_code"]: row["value"] for row in members.get("custom_attributes", ())}
    return str(codes.get("url_key", members["name"]))


async def _passed(guard: Guard | None) -> None:
    if guard is not None:
        await guard()


def _open(number: int) -> BulkOperation:
    return BulkOperation(id=number, status=OperationState.OPEN)
