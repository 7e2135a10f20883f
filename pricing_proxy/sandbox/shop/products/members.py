"""The shape of a product in a request: known members, and values of their types.

Values are taken as PHP takes them: a text of digits is a number, and false no whole number. A
product is checked before anything is done with it, in bulks already when they are posted.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.shop.products.attributes import Attributes
from pricing_proxy.sandbox.shop.wire import RefusedError

_LISTS = frozenset(
    {"extension_attributes", "custom_attributes", "options", "product_links"}
    | {"media_gallery_entries", "tier_prices"}
)
_DECIMALS = Decimal("0.000001")
_LONGEST_TEXT = 255


def checked(members: Mapping[str, Any], attributes: Attributes) -> dict[str, Any]:
    """Return a product's members with the values of their types; custom attributes by code.

    Raises:
        RefusedError: A member is unknown, or a value no value of its type.
    """
    product: dict[str, Any] = {}
    for name, value in members.items():
        if name not in _SCALARS and name not in _LISTS:
            text = '"%fieldName" is not supported. Correct the field name and try again.'
            raise RefusedError(400, text, {"fieldName": name[:1].upper() + name[1:]})
        product[name] = _SCALARS[name](value, (name,)) if name in _SCALARS else value
    if "custom_attributes" in product:
        product["custom_attributes"] = dict(_custom(product["custom_attributes"], attributes))
    extension = product.get("extension_attributes") or {}
    if "stock_item" in extension:
        stock_item = _stock_item(extension["stock_item"] or {})
        product["extension_attributes"] = {**extension, "stock_item": stock_item}
    return product


def decimal(value: Any, way: tuple[str, ...]) -> Decimal | None:
    """Return a number as the tables hold it; the way names the members that lead to it.

    Raises:
        RefusedError: It is none.
    """
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _wrong(value, "float", way) from None
    if isinstance(value, bool) or not number.is_finite():
        raise _wrong(_php(value), "float", way)
    return number.quantize(_DECIMALS)


def whole(value: Any, way: tuple[str, ...]) -> int | None:
    """Return a whole number; the way names the members that lead to it.

    Raises:
        RefusedError: It is none.
    """
    if value is None:
        return None
    text = _php(value)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise _wrong(text, "int", way)
    return int(text)


def _text(value: Any, _: tuple[str, ...]) -> str | None:
    return None if value is None else _php(value)


def _flag(value: Any, way: tuple[str, ...]) -> bool:
    if value in (True, False, "1", "0", "true", "false"):
        return value in (True, "1", "true")
    raise _wrong(value, "boolean", way)


_SCALARS: Mapping[str, Callable[[Any, tuple[str, ...]], Any]] = {
    "id": whole,
    "sku": _text,
    "name": _text,
    "attribute_set_id": whole,
    "price": decimal,
    "status": whole,
    "visibility": whole,
    "type_id": _text,
    "created_at": _text,
    "updated_at": _text,
    "weight": decimal,
}
_OF_STOCK: Mapping[str, Callable[[Any, tuple[str, ...]], Any]] = {
    "item_id": whole,
    "product_id": whole,
    "stock_id": whole,
    "qty": decimal,
    "is_in_stock": _flag,
    "is_qty_decimal": _flag,
    "show_default_notification_message": _flag,
    "use_config_min_qty": _flag,
    "min_qty": decimal,
    # The only one of its kind that is no flag.
    "use_config_min_sale_qty": whole,
    "min_sale_qty": decimal,
    "use_config_max_sale_qty": _flag,
    "max_sale_qty": decimal,
    "use_config_backorders": _flag,
    "backorders": whole,
    "use_config_notify_stock_qty": _flag,
    "notify_stock_qty": decimal,
    "use_config_qty_increments": _flag,
    "qty_increments": decimal,
    "use_config_enable_qty_inc": _flag,
    "enable_qty_increments": _flag,
    "use_config_manage_stock": _flag,
    "manage_stock": _flag,
    "low_stock_date": _text,
    "is_decimal_divided": _flag,
    "stock_status_changed_auto": whole,
}


def _stock_item(members: Mapping[str, Any]) -> dict[str, Any]:
    way = ("extension_attributes", "stock_item")
    known = {name: value for name, value in members.items() if name in _OF_STOCK}
    return {name: _OF_STOCK[name](value, (*way, name)) for name, value in known.items()}


def _custom(rows: Any, attributes: Attributes) -> Any:
    """Yield the known ones among custom attributes; others are dropped without a word."""
    for row in rows or ():
        code, value = row.get("attribute_code"), row.get("value")
        if code == "category_ids":
            yield code, tuple(str(one) for one in value or ())
        attribute = attributes.find(str(code))
        if attribute is not None:
            yield attribute.code, _kept(attribute.code, attribute.backend, value)


def _kept(code: str, backend: str, value: Any) -> Any:
    """Return a value as the table of its kind holds it, and as texts come out of it."""
    if value is None or value == "":
        return None
    if backend == "int":
        text = _php(value)
        if not text.removeprefix("-").isdecimal():
            reason = f'Attribute "{code}" has invalid value. {_expected(text, "int")}'
            raise RefusedError(400, _during(("custom_attributes",)) + reason)
        return text
    if backend == "decimal":
        return f"{decimal(value, ('custom_attributes', code)):f}"
    return _php(value) if backend == "text" else _php(value)[:_LONGEST_TEXT]


def _php(value: Any) -> str:
    """Return a value as PHP turns it into a text."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def _wrong(value: Any, kind: str, way: tuple[str, ...]) -> RefusedError:
    return RefusedError(400, _during(way) + _expected(value, kind))


def _during(way: tuple[str, ...]) -> str:
    return "".join(f'Error occurred during "{name}" processing. ' for name in way)


def _expected(value: Any, kind: str) -> str:
    text = f'The "{value}" value\'s type is invalid. The "{kind}" type was expected. '
    return f"{text}Verify and try again."
