"""Find a cart's multiline and total discounts the way Dynamics 365 does, in plain words.

A multiline discount is for a group of items: its bracket is tested on how many of them the cart
holds, whatever their units. Rows for all items are for the lines without such a group, unless the
book's rules say otherwise. The total discount is tested on what the lines cost then, and is taken
of those that take part in it. Like `price_search` slow and exact, and for the sandbox only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pricing_proxy.sandbox.agreement_match import (
    CODES,
    Question,
    account_of,
    applies,
    in_currencies,
    rate_between,
    row_order,
)
from pricing_proxy.sandbox.book import Book, Discount, Relation, fold
from pricing_proxy.sandbox.discount_search import (
    NO_DISCOUNT,
    FoundDiscount,
    Policy,
    line_net,
    total_of,
)
from pricing_proxy.sandbox.price_rules import to_step
from pricing_proxy.sandbox.price_search import FoundPrice, decimal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """One line of a cart, priced by itself."""

    question: Question
    price: FoundPrice
    discount: FoundDiscount

    @property
    def group(self) -> str:
        """The item's multiline discount group."""
        return fold(self.question.item.multiline_discount_group)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """What a line costs in its cart, and its part of the total discount."""

    multiline: FoundDiscount
    net: Fraction
    part_of_total: Fraction


def price_cart(book: Book, lines: Sequence[CartLine], policy: Policy) -> list[FoundLine]:
    """Return what each line of a cart costs."""
    found = [_multiline(book, line, lines) for line in lines]
    if policy is Policy.LINE:
        found = [NO_DISCOUNT for _ in lines]
    nets = [
        line_net(
            line.question.quantity,
            line.price,
            line.discount,
            multiline,
            policy,
            rules=book.rules,
        )
        for line, multiline in zip(lines, found, strict=True)
    ]
    parts = _parts(book, lines, nets)
    return [
        FoundLine(multiline=multiline, net=net, part_of_total=part)
        for multiline, net, part in zip(found, nets, parts, strict=True)
    ]


def _multiline(book: Book, line: CartLine, lines: Sequence[CartLine]) -> FoundDiscount:
    """Return what applies to one line."""
    asked = book.rules.multiline_for_all
    if asked == "every_line":
        return _summed(book, line, (Relation.GROUP, Relation.ALL), lines, lines)
    if asked == "without_group":
        left = [other for other in lines if not other.group]
    else:
        left = [
            other for other in lines if not _search(book, other, (Relation.GROUP,), lines, [])[0]
        ]
    code = Relation.ALL if any(other is line for other in left) else Relation.GROUP
    return _summed(book, line, (code,), lines, left)


def _summed(
    book: Book,
    line: CartLine,
    codes: Sequence[Relation],
    lines: Sequence[CartLine],
    left: Sequence[CartLine],
) -> FoundDiscount:
    rows, rate = _search(book, line, codes, lines, left)
    found = total_of(rows)
    return replace(found, amount=decimal_of(Fraction(found.amount) * rate))


def _search(
    book: Book,
    line: CartLine,
    codes: Sequence[Relation],
    lines: Sequence[CartLine],
    left: Sequence[CartLine],
) -> tuple[list[Discount], Fraction]:
    """Return a line's rows for its group, tested on `lines`, and for all, on `left`.

    With them comes what one unit of their currency is worth in the cart's.
    """
    held = {
        Relation.GROUP: _held(other for other in lines if other.group == line.group),
        Relation.ALL: _held(left),
    }
    for asked in in_currencies(line.question, book.rules):
        rate = rate_between(book, asked.currency, line.question.currency)
        rows = [] if rate is None else _rows(book, line, asked, codes, held)
        if rows and rate is not None:
            return rows, rate
    return [], Fraction(1)


def _held(lines: Iterable[CartLine]) -> Fraction:
    return sum((Fraction(line.question.quantity) for line in lines), Fraction(0))


def _rows(
    book: Book,
    line: CartLine,
    asked: Question,
    codes: Sequence[Relation],
    held: dict[Relation, Fraction],
) -> list[Discount]:
    found: list[Discount] = []
    for account_code in CODES:
        account = account_of(asked.customer, account_code, asked.customer.multiline_discount_group)
        for item_code in codes:
            item = line.group if item_code is Relation.GROUP else ""
            is_off = (account_code.value, item_code.value) in book.rules.multiline_off
            if account is None or is_off or (item_code is Relation.GROUP and not item):
                continue
            rows = [
                row
                for row in book.multiline_discounts
                if (row.account_code, fold(row.account)) == (account_code, fold(account))
                and (row.item_code, fold(row.item)) == (item_code, item)
                and fold(row.unit) in ("", fold(asked.unit))
                and applies(row, asked, held[item_code], book.rules)
            ]
            if _ends(book, rows, found):
                return found
    return found


def _ends(book: Book, rows: Sequence[Discount], found: list[Discount]) -> bool:
    """Add the rows of one combination until one is the last; return whether the search ends."""
    for row in sorted(rows, key=lambda row: row_order(row, book.rules)):
        found.append(row)
        if not row.find_next:
            return book.rules.find_next_no == "search"
    return False


def _parts(book: Book, lines: Sequence[CartLine], nets: Sequence[Fraction]) -> list[Fraction]:
    """Return each line's part of the total discount."""
    nothing = [Fraction(0) for _ in lines]
    counted = [
        net if line.question.item.counts_for_total else Fraction(0)
        for line, net in zip(lines, nets, strict=True)
    ]
    subtotal = sum(counted, Fraction(0))
    if subtotal <= 0:
        return nothing
    discount = _total(book, lines[0].question, subtotal)
    if discount == NO_DISCOUNT:
        return nothing
    parts = [to_step(net * discount.percent / 100, book.rules.line_rounding) for net in counted]
    amount, given = Fraction(discount.amount), Fraction(0)
    for place, net in enumerate(counted):
        share = to_step(amount * net / subtotal, book.rules.line_rounding)
        parts[place] += share
        given += share
    places = [place for place, line in enumerate(lines) if line.question.item.counts_for_total]
    if book.rules.total_rest == "largest":
        places.sort(key=lambda place: nets[place])
    parts[places[-1]] += amount - given
    return parts


def _total(book: Book, question: Question, subtotal: Fraction) -> FoundDiscount:
    found: list[Discount] = []
    for code in CODES:
        account = account_of(question.customer, code, question.customer.total_discount_group)
        if account is None or code.value in book.rules.total_off:
            continue
        rows = [
            row
            for row in book.total_discounts
            if (row.account_code, fold(row.account)) == (code, fold(account))
            and applies(row, question, subtotal, book.rules)
        ]
        if _ends(book, rows, found):
            break
    return total_of(found)
