"""Which rules of the search decide a book: each is taken away, and the answer compared."""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pricing_proxy.agreements.fo.net import LineTerms, SummedDiscount
from pricing_proxy.agreements.fo.quote import LocalRefusal
from pricing_proxy.agreements.fo.rows import NO_DIMENSIONS
from pricing_proxy.agreements.fo.rules import (
    AmountsInProduct,
    BlankCurrency,
    ChargesSpread,
    DimensionMatch,
    DiscountPolicy,
    FindNextNo,
    OtherUnit,
    RowOrder,
    SearchRules,
    Switches,
    UpperBound,
    ZeroBasePrice,
    ZeroPrice,
)
from tests.agreements.both_sides import OurSide
from tests.agreements.random_books import RandomBook

ONE = Decimal(1)
ZERO = Decimal(0)


def prices(**changes: Any) -> Callable[[OurSide], OurSide]:
    """Return how all price rows are changed."""
    return lambda side: replace(side, prices=tuple(replace(row, **changes) for row in side.prices))


def discounts(**changes: Any) -> Callable[[OurSide], OurSide]:
    """Return how all discount rows are changed."""
    return lambda side: replace(
        side, discounts=tuple(replace(row, **changes) for row in side.discounts)
    )


def terms(**changes: Any) -> Callable[[OurSide], OurSide]:
    """Return how what holds for the company is changed."""
    return lambda side: replace(side, terms=replace(side.terms, **changes))


def own_currency(side: OurSide) -> OurSide:
    """Take every row's currency for the document's."""
    currency = side.asked.currency
    return prices(currency=currency)(discounts(currency=currency)(side))


def reversed_accounts(side: OurSide) -> OurSide:
    """Take the customer's rows for everybody's, and everybody's for the customer's."""
    account = side.customer.account

    def swapped(row: Any) -> Any:
        if row.account == account:
            return replace(row, account="", group="")
        return row if row.account or row.group else replace(row, account=account)

    return replace(
        side,
        prices=tuple(map(swapped, side.prices)),
        discounts=tuple(map(swapped, side.discounts)),
    )


def without(kind: str, **named: bool) -> Callable[[OurSide], OurSide]:
    """Return how the rows that name something, or nothing, are left out."""
    [(member, is_named)] = named.items()

    def left(side: OurSide) -> OurSide:
        rows = tuple(row for row in getattr(side, kind) if bool(getattr(row, member)) != is_named)
        changed: dict[str, Any] = {kind: rows}
        return replace(side, **changed)

    return left


def summed_percentages(side: OurSide) -> OurSide:
    """Add the second percentage to the first."""
    rows = (
        replace(row, percent1=row.percent1 + row.percent2, percent2=ZERO) for row in side.discounts
    )
    return replace(side, discounts=tuple(rows))


def without_dates(member: str) -> Callable[[OurSide], OurSide]:
    """Return how one end of all periods is opened."""
    return lambda side: prices(**{member: None})(discounts(**{member: None})(side))


def shared_group(side: OurSide) -> OurSide:
    """Let the customer be in every group."""
    return replace(
        side,
        prices=tuple(
            replace(row, group=row.group and side.customer.price_group) for row in side.prices
        ),
        discounts=tuple(
            replace(row, group=row.group and side.customer.line_discount_group)
            for row in side.discounts
        ),
    )


