"""Find a price the way Dynamics 365 does, in the plainest words possible.

Agreements of the customer come first, then its group's, then everybody's, each in the order
of from-quantity and record id. The lowest price per unit wins, zero never does, and a row
without "find next" ends the whole search, even where a wider one is cheaper. A row in the
asked unit beats one in the inventory unit, which beats the item's own price; a base price of
0 is none. Where the documentation leaves a question open, the book's rules answer it.

It is slow on purpose: nothing is indexed beyond "rows of this combination", and arithmetic
is exact (`Fraction`), so that it can be trusted as the other side of a test. It is for the
sandbox only: whoever computes prices for real must not import this module.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
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
from pricing_proxy.sandbox.book import ONE, ZERO, Book, Item, PriceAgreement, fold
from pricing_proxy.sandbox.price_rules import to_step

# Wide enough that no product of a price, a conversion factor and a rate is ever rounded.
_EXACT = Context(prec=60)
# F&O keeps six decimals; only a conversion that does not terminate is ever cut to them.
_STORED_SCALE = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPrice:
    """`price` for `price_unit` of the asked unit, and charges for the whole line."""

    price: Decimal
    price_unit: Decimal
    charges: Decimal
    source: str


def conversion_factor(book: Book, item: Item, source: str, target: str) -> Fraction | None:
    """Return how many `target` units one `source` unit is; the item's own rule wins."""
    if fold(source) == fold(target):
        return Fraction(1)
    for owner in (item.number, ""):
        for rule in book.conversions.get(fold(owner), []):
            ends = fold(rule.source), fold(rule.target)
            if ends == (fold(source), fold(target)):
                return Fraction(rule.numerator, rule.denominator)
            if ends == (fold(target), fold(source)):
                return Fraction(rule.denominator, rule.numerator)
    return None


def find_price(book: Book, question: Question) -> FoundPrice | None:
    """Return the customer's price, None when there is none.

    An agreement in the asked unit wins, then one in the inventory unit, then both in the generic
    currency, then the base price.
    """
    for asked in in_currencies(question, book.rules):
        rate = rate_between(book, asked.currency, question.currency)
        if rate is None:
            continue
        found, is_ended = _agreed(book, asked, rate)
        if found is not None:
            return found
        if is_ended:
            break
    return _base_price(book, question)


def _agreed(book: Book, question: Question, rate: Fraction) -> tuple[FoundPrice | None, bool]:
    """Return the agreed price in one currency, and whether its search ended without one."""
    quantity = Fraction(question.quantity)
    row, is_ended = _search_prices(book, question, question.unit, quantity, quantity)
    if row is not None:
        return _from_row(book, question, row, Fraction(1), rate), True
    inventory_unit = question.item.inventory_unit
    other_unit = book.rules.other_unit
    if is_ended or other_unit == "none" or fold(question.unit) == fold(inventory_unit):
        return None, is_ended
    factor = conversion_factor(book, question.item, question.unit, inventory_unit)
    if factor is None:
        return None, False
    converted = quantity * factor
    tested = quantity if other_unit == "requested" else converted
    row, is_ended = _search_prices(book, question, inventory_unit, tested, converted)
    return (_from_row(book, question, row, factor, rate) if row else None), is_ended


def _search_prices(
    book: Book, question: Question, unit: str, tested: Fraction, quantity: Fraction
) -> tuple[PriceAgreement | None, bool]:
    """Return the row that wins, and whether a row without find next ended the search.

    The brackets are tested on one quantity; the line has another, in the unit of the rows.
    """
    rules = book.rules
    best: PriceAgreement | None = None
    lowest = Fraction(0)
    for code in CODES:
        account = account_of(question.customer, code, question.customer.price_group)
        if account is None or code.value in rules.prices_off:
            continue
        rows = book.prices.get((code, fold(account), fold(question.item.number)), [])
        applicable = [
            row
            for row in rows
            if fold(row.unit) == fold(unit)
            and applies(row, question, tested, rules)
            and dimensions_fit(row.dimensions, question.dimensions)
            and not (rules.zero_price == "ignored" and _is_final_zero(question, row))
        ]
        if rules.dimensions == "specific":
            most = max((_named(row) for row in applicable), default=0)
            applicable = [row for row in applicable if _named(row) == most]
        for row in sorted(applicable, key=lambda row: row_order(row, rules)):
            unit_price = _unit_price(book, question.item, row, quantity)
            counts = rules.zero_price == "counts" and not row.find_next
            if (unit_price > 0 or counts) and (best is None or unit_price < lowest):
                best, lowest = row, unit_price
            if not row.find_next:
                if rules.find_next_no == "search":
                    return best, True
                break
    return best, False


