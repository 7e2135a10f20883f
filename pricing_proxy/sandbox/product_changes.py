"""What people change of products in F&O: names, blocks, dates, limits; and what they release.

Every change shows at once. Members that are wrong are refused by name, before anything changes.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.book import Book, Item, Variant, fold
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.product_cards import ProductCard

_DAYS = ("sell_start", "sell_end")
_NUMBERS = ("weight", "minimum", "maximum", "multiple", "standard")
_TEXTS = ("state", "tax_group", "barcode")
_OF_ITEM = ("is_stopped", "base_price", "price_unit", "sales_unit")
MEMBERS = ("name", "names", "texts", "attributes", *_DAYS, *_NUMBERS, *_TEXTS, *_OF_ITEM)
"""What may be changed."""


def change_product(book: Book, number: str, members: Mapping[str, Any]) -> ProductCard:
    """Change a released product or variant, and return what is said of it now.

    Raises:
        BadMemberError: There is no such product, or a member is wrong.
    """
    product = _found(book, number)
    for name in members:
        if name not in MEMBERS:
            raise BadMemberError(name, f"unknown; there are {', '.join(MEMBERS)}")
    card = _changed_card(book.card(product.number, product.name), members)
    if any(name in members for name in _OF_ITEM):
        if not isinstance(product, Item):
            raise BadMemberError("sku", "blocks, prices and units are the master's")
        book.items[fold(number)] = _changed_item(book, product, members)
    book.cards[fold(number)] = card
    # Barcodes, languages and attributes may have come or gone.
    book.assortment += 1
    book.on_product(product.number)
    return card


def release_product(book: Book, number: str, members: Mapping[str, Any]) -> ProductCard:
    """Release a new distinct product; raises `BadMemberError`."""
    if fold(number) in book.items:
        raise BadMemberError("sku", "there is such a product already")
    name = members.get("name", number)
    item = Item(number=number, name=str(name), base_price=_number("base_price", members, "1.00"))
    book.add_items(item)
    return change_product(book, number, members)


def withdraw_product(book: Book, number: str) -> None:
    """Have a product released no longer; raises `BadMemberError`."""
    product = _found(book, number)
    if isinstance(product, Variant):
        del book.variants[fold(number)]
    else:
        del book.items[fold(number)]
        for key, variant in tuple(book.variants.items()):
            if variant.item == product.number:
                del book.variants[key]
    book.assortment += 1
    book.on_product(product.number)


def item_of(book: Book, sku: str) -> str:
    """Return the number of the item that a SKU is, or is a variant of."""
    variant, item = book.variants.get(fold(sku)), book.items.get(fold(sku))
    return variant.item if variant else item.number if item else sku


def _found(book: Book, number: str) -> Item | Variant:
    product = book.items.get(fold(number)) or book.variants.get(fold(number))
    if product is None:
        raise BadMemberError("sku", f"there is no released product {number}")
    return product


def _changed_card(card: ProductCard, members: Mapping[str, Any]) -> ProductCard:
    changes: dict[str, Any] = {}
    if "name" in members:
        changes["names"] = dict.fromkeys(card.names, _text("name", members))
    if "names" in members:
        names = {**changes.get("names", card.names), **_texts("names", members)}
        changes["names"] = {language: name for language, name in names.items() if name}
    if "texts" in members:
        changes["texts"] = {**card.texts, **_texts("texts", members)}
    if "attributes" in members:
        changes["attributes"] = _attributes(card, members)
    changes |= {name: _day(name, members) for name in _DAYS if name in members}
    changes |= {name: _number(name, members) for name in _NUMBERS if name in members}
    changes |= {name: _text(name, members) for name in _TEXTS if name in members}
    return replace(card, **changes)


def _changed_item(book: Book, item: Item, members: Mapping[str, Any]) -> Item:
    changes: dict[str, Any] = {}
    if "is_stopped" in members:
        if not isinstance(members["is_stopped"], bool):
            raise BadMemberError("is_stopped", "expected true or false")
        changes["is_stopped"] = members["is_stopped"]
    for name in ("base_price", "price_unit"):
        if name in members:
            changes[name] = _number(name, members)
    if "sales_unit" in members:
        unit = _text("sales_unit", members)
        if unit not in book.units:
            raise BadMemberError("sales_unit", f"expected one of {', '.join(book.units)}")
        changes["sales_unit"] = unit
    return replace(item, **changes)


def _attributes(card: ProductCard, members: Mapping[str, Any]) -> dict[str, Any]:
    told = members["attributes"]
    if not isinstance(told, dict):
        raise BadMemberError("attributes", 'expected an object such as {"EnergyClass": "A"}')
    values = {**card.attributes}
    for name, value in told.items():
        if value is None:
            values.pop(name, None)
        elif isinstance(value, (str, bool, Decimal)):
            values[name] = value
        elif isinstance(value, int):
            values[name] = Decimal(value)
        else:
            raise BadMemberError("attributes", "expected texts, numbers or truths; null takes away")
    return values


def _text(name: str, members: Mapping[str, Any]) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise BadMemberError(name, "expected a text")
    return value


def _texts(name: str, members: Mapping[str, Any]) -> dict[str, str]:
    told = members[name]
    if not isinstance(told, dict) or not all(isinstance(one, str) for one in told.values()):
        raise BadMemberError(name, 'expected an object such as {"de": "Lampe"}')
    return told


def _number(name: str, members: Mapping[str, Any], default: str = "0") -> Decimal:
    try:
        number = Decimal(str(members.get(name, default)))
    except InvalidOperation:
        raise BadMemberError(name, "expected a number, such as 12.5") from None
    if not number.is_finite() or number < 0:
        raise BadMemberError(name, "expected a number that is not below 0")
    return number


def _day(name: str, members: Mapping[str, Any]) -> date | None:
    value = members[name]
    try:
        return None if value is None else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadMemberError(name, "expected a date as 2026-12-31, or null") from None
