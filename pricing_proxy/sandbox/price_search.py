"""Find a price the way Dynamics 365 does, in the plainest words possible.

Agreements of the customer come first, then its group's, then everybody's, each in the order
of from-quantity and record id. The lowest price per unit wins, zero never does, and a row
without "find next" ends the whole search, even where a wider one is cheaper. A row in the
asked unit beats one in the inventory unit, which beats the item's own price; a base price of
0 is none.

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
    applies,
    dimensions_fit,
    row_order,
)
from pricing_proxy.sandbox.book import ONE, ZERO, Book, Item, PriceAgreement, fold

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

    An agreement in the asked unit wins, then one in the inventory unit, then the base price.
    """
    row, is_ended = _search_prices(book, question, question.unit, Fraction(question.quantity))
    if row is not None:
        return _from_row(question.item, row, Fraction(1))
    inventory_unit = question.item.inventory_unit
    if not is_ended and fold(question.unit) != fold(inventory_unit):
        factor = conversion_factor(book, question.item, question.unit, inventory_unit)
        if factor is not None:
            converted = Fraction(question.quantity) * factor
            row, _ = _search_prices(book, question, inventory_unit, converted)
            if row is not None:
                return _from_row(question.item, row, factor)
    return _base_price(book, question)


def _search_prices(
    book: Book, question: Question, unit: str, quantity: Fraction
) -> tuple[PriceAgreement | None, bool]:
    """Return the row that wins, and whether a row without find next ended the search."""
    best: PriceAgreement | None = None
    best_unit_price = Fraction(0)
    for code in CODES:
        account = account_of(question.customer, code, question.customer.price_group)
        if account is None:
            continue
        rows = book.prices.get((code, fold(account), fold(question.item.number)), [])
        applicable = [
            row
            for row in rows
            if fold(row.unit) == fold(unit)
            and applies(row, question, quantity)
            and dimensions_fit(row.dimensions, question.dimensions)
        ]
        for row in sorted(applicable, key=row_order):
            unit_price = _unit_price(question.item, row)
            if unit_price > 0 and (best is None or unit_price < best_unit_price):
                best, best_unit_price = row, unit_price
            if not row.find_next:
                return best, True
    return best, False


def _unit_price(item: Item, row: PriceAgreement) -> Fraction:
    unit_price = Fraction(row.price) / Fraction(row.price_unit or ONE)
    if item.charges_included:
        unit_price += Fraction(row.charges) / Fraction(item.charges_quantity or ONE)
    return unit_price


def _from_row(item: Item, row: PriceAgreement, factor: Fraction) -> FoundPrice:
    raw = FoundPrice(
        price=row.price,
        price_unit=row.price_unit or ONE,
        charges=row.charges,
        source="TradeAgreement",
    )
    return _in_asked_unit(item, raw, factor)


def _base_price(book: Book, question: Question) -> FoundPrice | None:
    """Return the item's own price, converted to the asked unit and currency; 0 is no price."""
    item = question.item
    factor = conversion_factor(book, item, question.unit, item.sales_unit)
    rate = _rate(book, question.currency)
    if item.base_price <= 0 or factor is None or rate is None:
        return None
    raw = FoundPrice(
        price=_EXACT.multiply(item.base_price, rate),
        price_unit=item.price_unit or ONE,
        charges=_EXACT.multiply(item.charges, rate),
        source="BasePrice",
    )
    return _in_asked_unit(item, raw, factor)


def _rate(book: Book, currency: str) -> Decimal | None:
    if fold(currency) == fold(book.currency):
        return ONE
    return book.rates.get(currency.upper())


def _in_asked_unit(item: Item, raw: FoundPrice, factor: Fraction) -> FoundPrice:
    """Spread charges that the item includes in its price, then convert to the asked unit."""
    price, charges = raw.price, raw.charges
    if item.charges_included and charges:
        each = Fraction(charges) / Fraction(item.charges_quantity or ONE)
        price, charges = _decimal(Fraction(price) + each * Fraction(raw.price_unit)), ZERO
    if factor != 1:
        price = _scaled(price, factor)
    return replace(raw, price=price, charges=charges)


def _scaled(price: Decimal, factor: Fraction) -> Decimal:
    """Return price times factor; a whole factor keeps the price's scale."""
    if factor.denominator == 1:
        return _EXACT.multiply(price, Decimal(factor.numerator))
    return _decimal(Fraction(price) * factor)


def _decimal(number: Fraction) -> Decimal:
    """Return a fraction as a decimal: exact when it has one, else with the stored scale."""
    quotient = _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))
    if Fraction(quotient) == number:
        return quotient
    return quotient.quantize(_STORED_SCALE, rounding=ROUND_HALF_UP)
