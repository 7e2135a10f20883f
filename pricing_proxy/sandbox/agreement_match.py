"""Decide whether one posted agreement applies to one line that is priced.

F&O's filters, shared by the price and the discount search: account value, currency, period
(both ends count), bracket (both ends count; an upper end of 0 is none) and dimensions (what
a row leaves empty matches any).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from pricing_proxy.sandbox.book import (
    Customer,
    Dimensions,
    Discount,
    Item,
    PriceAgreement,
    Relation,
    fold,
)

CODES = (Relation.TABLE, Relation.GROUP, Relation.ALL)
"""From narrow to wide; discounts go through pairs: pair i has account i // 3 and item i % 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: one line of a page or document."""

    customer: Customer
    item: Item
    dimensions: Dimensions
    unit: str
    quantity: Decimal
    currency: str
    on: date


def account_of(customer: Customer, code: Relation, group: str) -> str | None:
    """Return the account value to look for under an account code; None = nothing can match."""
    if code is Relation.TABLE:
        return customer.account
    if code is Relation.GROUP:
        return group or None
    return ""


def applies(row: PriceAgreement | Discount, question: Question, quantity: Fraction) -> bool:
    """Return whether currency, period and bracket let a row in; `quantity` is in the row's unit."""
    size = abs(quantity)
    return (
        fold(row.currency) == fold(question.currency)
        and (row.from_date is None or row.from_date <= question.on)
        and (row.to_date is None or row.to_date >= question.on)
        and Fraction(row.from_quantity) <= size
        and (row.to_quantity == 0 or size <= Fraction(row.to_quantity))
    )


def dimensions_fit(row: Dimensions, asked: Dimensions) -> bool:
    """Return whether each dimension that the row names is the asked one."""
    pairs = zip(all_dimensions(row), all_dimensions(asked), strict=True)
    return all(not named or named == given for named, given in pairs)


def all_dimensions(dimensions: Dimensions) -> tuple[str, ...]:
    """Return product and storage dimensions, folded."""
    return (*dimensions.product, fold(dimensions.site), fold(dimensions.warehouse))


def row_order(row: PriceAgreement | Discount) -> tuple[Decimal, int]:
    """Return what rows of one combination are ordered by."""
    return row.from_quantity, row.record_id
