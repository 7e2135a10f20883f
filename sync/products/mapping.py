"""From the ERP's item to rows of the shop: pure, and never a guess.

    global      what is the same in all websites; of the master market, which makes products
    links       the variants of a configurable
    view/N      the name in one store view, in its language
    website/N   whether it is sold there, and its price where each website has one

A field of which the ERP says nothing is in no row and stays as it is. What has no entry in
the maps, or would arrive as something else, holds its SKU.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pricing_proxy.money import divide
from sync.products.erp_product import ErpProduct, ProductKind
from sync.products.market import GLOBAL, LINKS, ProductMarket
from sync.products.plain_numbers import plain
from sync.store.mirror_records import DesiredRow, UnmappedRow, Value

VERSION = 1
"""Raise when the same item would become something else; the journal keeps it."""

NAME, TYPE, WEIGHT, TAX_CLASS, PRICE = "name", "type", "weight", "tax_class_id", "price"
STATUS, BLOCKED = "status", "blocked"
MINIMUM, MAXIMUM, MULTIPLE = "min_sale_qty", "max_sale_qty", "qty_increments"
AXES, VARIANTS = "axes", "variants"
QUANTITIES = frozenset({MINIMUM, MAXIMUM, MULTIPLE})
FIXED = frozenset({NAME, TYPE, WEIGHT, TAX_CLASS, PRICE, STATUS, BLOCKED, AXES, VARIANTS}) | (
    QUANTITIES
)
"""Names of fields; every other one is the code of an attribute of the shop."""

ENABLED, DISABLED = "1", "2"
"""The shop's status of a product."""

LONGEST_NAME = 255
_LONGEST_SKU = 64
_MARKUP = re.compile(r"<\s*[/!?]?[A-Za-z][^>]*>?|&[A-Za-z]{2,8};|&#\w{1,7};", re.ASCII)


class Born(NamedTuple):
    """What a product is made with, beside its row's own fields."""

    name: str
    price: str | None
    is_variant: bool


class UnmappedError(Exception):
    """No row can be made of an item.

    Attributes:
        row: Which, and what to do.
    """

    def __init__(self, row: UnmappedRow) -> None:
        super().__init__(f"{row.key}: {row.text}")
        self.row = row


def map_product(product: ErpProduct, market: ProductMarket, *, today: date) -> list[DesiredRow]:
    """Return the rows of an item in all scopes of a market.

    Args:
        product: The item.
        market: The market, which owns some of the fields.
        today: In the ERP's time zone.

    Raises:
        UnmappedError: It cannot be shown as the rules want it.
    """
    if len(product.sku) > _LONGEST_SKU:
        raise _unmapped(
            product, "ItemNumber", "has more characters than the shop's 64", "rename it"
        )
    rows = [
        DesiredRow(scope=scope, key=product.sku, values=name)
        for scope, name in _names(product, market)
    ]
    if market.is_master:
        values = dict(_global_fields(product, market))
        rows.append(DesiredRow(scope=GLOBAL, key=product.sku, values=values))
        if product.kind is ProductKind.CONFIGURABLE and "variants" in market.owned:
            links = _links(product, market)
            rows.append(DesiredRow(scope=LINKS, key=product.sku, values=links))
    if website := dict(_website_fields(product, market, today)):
        rows.append(DesiredRow(scope=market.website, key=product.sku, values=website))
    return rows


def born(product: ErpProduct, market: ProductMarket) -> Born:
    """Return what a product is made with; raises `UnmappedError`."""
    name = _checked_name(
        product, product.names.get(market.default_language, product.own_name), market
    )
    if not name:
        advice = f"name it in {market.default_language or 'the ERP'}"
        raise _unmapped(product, "ProductName", "has no name to be made with", advice)
    return Born(name, _price(product, market), product.is_variant)


def is_sold(product: ErpProduct, market: ProductMarket, *, today: date) -> bool:
    """Return whether the ERP sells an item on a day."""
    states = {state.casefold() for state in market.rules.inactive_states}
    has_begun = product.begins_on is None or product.begins_on <= today
    has_ended = product.ends_on is not None and product.ends_on < today
    is_active = product.state.casefold() not in states
    return is_active and has_begun and not has_ended and not product.is_stopped


def _names(product: ErpProduct, market: ProductMarket) -> Iterator[tuple[str, dict[str, Value]]]:
    for scope, language in market.views.items():
        if name := _checked_name(product, product.names.get(language, ""), market):
            yield scope, {NAME: name}


def _checked_name(product: ErpProduct, name: str, market: ProductMarket) -> str:
    """Return a name as the shop shows it; raises `UnmappedError`."""
    rules, text = market.rules, " ".join(name.split())
    if _MARKUP.search(text):
        if rules.markup_names == "hold":
            advice = f'take it out, or set {market.key("markup_names")} to "strip"'
            raise _unmapped(product, "ProductName", "has HTML in its name", advice)
        text = " ".join(_MARKUP.sub(" ", text).split())
    if len(text) > LONGEST_NAME:
        if rules.long_names == "hold":
            told = f"has a name of {len(text)} characters, of which the shop keeps {LONGEST_NAME}"
            advice = f'shorten it, or set {market.key("long_names")} to "cut"'
            raise _unmapped(product, "ProductName", told, advice)
        text = text[:LONGEST_NAME].rstrip()
    return text


