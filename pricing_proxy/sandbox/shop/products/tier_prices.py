"""Batches of tier prices: what customer groups pay from quantities on.

One unknown SKU refuses a whole batch, without being named. A bad row is refused alone, with its
SKU among the parameters; two rows that say the same of one SKU are refused both, and so is one
that an existing row of all websites speaks for already. `PUT` replaces all rows of the SKUs it
names; a deletion that names no row exactly, price included, is done without a word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Catalog, Product, TierPrice
from pricing_proxy.sandbox.shop.products.members import decimal, whole
from pricing_proxy.sandbox.shop.stores import STORES
from pricing_proxy.shop_names import collated

_NAMES = {
    0: "NOT LOGGED IN",
    1: "General",
    2: "Wholesale",
    3: "Retailer",
    4: "Dealers",
    None: "all groups",
}
_GROUPS = {name.casefold(): number for number, name in _NAMES.items()}
_HUNDRED = 100
_ROW_ID = (
    " Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty."
)
_TWICE = (
    "We found a duplicate website, tier price, customer group and quantity: Customer Group = "
    "%customerGroup, Website ID = %websiteId, Quantity = %qty."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow:
    """A row of a batch."""

    sku: str
    website_id: int
    group: str
    quantity: Decimal
    price: Decimal | None
    price_type: str

    @property
    def place(self) -> tuple[str, str, Decimal]:
        """What a row says a price of."""
        return collated(self.sku), self.group.casefold(), self.quantity

    def tier(self) -> TierPrice:
        """Return it as its product keeps it."""
        return TierPrice(
            group_id=_GROUPS[self.group.casefold()],
            website_id=self.website_id,
            quantity=self.quantity,
            price=self.price or Decimal(0),
            is_discount=self.price_type == "discount",
        )


def checked_tiers(rows: Sequence[Any]) -> list[TierRow]:
    """Return the rows of a batch; raises `RefusedError` where a value is no number."""
    known = [row if isinstance(row, dict) else {} for row in rows]
    return [
        TierRow(
            sku=str(row.get("sku") or ""),
            website_id=whole(row.get("website_id"), ("website_id",)) or 0,
            group=str(row.get("customer_group") or ""),
            quantity=decimal(row.get("quantity"), ("quantity",)) or Decimal(0),
            price=decimal(row.get("price"), ("price",)),
            price_type=str(row.get("price_type") or ""),
        )
        for row in known
    ]


def write_tiers(
    catalog: Catalog, rows: Sequence[TierRow], *, replaces: bool
) -> list[dict[str, Any]]:
    """Write the good rows, and return the refusals of the others.

    Raises:
        RefusedError: A SKU is unknown; nothing was written.
    """
    products = {collated(row.sku): catalog.named(row.sku) for row in rows}
    refusals: list[dict[str, Any]] = []
    good: dict[str, list[TierRow]] = {sku: [] for sku in products} if replaces else {}
    for row in rows:
        product = products[collated(row.sku)]
        found = list(_refusals(row, rows, product, replaces=replaces))
        refusals += found
        if not found:
            good.setdefault(collated(row.sku), []).append(row)
    for sku, written in good.items():
        product = catalog.named(sku)
        kept = {} if replaces else {_key(tier): tier for tier in product.tiers}
        kept |= {_key(tier): tier for tier in (row.tier() for row in written)}
        catalog.put(replace(product, tiers=tuple(kept.values())))
    return refusals


def delete_tiers(catalog: Catalog, rows: Sequence[TierRow]) -> list[dict[str, Any]]:
    """Take away the rows that are there exactly so."""
    for row in rows:
        product = catalog.named(row.sku)
        if row.group.casefold() in _GROUPS:
            gone = row.tier()
            tiers = tuple(tier for tier in product.tiers if tier != gone)
            catalog.put(replace(product, tiers=tiers))
    return []


def tier_rows(catalog: Catalog, skus: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows of SKUs; unknown ones are left out."""
    found = dict.fromkeys(
        product.id for product in map(catalog.by_sku, map(str, skus)) if product is not None
    )
    return [
        {
            "price": tier.price,
            "price_type": "discount" if tier.is_discount else "fixed",
            "website_id": tier.website_id,
            "sku": product.sku,
            "customer_group": _NAMES[tier.group_id],
            "quantity": tier.quantity,
        }
        for product in map(catalog.by_id, found)
        for tier in product.tiers
    ]


def _key(tier: TierPrice) -> tuple[int | None, int, Decimal]:
    return tier.group_id, tier.website_id, tier.quantity


def _refusals(
    row: TierRow, rows: Sequence[TierRow], product: Product, *, replaces: bool
) -> Iterator[dict[str, Any]]:
    if product.type_id == "configurable":
        yield _refusal("Invalid attribute SKU = %SKU.", row)
    is_share = row.price_type == "discount"
    if row.price is None or row.price < 0 or (is_share and row.price > _HUNDRED):
        told = None if row.price is None else f"{row.price.normalize():f}"
        yield _refusal("Invalid attribute Price = %price.", row, told)
    if row.price_type not in ("fixed", "discount"):
        yield _refusal("Invalid attribute Price Type = %priceType.", row, row.price_type)
    if row.quantity < 1:
        yield _refusal("Invalid attribute Quantity = %qty.", row)
    if row.website_id and row.website_id not in {store.website_id for store in STORES}:
        yield _refusal("Invalid attribute Website ID = %websiteId.", row)
    for other in rows:
        is_same = other.place == row.place and other.website_id == row.website_id
        if other is not row and is_same:
            yield _refusal(_TWICE, other)
    if not replaces:
        yield from _spoken_for(row, product)
    if row.group.casefold() not in _GROUPS:
        yield _refusal("No such entity with Customer Group = %customerGroup.", row)


def _spoken_for(row: TierRow, product: Product) -> Iterator[dict[str, Any]]:
    """Yield the refusals for rows there already that hold where this one would."""
    for tier in product.tiers:
        is_same = _NAMES[tier.group_id].casefold() == row.group.casefold()
        if not is_same or tier.quantity != row.quantity:
            continue
        if tier.website_id != row.website_id and 0 in (tier.website_id, row.website_id):
            told = [row.sku, str(tier.website_id), _NAMES[tier.group_id], f"{tier.quantity:.4f}"]
            yield {"message": _TWICE + _ROW_ID, "parameters": told}


def _refusal(message: str, row: TierRow, *first: str | None) -> dict[str, Any]:
    told = [*first, row.sku, str(row.website_id), row.group, f"{row.quantity.normalize():f}"]
    return {"message": message + _ROW_ID, "parameters": told}