RULES: Mapping[str, Callable[[OurSide], OurSide]] = {
    "3.2 narrow before wide": reversed_accounts,
    "3.2 activation switches": terms(switches=Switches()),
    "3.2 the customer's own groups only": shared_group,
    "3.2 price of a customer": without("prices", account=True),
    "3.2 price of a group": without("prices", group=True),
    "3.2 line discount of a customer": without("discounts", account=True),
    "3.2 line discount of a group": without("discounts", group=True),
    "3.2 line discount of an item": without("discounts", item=True),
    "3.2 line discount of an item group": without("discounts", item_group=True),
    "3.3 the document's currency": own_currency,
    "3.3 from date": without_dates("from_date"),
    "3.3 to date": without_dates("to_date"),
    "3.3 from quantity": prices(from_quantity=ZERO),
    "3.3 to quantity": prices(to_quantity=ZERO),
    "3.3 dimensions": prices(dimensions=NO_DIMENSIONS),
    "3.3 the lowest price wins": prices(find_next=False),
    "3.3 find next No ends": prices(find_next=True),
    "3.3 price unit": prices(price_unit=ONE),
    "3.3 charges": prices(charges=ZERO),
    "3.3 unit of the price": lambda side: prices(unit=side.asked.unit)(side),
    "3.3 generic currency": prices(is_generic=False),
    "3.4 discounts add up": discounts(find_next=False),
    "3.4 find next No ends": discounts(find_next=True),
    "3.4 two percentages": summed_percentages,
    "3.4 amount": discounts(amount=ZERO),
    "3.4 unit empty or equal": discounts(unit=""),
    "3.4 bracket": discounts(from_quantity=ZERO, to_quantity=ZERO),
    "3.4 dimensions": discounts(dimensions=NO_DIMENSIONS),
    "3.4 generic currency": discounts(is_generic=False),
}
"""Every rule, and a book without it."""

ANSWERS: Mapping[str, tuple[Any, ...]] = {
    "find_next_no": tuple(FindNextNo),
    "row_order": tuple(RowOrder),
    "zero_price": tuple(ZeroPrice),
    "zero_base_price": tuple(ZeroBasePrice),
    "dimensions": tuple(DimensionMatch),
    "other_unit": tuple(OtherUnit),
    "upper_bound": tuple(UpperBound),
    "amounts_in_product": tuple(AmountsInProduct),
    "blank_currency": tuple(BlankCurrency),
    "charges_spread": tuple(ChargesSpread),
}
"""Every open question of a line with its answers, the usual one first."""


ROUNDINGS = ("price_rounding", "line_rounding")


def deciding_rules(each: RandomBook, counted: Container[str] = ()) -> list[str]:
    """Return the rules, policies and answers without which a book would say something else.

    Args:
        each: The book.
        counted: Rules that need not be looked at.
    """
    side, multiline = each.ours(), summed(each)
    said = money_of(side, multiline)
    return [
        rule
        for rule, changed in _changes(side)
        if rule not in counted and money_of(changed(side), multiline) != said
    ]


def all_rules() -> set[str]:
    """Return the name of every rule, policy and answer."""
    answers = {f"3.8 {name}: {own}" for name, answers in ANSWERS.items() for own in answers}
    return {
        *RULES,
        *(f"3.6 {policy}" for policy in DiscountPolicy),
        *answers,
        *(f"3.8 {name}: as set" for name in ROUNDINGS),
    }


def _changes(side: OurSide) -> Iterator[tuple[str, Callable[[OurSide], OurSide]]]:
    yield from RULES.items()
    policy, rules = side.terms.policy, side.terms.rules
    other = DiscountPolicy.MULTILINE if policy is DiscountPolicy.LINE else DiscountPolicy.LINE
    yield f"3.6 {policy}", terms(policy=other)
    for name, answers in ANSWERS.items():
        own = getattr(rules, name)
        for answer in answers:
            if answer is not own:
                yield f"3.8 {name}: {own}", terms(rules=answered(rules, name, answer))
    for name in ROUNDINGS:
        yield f"3.8 {name}: as set", terms(rules=answered(rules, name, None))


def answered(rules: SearchRules, name: str, answer: Any) -> SearchRules:
    """Return rules with another answer to one question."""
    changed: dict[str, Any] = {name: answer}
    return replace(rules, **changed)


def summed(each: RandomBook) -> SummedDiscount:
    """Return the multiline discount that a cart would add."""
    told = each.multiline
    return SummedDiscount(percent1=told.percent1, percent2=told.percent2, amount=told.amount)


def money_of(side: OurSide, multiline: SummedDiscount) -> Any:
    """Return what a book says of money for the asked quantity, without the rows behind it."""
    quote = side.quote()
    if isinstance(quote, LocalRefusal):
        return quote.reason
    line = quote.at(side.asked.quantity)
    return line and spoken(line, side, multiline)


def spoken(
    line: LineTerms, side: OurSide, multiline: SummedDiscount
) -> tuple[Fraction | Decimal, ...]:
    """Return the numbers of a line."""
    net = line.line_net(side.asked.quantity, side.terms, multiline)
    return line.price / line.price_unit, line.charges, line.discount.percent, net