def _global_fields(product: ErpProduct, market: ProductMarket) -> Iterator[tuple[str, Value]]:
    owned = market.owned
    yield TYPE, product.kind
    if "weight" in owned and (weight := _weight(product, market)):
        yield WEIGHT, plain(weight)
    if "tax_class" in owned:
        yield TAX_CLASS, _tax_class(product, market)
    yield from _attributes(product, market)
    if "variants" in owned:
        yield from _dimensions(product, market)
    if "quantities" in owned:
        yield from _quantities(product, market)
    if market.has_global_price and (price := _price(product, market)) is not None:
        yield PRICE, price


def _attributes(product: ErpProduct, market: ProductMarket) -> Iterator[tuple[str, Value]]:
    rules, owned = market.rules, market.owned
    if "sales_unit" in owned and rules.unit_attribute is not None:
        yield rules.unit_attribute, _unit(product, market)
    if "barcode" in owned and rules.barcode_attribute is not None and product.barcode:
        yield rules.barcode_attribute, product.barcode
    if "attributes" in owned:
        for code, name in rules.attributes.items():
            if value := product.attributes.get(name):
                yield code, _label(code, value, market)


def _website_fields(
    product: ErpProduct, market: ProductMarket, today: date
) -> Iterator[tuple[str, Value]]:
    if "status" in market.owned:
        sold = is_sold(product, market, today=today)
        if market.rules.status == "erp":
            yield STATUS, ENABLED if sold else DISABLED
        else:
            yield BLOCKED, "0" if sold else "1"
    if "price" in market.owned and market.rules.price_scope == "website":
        price = _price(product, market)
        if price is not None:
            yield PRICE, price


def _weight(product: ErpProduct, market: ProductMarket) -> Decimal:
    tare = product.tare_weight if market.rules.weight == "gross" else Decimal(0)
    return product.net_weight + tare if product.net_weight else Decimal(0)


def _tax_class(product: ErpProduct, market: ProductMarket) -> str:
    found = market.tax_class_of(product.tax_group)
    if found is None:
        raise _missing(
            product, "SalesSalesTaxItemGroupCode", product.tax_group, "tax_classes", market
        )
    return str(found)


def _unit(product: ErpProduct, market: ProductMarket) -> str:
    found = market.unit_of(product.unit)
    if found is None:
        raise _missing(product, "SalesUnitSymbol", product.unit, "units", market)
    return found


def _dimensions(product: ErpProduct, market: ProductMarket) -> Iterator[tuple[str, Value]]:
    for name, value in product.dimensions.items():
        code = market.rules.dimensions.get(name)
        if code is None:
            raise _missing(product, f"Product{name.capitalize()}Id", name, "dimensions", market)
        yield code, _label(code, value, market)


def _links(product: ErpProduct, market: ProductMarket) -> dict[str, Value]:
    codes = [market.rules.dimensions.get(name) for name in product.axes]
    for name, code in zip(product.axes, codes, strict=True):
        if code is None:
            raise _missing(product, f"Product{name.capitalize()}Id", name, "dimensions", market)
    return {AXES: sorted(filter(None, codes)), VARIANTS: sorted(product.variants)}


def _quantities(product: ErpProduct, market: ProductMarket) -> Iterator[tuple[str, Value]]:
    asked = {MINIMUM: product.minimum, MAXIMUM: product.maximum, MULTIPLE: product.multiple}
    if any(asked.values()) and product.unit.casefold() != product.inventory_unit.casefold():
        told = f"has order quantities in {product.inventory_unit}, and is sold in {product.unit}"
        advice = f'clear them, or take "quantities" out of {market.key("fields")}'
        raise _unmapped(product, "MinimumSalesOrderQuantity", told, advice)
    for name, quantity in asked.items():
        yield name, plain(quantity)


def _price(product: ErpProduct, market: ProductMarket) -> str | None:
    """Return the price of one unit; None where it has none, as what is sold as variants only."""
    if product.price is None or product.kind is ProductKind.CONFIGURABLE:
        return None
    if product.price < 0 or product.price_quantity <= 0:
        raise _unmapped(product, "SalesPrice", "has a price below zero", "correct it in the ERP")
    scale = market.rules.price_decimals
    return plain(Decimal(divide(product.price, product.price_quantity, scale=scale)))


def _label(code: str, value: str, market: ProductMarket) -> str:
    return market.rules.labels.get(code, {}).get(value, value)


def _missing(
    product: ErpProduct, field: str, value: str, entry: str, market: ProductMarket
) -> UnmappedError:
    """Return the error for a code that stands in no map."""
    advice = f'add "{value}" to {market.key(entry)}, then replay'
    return _unmapped(product, field, f'"{value}" stands for nothing in the shop', advice)


def _unmapped(product: ErpProduct, field: str, text: str, advice: str) -> UnmappedError:
    return UnmappedError(UnmappedRow(key=product.sku, field=field, text=text, advice=advice))
