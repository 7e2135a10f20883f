"""What the customer wrote on an order, in the ERP's header fields that the rules name. Pure.

F&O has no field for notes and no set for them, so each goes where the configuration says,
often into a field that the ERP's customer has added. What has no place is told, or holds the
order; it is never dropped without a word.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.d365.fo.order_models import SalesOrderHeaderBody
from sync.engine.erp_texts import trimmed
from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order, ShopAddress

NOTE, GIFT, BILLING, PO_NUMBER = "customer_note", "gift_message", "billing_address", "po_number"
REQUISITION = "CustomerRequisitionNumber"
DATES = ("RequestedShippingDate", "RequestedReceiptDate")
_OPEN = (REQUISITION, *DATES, "ContactPersonId", "SalesOrderPoolId", "TaxExemptNumber")
# The order itself is written into these.
_OWN = frozenset(SalesOrderHeaderBody.model_fields) - {*_OPEN} | {
    *("dataAreaId", "SalesOrderNumber", "IsSalesProcessingStopped")
}
_PATH = rf"^({NOTE}|{GIFT}|{BILLING}|payment\.{PO_NUMBER}|extension_attributes(\.[a-z0-9_]+)+)$"
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([ T].*)?")
# How databases write that there is no date.
_NO_DAYS = ("0000-00-00", "1900-01-01")


def _open(field: str) -> str:
    if field in _OWN:
        raise ValueError(f"expected one of {', '.join(_OPEN)}, or a field of an extension")
    return field


class CarriedText(BaseModel):
    """A text or date of the shop's order that a header field of the ERP holds.

    Attributes:
        path: Where it stands in the order: "customer_note", "gift_message" (those of its lines
            too), "payment.po_number", "billing_address" (the whole as one text), or what a module
            adds, such as "extension_attributes.delivery_date".
        field: The header's field: `CustomerRequisitionNumber`, `RequestedShippingDate`,
            `RequestedReceiptDate`, or one that nothing else is written into, as of an extension
            of yours. Several texts of one field stand below each other.
    """

    model_config = MODEL

    path: Annotated[str, Field(pattern=_PATH)]
    field: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$"), AfterValidator(_open)]


def carried_texts(order: Order, carried: Sequence[CarriedText]) -> dict[str, str]:
    """Return what the rules carry, by header field; raises `HeldError`."""
    texts: dict[str, list[str]] = {}
    for each in _with_number(carried):
        text = _text_at(order, each.path)
        if text and text not in texts.setdefault(each.field, []):
            texts[each.field].append(text)
    return {name: "\n".join(found) for name, found in texts.items() if found}


def sources_of(carried: Sequence[CarriedText]) -> dict[str, str]:
    """Return where in the order the text of each field comes from."""
    return {each.field: each.path for each in reversed(_with_number(carried))}


def as_dates(texts: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str | date]:
    """Return texts, those of date fields as dates; raises `HeldError`."""
    found: dict[str, str | date] = dict(texts)
    for name in DATES:
        if name in texts:
            del found[name]
            day = _day(texts[name], source=sources[name])
            if day is not None:
                found[name] = day
    return found


def without_place(
    order: Order, carried: Sequence[CarriedText], *, delivered: ShopAddress | None
) -> list[str]:
    """Return what is on an order and that no field holds.

    Args:
        order: The shop's.
        carried: What is carried.
        delivered: The address that the ERP's order has of its own.
    """
    named = {each.path for each in carried}
    texts = {NOTE: trimmed(order.customer_note), GIFT: _gift_messages(order)}
    # The ERP takes the invoice address from the account, which of a guest is everybody's.
    if order.is_of_guest and order.billing_address not in (None, delivered):
        texts[BILLING] = _address(order.billing_address)
    return [path for path, text in texts.items() if text and not _has_place(path, named)]


def _has_place(path: str, named: set[str]) -> bool:
    inside = f"extension_attributes.{path}"
    return path in named or any(each.startswith(inside) for each in named)


def _with_number(carried: Sequence[CarriedText]) -> Sequence[CarriedText]:
    """Return what is carried, with the purchase order's number where the rules do not say so."""
    number = f"payment.{PO_NUMBER}"
    if any(each.path == number for each in carried):
        return carried
    return (CarriedText(path=number, field=REQUISITION), *carried)


def _text_at(order: Order, path: str) -> str:
    match path.split("."):
        case ["customer_note"]:
            return trimmed(order.customer_note)
        case ["gift_message"]:
            return _gift_messages(order)
        case ["billing_address"]:
            return _address(order.billing_address)
        case ["payment", *_]:
            return trimmed(order.payment.po_number)
        case [_, *names]:
            return _member(order.extension_attributes.model_extra or {}, names, path)
    return ""


def _member(place: Any, names: Sequence[str], path: str) -> str:
    for name in names:
        place = place.get(name) if isinstance(place, dict) else None
    if place is None or place in ([], {}):
        return ""
    if isinstance(place, list) and all(isinstance(each, str) for each in place):
        return trimmed("\n".join(place))
    if isinstance(place, bool) or not isinstance(place, str | int | Decimal):
        raise HeldError(
            field=path,
            text="is neither a text nor a number",
            advice="correct the path under orders.carried: it may have to go on, as "
            f"{path}.value; then replay",
        )
    return trimmed(str(place))


def _gift_messages(order: Order) -> str:
    """Return the order's gift message, and those of its lines by their SKUs."""
    whole = _gift_message(order.extension_attributes.model_extra)
    lines = (
        f"{row.sku}: {text}"
        for row in order.items
        if (text := _gift_message(row.extension_attributes.model_extra))
    )
    return "\n".join(filter(None, (whole, *lines)))


def _gift_message(extension: Mapping[str, Any] | None) -> str:
    told = (extension or {}).get(GIFT)
    if not isinstance(told, dict):
        return ""
    sender, recipient, message = (
        trimmed(str(told.get(name) or "")) for name in ("sender", "recipient", "message")
    )
    people = " / ".join(filter(None, (sender, recipient)))
    return ": ".join(filter(None, (people, message)))


def _address(address: ShopAddress | None) -> str:
    return "" if address is None else "\n".join(_address_lines(address))


def _address_lines(address: ShopAddress) -> Iterator[str]:
    # Without the telephone, which no journal keeps: in one text nobody would know it for one.
    parts = (address.country_id, address.postcode, address.city, address.region_code)
    place = " ".join(filter(None, map(str.strip, parts)))
    lines = (address.company, address.person, *address.street, place)
    yield from (text for line in lines if (text := trimmed(line)))
    if address.vat_id.strip():
        yield f"VAT {address.vat_id.strip()}"


def _day(text: str, *, source: str) -> date | None:
    """Return a date, None where the text says that there is none."""
    found = _DAY.fullmatch(text)
    if found is not None and found[1] in _NO_DAYS:
        return None
    try:
        return date.fromisoformat(found[1] if found else text)
    except ValueError:
        raise HeldError(
            field=source,
            text="is not one date such as 2026-12-24",
            advice="correct it in the shop, or the path under orders.carried; then replay",
        ) from None
