"""Decide whether one posted agreement applies to one line that is priced.

F&O's filters, shared by the price and the discount search: account value, currency, period
(both ends count), bracket (both ends count; an upper end of 0 is none) and dimensions (what
a row leaves empty matches any).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from pricing_proxy.sandbox.book import (
    ZERO,
    Book,
    Customer,
    Dimensions,
    Discount,
    Item,
    PriceAgreement,
    Relation,
    fold,
)
from pricing_proxy.sandbox.price_rules import PriceRules

CODES = (Relation.TABLE, Relation.GROUP, Relation.ALL)
"""From narrow to wide; discounts go through pairs: pair i has account i // 3 and item i % 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: one line of a page or document.

    Attributes:
        converts: Only rows that allow that they are converted from the generic currency.
    """

    customer: Customer
    item: Item
    dimensions: Dimensions
    unit: str
    quantity: Decimal
    currency: str
    on: date
    converts: bool = False


def account_of(customer: Customer, code: Relation, group: str) -> str | None:
    """Return the account value to look for under an account code; None = nothing can match."""
    if code is Relation.TABLE:
        return customer.account
    if code is Relation.GROUP:
        return group or None
    return ""


def applies(
    row: PriceAgreement | Discount, question: Question, quantity: Fraction, rules: PriceRules
) -> bool:
    """Return whether currency, period and bracket let a row in; `quantity` is in the row's unit."""
    size = abs(quantity)
    return (
        _fits_currency(row, question, rules)
        and (row.from_date is None or row.from_date <= question.on)
        and (row.to_date is None or row.to_date >= question.on)
        and Fraction(row.from_quantity) <= size
        and (row.to_quantity == 0 or _is_below(size, Fraction(row.to_quantity), rules))
    )


def _fits_currency(row: PriceAgreement | Discount, question: Question, rules: PriceRules) -> bool:
    if question.converts and not row.is_generic:
        return False
    if isinstance(row, Discount) and not fold(row.currency) and not question.converts:
        return rules.blank_currency == "matches"
    return fold(row.currency) == fold(question.currency)


def _is_below(size: Fraction, bound: Fraction, rules: PriceRules) -> bool:
    return size < bound if rules.upper_bound == "exclusive" else size <= bound


def in_currencies(question: Question, rules: PriceRules) -> Iterator[Question]:
    """Yield the question, and then that for rows in the generic currency, where there is one."""
    yield question
    generic = rules.generic_currency
    if generic and fold(generic) != fold(question.currency):
        yield replace(question, currency=generic, converts=True)


def rate_between(book: Book, source: str, target: str) -> Fraction | None:
    """Return what one unit of a currency is worth in another; None where nobody says."""
    if fold(source) == fold(target):
        return Fraction(1)
    worth = [_worth(book, currency) for currency in (source, target)]
    return worth[1] / worth[0] if worth[0] and worth[1] else None


def _worth(book: Book, currency: str) -> Fraction:
    if fold(currency) == fold(book.currency):
        return Fraction(1)
    return Fraction(book.rates.get(currency.upper(), 0))


def dimensions_fit(row: Dimensions, asked: Dimensions) -> bool:
    """Return whether each dimension that the row names is the asked one."""
    pairs = zip(all_dimensions(row), all_dimensions(asked), strict=True)
    return all(not named or named == given for named, given in pairs)


def all_dimensions(dimensions: Dimensions) -> tuple[str, ...]:
    """Return product and storage dimensions, folded."""
    return (*dimensions.product, fold(dimensions.site), fold(dimensions.warehouse))


def row_order(row: PriceAgreement | Discount, rules: PriceRules) -> tuple[Decimal, int]:
    """Return what rows of one combination are ordered by."""
    return (ZERO if rules.row_order == "record" else row.from_quantity), row.record_id
