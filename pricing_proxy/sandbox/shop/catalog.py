"""The shop's products: what one is, and all of them by id and by SKU without case.

What a product is for the whole shop stands in its fields; what a store view or website has of its
own, in `views` (`products.scopes`). Who saves, renames or deletes one does it here, and
`on_saved` is told of it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from itertools import chain, count
from typing import Any

from pricing_proxy.sandbox.shop.stores import WEBSITES
from pricing_proxy.sandbox.shop.wire import RefusedError
from pricing_proxy.shop_names import collated

OPTIONS_SKU = "LAMP-03"
DYNAMIC_BUNDLE = "LAMP-SET"
FIXED_BUNDLE = "LAMP-KIT"
SEPARATE_DYNAMIC_BUNDLE = "LAMP-SET-SEPARATE"
SEPARATE_FIXED_BUNDLE = "LAMP-KIT-SEPARATE"
SERVICE = "SERVICE-01"
FIRST_LAMP = "LAMP-01"

STANDARD, REDUCED, UNTAXED = "standard", "reduced", "none"
TAXABLE_GOODS, REDUCED_GOODS = "2", "4"
_TAX_CLASSES = {TAXABLE_GOODS: STANDARD, REDUCED_GOODS: REDUCED}
ATTRIBUTE_SET = 4
_MISSING = "The product that was requested doesn't exist. Verify the product and try again."
ALL_WEBSITES = tuple(store.website_id for store in WEBSITES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a drop-down option; `percent` is of the product's price."""

    id: int
    title: str
    sku: str
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The custom options of a product: a text that costs something, and a drop-down."""

    text_id: int = 1
    text_sku: str = "ENG"
    text_price: Decimal = Decimal(5)
    choice_id: int = 2
    choices: tuple[Choice, ...] = (
        Choice(id=1, title="Small", sku="BOXS", percent=Decimal(2)),
        Choice(id=2, title="Big", sku="BOXB", percent=Decimal(10)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An attribute that a configurable's variants differ in; `values` are ids of its options."""

    id: int
    attribute_id: int
    code: str
    label: str
    position: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPrice:
    """What members of a customer group (None = everybody) pay from a quantity on."""

    group_id: int | None
    website_id: int
    quantity: Decimal
    price: Decimal
    is_discount: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product.

    Attributes:
        price: Net list price of one unit in EUR; 0 on a configurable and dynamic bundle.
        parts: Of a bundle: product id and how many of it one bundle holds.
        axes: Of a configurable: what its variants differ in.
        variants: Of a configurable: their product ids.
        is_in_stock: Of what has no source items, such as a configurable.
        cost: Some shops keep it; then order lines show it.
        attributes: Of the whole shop, by code, as the tables hold them: text.
        stock_settings: What of its stock item is not as the shop's configuration says.
        views: By store view: fields and attributes that are its own.
    """

    id: int
    sku: str
    name: str
    price: Decimal
    type_id: str = "simple"
    tax_class_id: str = TAXABLE_GOODS
    weight: Decimal | None = Decimal(1)
    status: int = 1
    visibility: int = 4
    is_qty_decimal: bool = False
    is_in_stock: bool = True
    cost: Decimal | None = None
    options: Options | None = None
    parts: tuple[tuple[int, int], ...] = ()
    axes: tuple[Axis, ...] = ()
    variants: tuple[int, ...] = ()
    tiers: tuple[TierPrice, ...] = ()
    created_at: str = ""
    updated_at: str = ""
    categories: tuple[str, ...] = ()
    website_ids: tuple[int, ...] = ALL_WEBSITES
    attributes: Mapping[str, Any] = field(default_factory=dict)
    stock_settings: Mapping[str, Any] = field(default_factory=dict)
    views: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def tax_class(self) -> str:
        """How its price is taxed; a class that nobody made has no rates."""
        return _TAX_CLASSES.get(self.tax_class_id, UNTAXED)

    def row_weight(self, quantity: Decimal) -> Decimal:
        """Return what a line of it weighs; services weigh nothing."""
        return Decimal(0) if self.weight is None else self.weight * quantity

    @property
    def ships_apart(self) -> bool:
        """Whether a bundle's parts are shipped, each by itself, instead of the bundle."""
        return self.attributes.get("shipment_type") == "1"

    @property
    def is_sold(self) -> bool:
        """Whether an order may hold it by itself."""
        return self.status == 1 and self.price > 0

    def seen_from(self, store_id: int) -> "Product":
        """Return it with what a store view has of its own; 0 is the whole shop."""
        own = self.views.get(store_id)
        if not own:
            return self
        of_fields = {name: value for name, value in own.items() if name in PRODUCT_FIELDS}
        others = {name: value for name, value in own.items() if name not in PRODUCT_FIELDS}
        return replace(self, **of_fields, attributes={**self.attributes, **others})


