"""What the shop sells: the ERP's catalog as a shop shows it, and what only a shop has.

Ids are given in the order of the ERP's list, so that the same seed gives the same
shop. SKUs are the ERP's item and variant numbers. Beyond those there are a
configurable for each master, a bundle whose price is in its parts (`LAMP-SET`), one
with a price of its own that the ERP does not know (`LAMP-KIT`), both again with parts that are
shipped one by one (`…-SEPARATE`), and a service (`SERVICE-01`). `LAMP-03` has custom options;
`LAMP-05` and `LAMP-15` are taxed low.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import count

from pricing_proxy.sandbox.book import Book, Item, Variant
from pricing_proxy.sandbox.shop.catalog import (
    DYNAMIC_BUNDLE,
    FIRST_LAMP,
    FIXED_BUNDLE,
    OPTIONS_SKU,
    REDUCED_GOODS,
    SEPARATE_DYNAMIC_BUNDLE,
    SEPARATE_FIXED_BUNDLE,
    SERVICE,
    TAXABLE_GOODS,
    Axis,
    Options,
    Product,
)
from pricing_proxy.sandbox.shop.products.attributes import Attributes

_REDUCED_SKUS = ("LAMP-05", "LAMP-15")
_CENT = Decimal("0.01")
_AXES = ("color", "size")


def products_of(book: Book, attributes: Attributes) -> Iterator[Product]:
    """Yield every product of the shop, ids rising from 1; options are made as they are met."""
    number = 0
    axis_ids = count(1)
    ids: dict[str, int] = {}
    variants: dict[str, list[Variant]] = {}
    for variant in book.variants.values():
        variants.setdefault(variant.item, []).append(variant)
    for item in book.items.values():
        children: list[Product] = []
        for variant in variants.get(item.number, ()):
            number += 1
            simple = _simple(number, variant.number, variant.name, item, visibility=1)
            children.append(replace(simple, attributes=_chosen(variant, attributes)))
        yield from children
        number += 1
        ids[item.number] = number
        if item.is_master:
            axes = tuple(_axis(next(axis_ids), code, children, attributes) for code in _AXES)
            yield _configurable(number, item, axes, children)
        else:
            yield _simple(number, item.number, item.name, item, visibility=4)
    yield from _shop_only(number, ids)


def _chosen(variant: Variant, attributes: Attributes) -> Mapping[str, str]:
    return {
        code: str(attributes.option_of(code, getattr(variant.dimensions, code))) for code in _AXES
    }


def _axis(number: int, code: str, children: Iterable[Product], attributes: Attributes) -> Axis:
    attribute = attributes.named(code)
    values = dict.fromkeys(int(child.attributes[code]) for child in children)
    return Axis(
        id=number,
        attribute_id=attribute.id,
        code=code,
        label=attribute.label,
        position=0,
        values=tuple(values),
    )


def _shop_only(number: int, ids: Mapping[str, int]) -> Iterator[Product]:
    parts = ((ids["LAMP-02"], 2), (ids["LAMP-04"], 1), (ids["LAMP-05"], 1))
    whole = Product(
        id=number + 1,
        sku=DYNAMIC_BUNDLE,
        name="Lamp set",
        price=Decimal(0),
        type_id="bundle",
        parts=parts,
        weight=Decimal(4),
        attributes=_bundle_settings(is_fixed=False),
    )
    kit = replace(
        whole,
        id=number + 2,
        sku=FIXED_BUNDLE,
        name="Lamp kit",
        price=Decimal(80),
        attributes=_bundle_settings(is_fixed=True),
    )
    yield whole
    yield kit
    yield Product(
        id=number + 3,
        sku=SERVICE,
        name="Mounting",
        price=Decimal(25),
        type_id="virtual",
        weight=None,
    )
    for one, place, sku in (
        (whole, 4, SEPARATE_DYNAMIC_BUNDLE),
        (kit, 5, SEPARATE_FIXED_BUNDLE),
    ):
        apart = {**one.attributes, "shipment_type": "1"}
        yield replace(one, id=number + place, sku=sku, attributes=apart)


def _bundle_settings(*, is_fixed: bool) -> Mapping[str, str]:
    """Return the attributes that every bundle has, of one that is shipped together."""
    return {
        "price_type": str(int(is_fixed)),
        "shipment_type": "0",
        "sku_type": "0",
        "weight_type": "0",
        "price_view": "0",
    }


def _simple(number: int, sku: str, name: str, item: Item, *, visibility: int) -> Product:
    unit_price = item.base_price / item.price_unit
    return Product(
        id=number,
        sku=sku,
        name=name,
        price=unit_price.quantize(_CENT, ROUND_HALF_UP),
        tax_class_id=REDUCED_GOODS if sku in _REDUCED_SKUS else TAXABLE_GOODS,
        status=2 if item.is_stopped else 1,
        visibility=visibility,
        is_qty_decimal=item.sales_unit == "M",
        categories=("3",) if sku == FIRST_LAMP else (),
        cost=Decimal("9.50") if sku == FIRST_LAMP else None,
        options=Options() if sku == OPTIONS_SKU else None,
    )


def _configurable(
    number: int, item: Item, axes: tuple[Axis, ...], children: Iterable[Product]
) -> Product:
    return Product(
        id=number,
        sku=item.number,
        name=item.name,
        price=Decimal(0),
        type_id="configurable",
        axes=axes,
        variants=tuple(child.id for child in children),
    )
