"""From the ERP's item to rows of the shop: pure, and never a guess.

    global      what is the same in all websites; of the master market, which makes products
    links       the variants of a configurable
    view/N      the name in one store view, in its language
    website/N   whether it is sold there, and its price where each website has one

A field of which the ERP says nothing is in no row and stays as it is. One that has no entry in
the maps, or would arrive as something else, is held by name, and the others go on: above all,
whether it is sold hangs on no other field. Nothing is made while a field is held.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from pricing_proxy.money import divide
from sync.products.erp_product import ErpProduct, Part, ProductKind
from sync.products.mapped import (
    Born,
    Fields,
    Mapped,
    Sorting,
    UnmappedError,
    missing,
    together,
    unmapped,
)
from sync.products.market import GLOBAL, LINKS, ProductMarket
from sync.products.markup import has_markup, without_markup
from sync.products.plain_numbers import plain
from sync.products.rules import Dimension
from sync.store.mirror_records import DesiredRow

VERSION = 2
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
_READ_AGAIN = "correct the row in the ERP, then replay"


def map_product(product: ErpProduct, market: ProductMarket, *, today: date) -> Mapped:
    """Return the rows of an item in all scopes of a market.

    Args:
        product: The item.
        market: The market, which owns some of the fields.
        today: In the ERP's time zone.
    """
    if len(product.sku) > _LONGEST_SKU:
        told = "has more characters than the shop's 64"
        return Mapped(
            rows=(), held=unmapped(product, "ItemNumber", told, "rename it", is_part=False).row
        )
    sorting = Sorting()
    rows = [
        DesiredRow(scope=scope, key=product.sku, values=values)
        for scope, parts in _scopes(product, market, today)
        if (values := sorting.fields(parts))
    ]
    return Mapped(rows=rows, held=together(product, sorting.odd))


Scope = tuple[str, Sequence[Callable[[], Fields]]]


def _scopes(product: ErpProduct, market: ProductMarket, today: date) -> Iterator[Scope]:
    """Yield scopes with what makes their fields; the parts of one fail alone."""
    for scope, language in market.views.items():
        yield scope, [partial(_name, product, language, market)]
    if market.is_master:
        yield GLOBAL, [*_global_parts(product, market)]
        if product.kind is ProductKind.CONFIGURABLE and "variants" in market.owned:
            yield LINKS, [lambda: _links(product, market)]
    yield market.website, [*_website_parts(product, market, today)]


def born(product: ErpProduct, market: ProductMarket, *, today: date) -> Born:
    """Return what a product is made with; raises `UnmappedError`."""
    held = map_product(product, market, today=today).held
    if held is not None:
        raise UnmappedError(held)
    name = _checked_name(
        product, product.names.get(market.default_language, product.own_name), market
    )
    if not name:
        advice = f"name it in {market.default_language or 'the ERP'}"
        raise unmapped(product, "ProductName", "has no name to be made with", advice)
    return Born(name, _price(product, market), product.is_variant)


def is_sold(product: ErpProduct, market: ProductMarket, *, today: date) -> bool:
    """Return whether the ERP sells an item on a day."""
    states = {state.casefold() for state in market.rules.inactive_states}
    has_begun = product.begins_on is None or product.begins_on <= today
    has_ended = product.ends_on is not None and product.ends_on < today
    is_active = product.state.casefold() not in states
    return is_active and has_begun and not has_ended and not product.is_stopped


def _name(product: ErpProduct, language: str, market: ProductMarket) -> Fields:
    _need(product, "names")
    name = _checked_name(product, product.names.get(language, ""), market)
    return {NAME: name} if name else {}


def _checked_name(product: ErpProduct, name: str, market: ProductMarket) -> str:
    """Return a name as the shop shows it; raises `UnmappedError`."""
    rules, text = market.rules, " ".join(name.split())
    if has_markup(text):
        if rules.markup_names == "hold":
            advice = f'take it out, or set {market.key("markup_names")} to "strip"'
            raise unmapped(product, "ProductName", "has HTML in its name", advice)
        text = " ".join(without_markup(text).split())
    if len(text) > LONGEST_NAME:
        if rules.long_names == "hold":
            told = f"has a name of {len(text)} characters, of which the shop keeps {LONGEST_NAME}"
            advice = f'shorten it, or set {market.key("long_names")} to "cut"'
            raise unmapped(product, "ProductName", told, advice)
        text = text[:LONGEST_NAME].rstrip()
    return text


def _global_parts(product: ErpProduct, market: ProductMarket) -> Iterator[Callable[[], Fields]]:
    owned = market.owned
    yield lambda: {TYPE: product.kind}
    if "weight" in owned and (weight := _weight(product, market)):
        yield lambda: {WEIGHT: plain(weight)}
    if "tax_class" in owned:
        yield lambda: {TAX_CLASS: _tax_class(product, market)}
    yield from _attribute_parts(product, market)
    if "variants" in owned:
        for name, value in product.dimensions.items():
            yield partial(_dimension, product, market, name, value)
    if "quantities" in owned:
        yield lambda: _quantities(product, market)
    if market.has_global_price:
        yield lambda: _priced(product, market)


def _attribute_parts(product: ErpProduct, market: ProductMarket) -> Iterator[Callable[[], Fields]]:
    rules, owned = market.rules, market.owned
    if "sales_unit" in owned and (unit := rules.unit_attribute) is not None:
        yield lambda: {unit: _unit(product, market)}
    if "barcode" in owned and (barcode := rules.barcode_attribute) is not None:
        yield lambda: _own(product, "barcode", barcode, product.barcode)
    if "attributes" in owned:
        for code, name in rules.attributes.items():
            value = _label(code, product.attributes.get(name, ""), market)
            yield partial(_own, product, "attributes", code, value)


def _website_parts(
    product: ErpProduct, market: ProductMarket, today: date
) -> Iterator[Callable[[], Fields]]:
    if "status" in market.owned:
        yield lambda: _status(product, market, today)
    if "price" in market.owned and market.rules.price_scope == "website":
        yield lambda: _priced(product, market)


def _status(product: ErpProduct, market: ProductMarket, today: date) -> Fields:
    sold = is_sold(product, market, today=today)
    if sold:
        # Whether it is blocked is said by another set; what is withdrawn anyway needs none.
        _need(product, "orders")
    if market.rules.status == "erp":
        return {STATUS: ENABLED if sold else DISABLED}
    return {BLOCKED: "0" if sold else "1"}


def _own(product: ErpProduct, part: Part, code: str, value: str) -> Fields:
    """Return an attribute; nothing where the ERP says nothing of it."""
    _need(product, part)
    return {code: value} if value else {}


def _need(product: ErpProduct, part: Part) -> None:
    """Make sure that what a field comes from could be read; raises `UnmappedError`."""
    if (told := product.unread.get(part)) is not None:
        raise unmapped(product, "", told, _READ_AGAIN)


def _weight(product: ErpProduct, market: ProductMarket) -> Decimal:
    tare = product.tare_weight if market.rules.weight == "gross" else Decimal(0)
    return product.net_weight + tare if product.net_weight else Decimal(0)


def _tax_class(product: ErpProduct, market: ProductMarket) -> str:
    found = market.tax_class_of(product.tax_group)
    if found is None:
        raise missing(
            product, "SalesSalesTaxItemGroupCode", product.tax_group, "tax_classes", market
        )
    return str(found)


def _unit(product: ErpProduct, market: ProductMarket) -> str:
    found = market.unit_of(product.unit)
    if found is None:
        raise missing(product, "SalesUnitSymbol", product.unit, "units", market)
    return found


def _dimension(product: ErpProduct, market: ProductMarket, name: Dimension, value: str) -> Fields:
    return {(code := _axis(product, market, name)): _label(code, value, market)}


def _axis(product: ErpProduct, market: ProductMarket, name: Dimension) -> str:
    code = market.rules.dimensions.get(name)
    if code is None:
        raise missing(product, f"Product{name.capitalize()}Id", name, "dimensions", market)
    return code


def _links(product: ErpProduct, market: ProductMarket) -> Fields:
    _need(product, "variants")
    codes = [_axis(product, market, name) for name in product.axes]
    return {AXES: sorted(codes), VARIANTS: sorted(product.variants)}


def _quantities(product: ErpProduct, market: ProductMarket) -> Fields:
    _need(product, "orders")
    asked = {MINIMUM: product.minimum, MAXIMUM: product.maximum, MULTIPLE: product.multiple}
    if any(asked.values()) and product.unit.casefold() != product.inventory_unit.casefold():
        told = f"has order quantities in {product.inventory_unit}, and is sold in {product.unit}"
        advice = f'clear them, or take "quantities" out of {market.key("fields")}'
        raise unmapped(product, "MinimumSalesOrderQuantity", told, advice)
    return {name: plain(quantity) for name, quantity in asked.items()}


def _priced(product: ErpProduct, market: ProductMarket) -> Fields:
    price = _price(product, market)
    if price is None:
        return {}
    if "sales_unit" in market.owned and market.rules.unit_attribute is not None:
        # A price goes with its unit: for a box, it must not stand beside "piece".
        _unit(product, market)
    return {PRICE: price}


def _price(product: ErpProduct, market: ProductMarket) -> str | None:
    """Return the price of one unit; None where it has none, as what is sold as variants only."""
    if product.price is None or product.kind is ProductKind.CONFIGURABLE:
        return None
    if product.price < 0 or product.price_quantity <= 0:
        raise unmapped(product, "SalesPrice", "has a price below zero", "correct it in the ERP")
    scale = market.rules.price_decimals
    return plain(Decimal(divide(product.price, product.price_quantity, scale=scale)))


def _label(code: str, value: str, market: ProductMarket) -> str:
    return market.rules.labels.get(code, {}).get(value, value)