PRODUCT_FIELDS = frozenset(one.name for one in fields(Product))


class Catalog:
    """All products, by id and by SKU without case.

    Attributes:
        on_saved: Told of a product before and after it was saved or renamed, and with what.
        on_changed: Told of a product before and after anything of it was changed.
    """

    def __init__(self, products: Iterable[Product], *, created_at: str) -> None:
        self._products: dict[int, Product] = {}
        self._numbers: list[int] = []
        self._ids: dict[str, int] = {}
        self._parents: dict[int, int] = {}
        self._composed: set[int] = set()
        self.on_saved: Callable[[Product | None, Product, Mapping[str, Any]], None] | None = None
        self.on_changed: Callable[[Product, Product], None] | None = None
        self._last_id = 0
        for product in products:
            self.put(replace(product, created_at=created_at, updated_at=created_at))

    def all(self) -> Iterator[Product]:
        """Yield every product by rising id."""
        return iter(self._products.values())

    def numbers(self, *, above: int = 0) -> Sequence[int]:
        """Return the ids above one, rising."""
        return self._numbers[bisect_left(self._numbers, above + 1) :]

    def next_id(self) -> int:
        """Return the id of a product yet to be made."""
        return self._last_id + 1

    def put(self, product: Product) -> None:
        """Add a product or change one, its SKU included."""
        before = self._products.get(product.id)
        if before is None:
            self._numbers.append(product.id)
        else:
            self._ids.pop(collated(before.sku))
            if self.on_changed is not None:
                self.on_changed(before, product)
        self._products[product.id] = product
        self._last_id = max(self._last_id, product.id)
        self._ids[collated(product.sku)] = product.id
        self._parents |= dict.fromkeys(product.variants, product.id)
        if product.variants or product.parts:
            self._composed.add(product.id)

    def save(self, before: Product | None, after: Product, members: Mapping[str, Any]) -> Product:
        """Put a product that was changed or made by these members, and tell of it."""
        self.put(after)
        if self.on_saved is not None:
            self.on_saved(before, after, members)
        return after

    def remove(self, sku: str) -> bool:
        """Delete a product; configurables and bundles lose it, orders keep its id.

        Raises:
            RefusedError: There is none of this SKU.
        """
        gone = self.named(sku)
        del self._products[gone.id], self._ids[collated(gone.sku)]
        del self._numbers[bisect_left(self._numbers, gone.id)]
        self._composed.discard(gone.id)
        self._parents.pop(gone.id, None)
        for product in [self._products[number] for number in sorted(self._composed)]:
            variants = tuple(one for one in product.variants if one != gone.id)
            parts = tuple(part for part in product.parts if part[0] != gone.id)
            if (variants, parts) != (product.variants, product.parts):
                self.put(replace(product, variants=variants, parts=parts))
        return True

    def rename(self, sku: str, new_sku: str, *, now: str) -> Product:
        """Give a product another SKU, or the same in other letters; order lines keep the old one.

        Raises:
            RefusedError: There is none of this SKU.
        """
        before = self.named(sku)
        return self.save(before, replace(before, sku=new_sku, updated_at=now), {})

    def by_id(self, product_id: int) -> Product:
        """Return a product by its id, which exists."""
        return self._products[product_id]

    def find(self, product_id: int) -> Product | None:
        """Return a product by its id, which an order may name long after it is gone."""
        return self._products.get(product_id)

    def bundles(self) -> Iterator[Product]:
        """Yield the bundles."""
        composed = map(self.by_id, sorted(self._composed))
        return (product for product in composed if product.parts)

    def configurable_of(self, product: Product) -> Product | None:
        """Return the configurable that a product is a variant of."""
        parent = self._parents.get(product.id)
        return None if parent is None else self._products.get(parent)

    def by_sku(self, sku: str) -> Product | None:
        """Return a product; SKUs know no case."""
        product_id = self._ids.get(collated(sku))
        return None if product_id is None else self._products[product_id]

    def named(self, sku: str) -> Product:
        """Return a product that has to exist.

        Raises:
            RefusedError: It does not.
        """
        product = self.by_sku(sku)
        if product is None:
            raise RefusedError(404, _MISSING)
        return product

    def free(self, sku: str, product_id: int) -> str:
        """Return a SKU that nobody else has: a taken one gets "-1" behind it."""
        names = chain([sku], (f"{sku}-{number}" for number in count(1)))
        return next(one for one in names if self._ids.get(collated(one)) in {None, product_id})
