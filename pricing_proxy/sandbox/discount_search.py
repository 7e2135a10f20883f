"""Add up the line discounts that apply, and compute a line's net amount.

F&O goes through all nine pairs of account code and item code, narrowest first, and in each
through the rows with dimensions before those without. Every match adds its two percentages
and its amount: discounts add up, and none "wins". A match without "find next" ends it all.
The percentages combine as 1 - (1 - p1)(1 - p2); the amount, per price unit, is taken off
before them. Like `price_search` plain, exact, and for the sandbox only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from enum import Enum
from fractions import Fraction

from pricing_proxy.sandbox.agreement_match import (
    CODES,
    Question,
    account_of,
    all_dimensions,
    applies,
    dimensions_fit,
    in_currencies,
    rate_between,
    row_order,
)
from pricing_proxy.sandbox.book import ZERO, Book, Discount, Item, Relation, fold
from pricing_proxy.sandbox.price_rules import PriceRules, to_step
from pricing_proxy.sandbox.price_search import FoundPrice, decimal_of

_HUNDRED = Fraction(100)
# Wide enough for any amount of money that a quantity of nine digits can make.
_EXACT = Context(prec=60)


class Policy(Enum):
    """How line and multiline discount combine: a parameter of F&O that no OData set shows."""

    LINE = "Line"
    MULTILINE = "Multiline"
    MAX = "MAX"
    MIN = "MIN"
    LINE_PLUS_MULTILINE = "Line+Multiline"
    LINE_TIMES_MULTILINE = "Line*Multiline"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDiscount:
    """What the discount rows that apply add up to."""

    percent1: Decimal = ZERO
    percent2: Decimal = ZERO
    amount: Decimal = ZERO

    @property
    def percent(self) -> Fraction:
        """Both percentages as one: 1 - (1 - p1)(1 - p2), in percent."""
        if not (self.percent1 or self.percent2):
            return Fraction(0)
        rest = (1 - Fraction(self.percent1) / 100) * (1 - Fraction(self.percent2) / 100)
        return (1 - rest) * 100

    @property
    def percent_as_decimal(self) -> Decimal:
        """`percent` in the fewest digits, such as 10 or 6.9; two percentages always have an end."""
        percent = self.percent
        return _EXACT.divide(Decimal(percent.numerator), Decimal(percent.denominator))


NO_DISCOUNT = FoundDiscount()
USUAL = PriceRules()


def find_line_discount(book: Book, question: Question) -> FoundDiscount:
    """Return the sum of all line discounts that apply, until one ends the search.

    Rows in the generic currency count where no other row does.
    """
    for asked in in_currencies(question, book.rules):
        rate = rate_between(book, asked.currency, question.currency)
        found = [] if rate is None else _discounts(book, asked)
        if found and rate is not None:
            total = total_of(found)
            return (
                total
                if rate == 1
                else replace(total, amount=decimal_of(Fraction(total.amount) * rate))
            )
    return NO_DISCOUNT


def _discounts(book: Book, question: Question) -> list[Discount]:
    rules = book.rules
    found: list[Discount] = []
    for i in range(9):
        account_code, item_code = CODES[i // 3], CODES[i % 3]
        account = account_of(question.customer, account_code, question.customer.line_discount_group)
        item = _item_value(question.item, item_code)
        is_off = (account_code.value, item_code.value) in rules.discounts_off
        if account is None or item is None or is_off:
            continue
        rows = book.line_discounts.get((account_code, fold(account), item_code, fold(item)), [])
        for row in _dimension_rows_first(_applicable_discounts(rows, question, rules), rules):
            found.append(row)
            if not row.find_next:
                if rules.find_next_no == "search":
                    return found
                break
    return found


def _item_value(item: Item, code: Relation) -> str | None:
    if code is Relation.TABLE:
        return item.number
    if code is Relation.GROUP:
        return item.line_discount_group or None
    return ""


def _applicable_discounts(
    rows: Sequence[Discount], question: Question, rules: PriceRules
) -> list[Discount]:
    return [
        row
        for row in rows
        if fold(row.unit) in ("", fold(question.unit))
        and applies(row, question, Fraction(question.quantity), rules)
        and dimensions_fit(row.dimensions, question.dimensions)
    ]


def _dimension_rows_first(rows: Iterable[Discount], rules: PriceRules) -> list[Discount]:
    return sorted(
        rows, key=lambda row: (not any(all_dimensions(row.dimensions)), row_order(row, rules))
    )


def total_of(rows: Sequence[Discount]) -> FoundDiscount:
    """Return the sums of percentages and amounts."""
    return FoundDiscount(
        percent1=sum((row.percent1 for row in rows), ZERO),
        percent2=sum((row.percent2 for row in rows), ZERO),
        amount=sum((row.amount for row in rows), ZERO),
    )


def line_net(
    quantity: Decimal,
    price: FoundPrice,
    line: FoundDiscount,
    multiline: FoundDiscount = NO_DISCOUNT,
    policy: Policy = Policy.LINE,
    *,
    rules: PriceRules = USUAL,
) -> Fraction:
    """Return a line's net amount with its charges, rounded as the rules say: usually not at all."""
    unit_price = _discounted(price, line, multiline, policy, rules)
    net = Fraction(quantity) * unit_price + Fraction(price.charges)
    return to_step(net, rules.line_rounding)


def _discounted(
    price: FoundPrice,
    line: FoundDiscount,
    multiline: FoundDiscount,
    policy: Policy,
    rules: PriceRules,
) -> Fraction:
    """Return the price of one unit under a policy; it computes no more than that policy needs."""
    if policy is Policy.LINE:
        return _reduced(price, line.amount, line.percent)
    if policy is Policy.MULTILINE:
        return _reduced(price, multiline.amount, multiline.percent)
    if policy in {Policy.MAX, Policy.MIN}:
        only_line = _discounted(price, line, multiline, Policy.LINE, rules)
        only_multiline = _discounted(price, line, multiline, Policy.MULTILINE, rules)
        choose = min if policy is Policy.MAX else max
        return choose(only_line, only_multiline)
    amounts = line.amount + multiline.amount
    if policy is Policy.LINE_PLUS_MULTILINE:
        return _reduced(price, amounts, line.percent + multiline.percent)
    if rules.amounts == "stepwise":
        after = _reduced(price, line.amount, line.percent)
        after -= Fraction(multiline.amount) / Fraction(price.price_unit)
        return after * (1 - multiline.percent / _HUNDRED)
    left = (1 - line.percent / _HUNDRED) * (1 - multiline.percent / _HUNDRED)
    return _reduced(price, amounts, (1 - left) * _HUNDRED)


def _reduced(price: FoundPrice, amount: Decimal, percent: Fraction) -> Fraction:
    """Return the price of one unit: the amount is taken off the price unit, before percentages."""
    per_unit = (Fraction(price.price) - Fraction(amount)) / Fraction(price.price_unit)
    return per_unit * (1 - percent / _HUNDRED)


def rounded(amount: Fraction, scale: int) -> Decimal:
    """Return an amount with `scale` decimals, half a unit going away from zero."""
    shifted = abs(amount) * 10**scale
    whole = (2 * shifted.numerator + shifted.denominator) // (2 * shifted.denominator)
    return Decimal(whole if amount >= 0 else -whole).scaleb(-scale, context=_EXACT)
