"""Post a price as `POST /systems/fo/prices` asks: check each member, then write a journal."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.book import (
    NO_DIMENSIONS,
    ONE,
    ZERO,
    Book,
    Dimensions,
    Item,
    Journal,
    PriceAgreement,
    Relation,
    fold,
)
from pricing_proxy.sandbox.dials import BadMemberError

_MEMBERS = (
    "account_type",
    "account",
    "sku",
    "price",
    "price_unit",
    "from_quantity",
    "to_quantity",
    "currency",
    "unit",
    "from_date",
    "to_date",
    "find_next",
)
_RELATIONS = {"table": Relation.TABLE, "group": Relation.GROUP, "all": Relation.ALL}
# What F&O's decimal fields hold: more digits are a slip of the hand.
_MAX_NUMBER = Decimal(10) ** 12
_DECIMALS = 6


def post_price(book: Book, members: Mapping[str, Any]) -> Journal:
    """Post one price and return its journal; the price holds at once.

    Raises:
        BadMemberError: A member is unknown, missing or wrong; nothing was posted.
    """
    for name in members:
        if name not in _MEMBERS:
            raise BadMemberError(name, f"unknown member; there are {', '.join(_MEMBERS)}")
    row = _agreement(book, members)
    return book.post_price(row, description=f"Price of {members['sku']}")


def _agreement(book: Book, members: Mapping[str, Any]) -> PriceAgreement:
    relation, account = _account(book, members)
    item, dimensions = _item(book, members)
    from_date, to_date = _date(members, "from_date"), _date(members, "to_date")
    if from_date and to_date and to_date < from_date:
        raise BadMemberError("to_date", "lies before from_date")
    return PriceAgreement(
        record_id=book.next_record_id(),
        account_code=relation,
        account=account,
        item=item.number,
        dimensions=dimensions,
        currency=_currency(book, members),
        unit=_unit(book, members, item),
        price=_number(members, "price"),
        price_unit=_number(members, "price_unit", ONE) or ONE,
        from_quantity=_number(members, "from_quantity", ZERO),
        to_quantity=_number(members, "to_quantity", ZERO),
        from_date=from_date,
        to_date=to_date,
        find_next=_flag(members, "find_next"),
    )


def _account(book: Book, members: Mapping[str, Any]) -> tuple[Relation, str]:
    relation = _RELATIONS.get(_text(members, "account_type"))
    if relation is None:
        raise BadMemberError("account_type", "expected table, group or all")
    if relation is Relation.ALL:
        if members.get("account"):
            raise BadMemberError("account", "must be left out when account_type is all")
        return relation, ""
    account = _text(members, "account")
    if relation is Relation.GROUP:
        return relation, account
    customer = book.customers.get(fold(account))
    if customer is None:
        raise BadMemberError("account", "no customer has this account")
    return relation, customer.account


def _item(book: Book, members: Mapping[str, Any]) -> tuple[Item, Dimensions]:
    sku = fold(_text(members, "sku"))
    variant = book.variants.get(sku)
    item = book.items.get(fold(variant.item) if variant else sku)
    if item is None:
        raise BadMemberError("sku", "no released product has this number")
    return item, variant.dimensions if variant else NO_DIMENSIONS


def _currency(book: Book, members: Mapping[str, Any]) -> str:
    if members.get("currency") is None:
        return book.currency
    currency = _text(members, "currency").upper()
    if currency != book.currency and currency not in book.rates:
        raise BadMemberError("currency", f"expected {', '.join((book.currency, *book.rates))}")
    return currency


def _unit(book: Book, members: Mapping[str, Any], item: Item) -> str:
    if members.get("unit") is None:
        return item.sales_unit
    unit = _text(members, "unit").upper()
    if unit not in book.units:
        raise BadMemberError("unit", f"expected {', '.join(book.units)}")
    return unit


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise BadMemberError(name, "expected a text")
    return value


def _number(members: Mapping[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    value = members.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise BadMemberError(name, "expected a number, such as 17.50")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise BadMemberError(name, "expected a number, such as 17.50") from None
    if not number.is_finite() or not 0 <= number < _MAX_NUMBER or _decimals(number) > _DECIMALS:
        raise BadMemberError(name, "expected a number from 0, with six decimals at most")
    return number


def _decimals(number: Decimal) -> int:
    return -int(number.as_tuple().exponent)


def _date(members: Mapping[str, Any], name: str) -> date | None:
    value = members.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(_text(members, name))
    except ValueError as error:
        raise BadMemberError(name, "expected a date, such as 2026-12-31, or null") from error


def _flag(members: Mapping[str, Any], name: str) -> bool:
    value = members.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadMemberError(name, "expected true or false")
    return bool(value)
