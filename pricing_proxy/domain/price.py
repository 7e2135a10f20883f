"""A price as the ERP quoted it, and the line of an answer that is made of it once.

The ERP's own texts pass through unchanged. What is derived (`unit_price`) is
computed exactly and rounded once, half up.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pricing_proxy.money import NumberText, divide

# A code is a name; what is longer is a message, of which the beginning must do.
_LONGEST_CODE = 200
_LONGEST_WORD = 40
_BEFORE_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


class NoPriceReason(StrEnum):
    """Why a line has no price; asking again without a change in the ERP is pointless."""

    UNKNOWN_SKU = "unknown_sku"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_CUSTOMER = "unknown_customer"
    NOT_SOLD = "not_sold"
    NOT_PRICED = "not_priced"
    IMPLAUSIBLE_PRICE = "implausible_price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One line's price in the ERP's own number texts.

    Attributes:
        price: Price of `price_unit` units, before discounts.
        price_unit: How many units `price` is for, such as 100.
        discount_percent: Line discount in percent.
        discount_amount: Line discount per `price_unit` units, taken off before the percentage.
        charges: Price charges of the whole line.
        line_total: What the line costs, tax as the market says.
    """

    price: NumberText
    price_unit: NumberText
    discount_percent: NumberText
    discount_amount: NumberText
    charges: NumberText
    line_total: NumberText


@dataclass(frozen=True, slots=True)
class NoPrice:
    """The ERP's statement that there is no price."""

    reason: NoPriceReason


UNREADABLE = "unreadable_answer"
"""The reason of a line of which nothing could be read."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that the ERP answered without saying what it costs or that it has no price.

    Never stored; it fails its own key and no other.

    Attributes:
        reason: The ERP's own code, or what is wrong with the line; as `word_of` makes it.
        is_stated: The ERP said so, with a code; otherwise nothing of the line could be read.
    """

    reason: str
    is_stated: bool


def word_of(code: str) -> str | None:
    """Return another system's code as a word of ours: "CustomerBlocked" is "customer_blocked".

    Answers hold it, so it has letters, digits and underscores only, and a bounded number of
    them. None where nothing is left.
    """
    parted = _BEFORE_CAPITAL.sub("_", code[:_LONGEST_CODE])
    return _NO_LETTERS.sub("_", parted.lower())[:_LONGEST_WORD].strip("_") or None


def price_fragment(
    price: Price,
    *,
    sku: str,
    unit: str,
    quantity: NumberText,
    list_price: str | None,
    decimals: int,
    source: str,
    loaded_at: str,
) -> str:
    """Return the answer's line as JSON without closing brace, quantity, state and age.

    Args:
        price: The ERP's texts.
        sku: The shop's SKU.
        unit: Unit of measure of the quantity.
        quantity: Positive; what `price.line_total` is for.
        list_price: The item's base price, None when unknown.
        decimals: Decimals of `unit_price`, zeros kept.
        source: Name of the price source.
        loaded_at: RFC 3339 instant at which the read began.
    """
    members: dict[str, str | None] = {
        "sku": sku,
        "unit": unit,
        "unit_price": divide(price.line_total.value, quantity.value, scale=decimals),
        "line_total": price.line_total,
        "price": price.price,
        "price_unit": price.price_unit,
        "discount_percent": price.discount_percent,
        "charges": price.charges,
        "list_price": list_price,
    }
    if price.discount_amount.value:
        members["discount_amount"] = price.discount_amount
    return _open_object(members | {"source": source, "loaded_at": loaded_at})


def no_price_fragment(
    reason: NoPriceReason, *, sku: str, unit: str, source: str, loaded_at: str
) -> str:
    """Return the line of an item without a price, in the form of `price_fragment`."""
    return _open_object(
        {
            "sku": sku,
            "unit": unit,
            "reason": reason.value,
            "source": source,
            "loaded_at": loaded_at,
        }
    )


def _open_object(members: Mapping[str, str | None]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))[:-1]
