"""The shop's products: looked up by id and by SKU without case, created and changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import chain, count
from typing import Any

from pricing_proxy.sandbox.shop.wire import RefusedError

COLOR_ATTRIBUTE = "137"
SIZE_ATTRIBUTE = "138"
OPTIONS_SKU = "LAMP-03"
DYNAMIC_BUNDLE = "LAMP-SET"
FIXED_BUNDLE = "LAMP-KIT"
SERVICE = "SERVICE-01"
FIRST_LAMP = "LAMP-01"

STANDARD, REDUCED, UNTAXED = "standard", "reduced", "none"
_MAX_SKU = 64
ATTRIBUTE_SET = 4
_MEMBERS = frozenset(
    {"id", "sku", "name", "attribute_set_id", "price", "status", "visibility", "type_id", "weight"}
    | {"created_at", "updated_at", "extension_attributes", "custom_attributes", "options"}
    | {"product_links", "media_gallery_entries", "tier_prices"}
)
_MISSING = "The product that was requested doesn't exist. Verify the product and try again."


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
class Product:
    """A product.

    Attributes:
        price: Net list price of one unit in EUR, cents; 0 on a configurable and dynamic bundle.
        parts: Of a bundle: product id and how many of it one bundle holds.
        variants: Of a configurable: product ids with their option values.
        cost: Some shops keep it; then order lines show it.
    """

    id: int
    sku: str
    name: str
    price: Decimal
    type_id: str = "simple"
    tax_class: str = STANDARD
    weight: Decimal | None = Decimal(1)
    status: int = 1
    visibility: int = 4
    is_qty_decimal: bool = False
    cost: Decimal | None = None
    options: Options | None = None
    parts: tuple[tuple[int, int], ...] = ()
    variants: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""
    categories: tuple[str, ...] = ()

    def row_weight(self, quantity: Decimal) -> Decimal:
        """Return what a line of it weighs; services weigh nothing."""
        return Decimal(0) if self.weight is None else self.weight * quantity

    @property
    def is_sold(self) -> bool:
        """Whether an order may hold it by itself."""
        return self.status == 1 and self.price > 0

    def read(self, name: str) -> Any:
        """Return what a filter compares; raises `RefusedError` for an unknown attribute."""
        if name in _FILTERABLE:
            return getattr(self, "id" if name == "entity_id" else name)
        text = 'The "%1" attribute name is invalid. Reset the name and try again.'
        raise RefusedError(400, text, [name])


_FILTERABLE = (
    "entity_id",
    "sku",
    "name",
    "price",
    "type_id",
    "status",
    "visibility",
    "created_at",
    "updated_at",
)


class Catalog:
    """All products, by id and by SKU without case.

    Attributes:
        on_saved: Told of a product before and after it was saved or renamed, and with what.
    """

    def __init__(self, products: Iterable[Product], *, created_at: str) -> None:
        self._products: dict[int, Product] = {}
        self._ids: dict[str, int] = {}
        self._parents: dict[int, int] = {}
        self._bundles: set[int] = set()
        self._last_id = 0
        self.on_saved: Callable[[Product | None, Product, Mapping[str, Any]], None] | None = None
        for product in products:
            self.put(replace(product, created_at=created_at, updated_at=created_at))

    def all(self) -> Iterator[Product]:
        """Yield every product by rising id."""
        return iter(self._products.values())

    def next_id(self) -> int:
        """Return the id of a product yet to be made."""
        return self._last_id + 1

    def put(self, product: Product) -> None:
        """Add a product or change one, its SKU included."""
        before = self._products.get(product.id)
        if before is not None:
            self._ids.pop(before.sku.casefold())
        self._products[product.id] = product
        self._last_id = max(self._last_id, product.id)
        self._ids[product.sku.casefold()] = product.id
        self._parents |= dict.fromkeys(product.variants, product.id)
        if product.type_id == "bundle":
            self._bundles.add(product.id)

    def remove(self, sku: str) -> bool:
        """Delete a product; configurables and bundles lose it, orders keep its id.

        Raises:
            RefusedError: There is none of this SKU.
        """
        gone = self.named(sku)
        del self._products[gone.id], self._ids[gone.sku.casefold()]
        self._bundles.discard(gone.id)
        self._parents.pop(gone.id, None)
        for product in list(self._products.values()):
            variants = {one: chosen for one, chosen in product.variants.items() if one != gone.id}
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
        renamed = replace(before, sku=new_sku, updated_at=now)
        self._saved(before, renamed, {})
        return renamed

    def by_id(self, product_id: int) -> Product:
        """Return a product by its id, which exists."""
        return self._products[product_id]

    def find(self, product_id: int) -> Product | None:
        """Return a product by its id, which an order may name long after it is gone."""
        return self._products.get(product_id)

    def bundles(self) -> Iterator[Product]:
        """Yield the bundles."""
        return map(self.by_id, sorted(self._bundles))

    def configurable_of(self, product: Product) -> Product | None:
        """Return the configurable that a product is a variant of."""
        parent = self._parents.get(product.id)
        return None if parent is None else self._products[parent]

    def by_sku(self, sku: str) -> Product | None:
        """Return a product; SKUs know no case."""
        product_id = self._ids.get(sku.casefold())
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

    def save(self, members: Mapping[str, Any], *, now: str, sku: str | None = None) -> Product:
        """Create or change a product as a POST (no `sku`) or PUT says; what is left out stays.

        The SKU in a path goes before the body's, in the letters of the path. An id says which
        product it is, and then the SKU is its new one; a taken SKU gets "-1" behind it.

        Raises:
            RefusedError: A required member is missing, or the SKU too long.
        """
        _check_members(members)
        given = _checked_sku(members.get("sku") or "" if sku is None else sku)
        before = self._products.get(members["id"]) if "id" in members else self.by_sku(given)
        if before is None:
            _check_new(members)
        known = before or Product(
            id=self.next_id(),
            sku=given,
            name="",
            price=Decimal(0),
            weight=None,
            created_at=now,
        )
        weight, price = members.get("weight", known.weight), members.get("price", known.price)
        saved = replace(
            known,
            sku=self._free(given, known.id),
            name=members.get("name", known.name),
            price=Decimal(str(price)),
            weight=None if weight is None else Decimal(str(weight)),
            status=members.get("status", known.status),
            type_id=members.get("type_id", known.type_id),
            visibility=members.get("visibility", known.visibility),
            updated_at=now,
        )
        self._saved(before, saved, members)
        return saved

    def _saved(self, before: Product | None, after: Product, members: Mapping[str, Any]) -> None:
        self.put(after)
        if self.on_saved is not None:
            self.on_saved(before, after, members)

    def _free(self, sku: str, product_id: int) -> str:
        names = chain([sku], (f"{sku}-{number}" for number in count(1)))
        return next(one for one in names if self._ids.get(one.casefold()) in {None, product_id})


def _checked_sku(told: Any) -> str:
    given = str(told).strip()
    if not given:
        raise _empty("sku")
    if len(given) > _MAX_SKU:
        raise RefusedError(400, "SKU length should be 64 characters maximum.")
    return given


def _check_members(members: Mapping[str, Any]) -> None:
    for name in members:
        if name not in _MEMBERS:
            text = '"%fieldName" is not supported. Correct the field name and try again.'
            raise RefusedError(400, text, {"fieldName": name[:1].upper() + name[1:]})
    if "price" not in members:
        return
    price = members["price"]
    if price is None:
        raise _empty("Price")
    try:
        Decimal(str(price))
    except InvalidOperation:
        text = (
            f'Error occurred during "price" processing. The "{price}" value\'s type is invalid. '
            'The "float" type was expected. Verify and try again.'
        )
        raise RefusedError(400, text) from None


def _check_new(members: Mapping[str, Any]) -> None:
    if "attribute_set_id" not in members:
        raise RefusedError(400, "Invalid product data: %1", ["Invalid attribute set entity type"])
    if members["attribute_set_id"] != ATTRIBUTE_SET:
        text = "Invalid attribute set entity type"
        raise RefusedError(400, "Invalid product data: %1", [text])
    for name, label in (("name", "Product Name"), ("price", "Price")):
        if members.get(name) is None and members.get("type_id") != "configurable":
            raise _empty(label)


def _empty(label: str) -> RefusedError:
    text = f'The "{label}" attribute value is empty. Set the attribute and try again.'
    return RefusedError(400, text)