def _is_final_zero(question: Question, row: PriceAgreement) -> bool:
    is_zero = row.price == 0 and not (question.item.charges_included and row.charges)
    return is_zero and not row.find_next


def _named(row: PriceAgreement) -> int:
    return sum(1 for dimension in all_dimensions(row.dimensions) if dimension)


def _unit_price(book: Book, item: Item, row: PriceAgreement, quantity: Fraction) -> Fraction:
    unit_price = Fraction(row.price) / Fraction(row.price_unit or ONE)
    if item.charges_included:
        unit_price += Fraction(row.charges) / _charges_over(book, item, quantity)
    return unit_price


def _charges_over(book: Book, item: Item, quantity: Fraction) -> Fraction:
    """Return over how many units charges within the price are spread."""
    if book.rules.charges_over == "line_quantity":
        return quantity
    return Fraction(item.charges_quantity or ONE)


def _from_row(
    book: Book, question: Question, row: PriceAgreement, factor: Fraction, rate: Fraction
) -> FoundPrice:
    raw = FoundPrice(
        price=row.price,
        price_unit=row.price_unit or ONE,
        charges=row.charges,
        source="TradeAgreement",
    )
    return _as_asked(book, question, raw, factor, rate)


def _base_price(book: Book, question: Question) -> FoundPrice | None:
    """Return the item's own price, converted to the asked unit and currency; 0 is no price."""
    item = question.item
    factor = conversion_factor(book, item, question.unit, item.sales_unit)
    rate = rate_between(book, book.currency, question.currency)
    is_free = item.base_price == 0 and book.rules.zero_base_price == "free"
    if factor is None or rate is None or not (item.base_price > 0 or is_free):
        return None
    raw = FoundPrice(
        price=item.base_price,
        price_unit=item.price_unit or ONE,
        charges=item.charges,
        source="BasePrice",
    )
    return _as_asked(book, question, raw, factor, rate)


def _as_asked(
    book: Book, question: Question, raw: FoundPrice, factor: Fraction, rate: Fraction
) -> FoundPrice:
    """Spread charges that the item includes in its price; convert to asked unit and currency."""
    price, charges = Fraction(raw.price), raw.charges
    if question.item.charges_included and charges:
        quantity = Fraction(question.quantity) * factor
        each = Fraction(charges) / _charges_over(book, question.item, quantity)
        price, charges = price + each * Fraction(raw.price_unit), ZERO
    if price != raw.price or factor * rate != 1 or book.rules.price_rounding:
        price = to_step(price * factor * rate, book.rules.price_rounding)
        raw = replace(raw, price=_like(raw.price, price))
    return replace(raw, charges=charges if rate == 1 else decimal_of(Fraction(charges) * rate))


def _like(model: Decimal, number: Fraction) -> Decimal:
    """Return a number with the decimals of another, where it has no more than these."""
    found = decimal_of(number)
    exponent = max(-18, min(0, int(model.as_tuple().exponent)))
    padded = found.quantize(Decimal(1).scaleb(exponent), context=_EXACT)
    return padded if padded == found else found


def decimal_of(number: Fraction) -> Decimal:
    """Return a fraction as a decimal: exact when it has one, else with the stored scale."""
    quotient = _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))
    if Fraction(quotient) == number:
        return quotient
    return quotient.quantize(_STORED_SCALE, rounding=ROUND_HALF_UP)
