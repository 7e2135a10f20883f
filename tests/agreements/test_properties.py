"""What must hold for any book: breaks, validity, the order of rows, and what is kept and reused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from pricing_proxy.agreements.fo.net import LineTerms
from pricing_proxy.agreements.fo.quote import LocalQuote, PriceBreak
from tests.agreements.both_sides import OurSide
from tests.agreements.examples import CUSTOMER, LAMP, TODAY, price, quote, side
from tests.agreements.random_books import random_book

BOOKS = range(60)
DAY = timedelta(days=1)


def quotes() -> Iterator[tuple[int, OurSide, LocalQuote]]:
    for seed in BOOKS:
        asking = random_book(seed).ours()
        found = asking.quote()
        if isinstance(found, LocalQuote):
            yield seed, asking, found


def test_breaks_say_what_asking_each_quantity_says() -> None:
    asked = 0
    for seed, asking, found in quotes():
        for step in ("1", "0.5", "3"):
            stepped = replace(
                asking, asked=replace(asking.asked, quantity_step=Decimal(step))
            ).quote()
            assert isinstance(stepped, LocalQuote)
            for number in range(1, 70) if found.only_for is None else ():
                quantity = number * Decimal(step)
                assert by_breaks(stepped, quantity) == found.at(quantity), (seed, quantity)
                asked += 1
    assert asked > 5_000


def by_breaks(found: LocalQuote, quantity: Decimal) -> LineTerms | None:
    return [each for each in found.breaks if each.from_quantity <= quantity][-1].terms


def test_breaks_rise_and_neighbours_differ() -> None:
    for _, _, found in quotes():
        pairs = list(zip(found.breaks, found.breaks[1:], strict=False))
        assert all(one.from_quantity < other.from_quantity for one, other in pairs)
        assert all(one.terms != other.terms for one, other in pairs)
        assert found.only_for is not None or found.breaks[0].from_quantity == 1


def test_a_shared_bound_is_a_break_of_its_own() -> None:
    rows = (
        price("12", 1, from_quantity=1, to_quantity=10, find_next=False),
        price("9", 2, from_quantity=10, find_next=False),
        price("7", 3, account="C1", from_quantity=10, to_quantity=10),
    )

    assert prices(quote(*rows).breaks) == [("1", "12"), ("10", "7"), ("11", "9")]
    tenth = quote(*rows, quantity_step=Decimal("0.1")).breaks
    assert prices(tenth) == [("0.1", "50"), ("1", "12"), ("10", "7"), ("10.1", "9")]


def test_a_bracket_between_two_steps_is_no_break() -> None:
    rows = price("7", 1, from_quantity=Decimal("4.2"), to_quantity=Decimal("4.8")), price("9", 2)

    assert prices(quote(*rows).breaks) == [("1", "9")]
    between = quote(*rows, quantity="4.5").at(Decimal("4.5"))
    assert between is not None
    assert between.price == 7


def test_brackets_of_the_inventory_unit_are_breaks_of_the_asked_one() -> None:
    boxed = replace(LAMP, conversions={("BOX", "PCS"): Fraction(12)})
    rows = price("2", 1), price("1", 2, from_quantity=30)

    assert prices(quote(*rows, item=boxed, unit="BOX").breaks) == [("1", "24"), ("3", "12")]


def test_quantities_without_a_price_are_breaks_too() -> None:
    unpriced = replace(LAMP, base_price=Decimal(0))
    found = quote(price("9", 1, from_quantity=10, to_quantity=20), item=unpriced)

    assert prices(found.breaks) == [("1", None), ("10", "9"), ("21", None)]


def prices(breaks: tuple[PriceBreak, ...]) -> list[tuple[str, str | None]]:
    return [
        (str(each.from_quantity), str(each.terms.price) if each.terms else None) for each in breaks
    ]


def test_nothing_changes_until_the_day_that_is_said_and_mostly_something_after_it() -> None:
    changed = kept = 0
    for seed, asking, found in quotes():
        until = found.valid_until or TODAY + 30 * DAY
        assert until >= TODAY
        for day in range((until - TODAY).days + 1):
            assert money_on(asking, TODAY + day * DAY) == found.by_quantity, (seed, day)
        if found.valid_until:
            is_alike = money_on(asking, found.valid_until + DAY) == found.by_quantity
            changed, kept = changed + (not is_alike), kept + is_alike
    assert changed > kept / 2


def money_on(asking: OurSide, day: date) -> object:
    found = replace(asking, asked=replace(asking.asked, on=day)).quote()
    return found.by_quantity if isinstance(found, LocalQuote) else found


@pytest.mark.parametrize(
    ("terms", "until"),
    [
        ({}, None),
        ({"to_date": TODAY}, TODAY),
        ({"to_date": TODAY + DAY}, TODAY + DAY),
        ({"from_date": TODAY, "to_date": TODAY + DAY}, TODAY + DAY),
        ({"from_date": TODAY + DAY}, TODAY),
        ({"from_date": TODAY + 2 * DAY, "to_date": TODAY + 9 * DAY}, TODAY + DAY),
        ({"to_date": TODAY - DAY}, None),
        ({"to_date": date.max}, None),
        # What another customer, unit or currency gets changes nothing.
        ({"to_date": TODAY, "account": "C2"}, None),
        ({"to_date": TODAY, "unit": "BOX"}, None),
        ({"to_date": TODAY, "currency": "USD"}, None),
    ],
)
def test_the_last_day_is_that_before_a_row_begins_or_ends(
    terms: dict[str, object], until: date | None
) -> None:
    boxed = replace(LAMP, conversions={("BOX", "PCS"): Fraction(12)})

    assert quote(price("9", 1, **terms), item=boxed).valid_until == until


def test_the_order_in_which_rows_are_read_does_not_matter() -> None:
    for seed in BOOKS:
        asking = random_book(seed).ours()
        shuffled = replace(
            asking,
            prices=tuple(Random(seed).sample(asking.prices, len(asking.prices))),
            discounts=tuple(Random(seed).sample(asking.discounts, len(asking.discounts))),
        )
        assert shuffled.quote() == asking.quote(), seed


def test_a_list_that_was_asked_for_others_says_what_a_new_one_says() -> None:
    """What is kept belongs to the customer, day, unit, currency and dimensions it was made for."""
    for seed in BOOKS[:12]:
        asking = random_book(seed).ours()
        used = asking.price_list()
        asks = [
            replace(asking, asked=replace(asking.asked, **change), customer=customer)
            for customer in (
                asking.customer,
                replace(asking.customer, account="C2", price_group=""),
            )
            for change in (
                {"unit": "BOX"},
                {"currency": "USD"},
                {"on": TODAY + 10 * DAY},
                {"on": TODAY - 10 * DAY},
                {"dimensions": asking.asked.dimensions._replace(color="Blue")},
                {"quantity_step": Decimal("0.5")},
                {"quantity": Decimal(7)},
                {},
            )
        ]
        for ask in (*asks, *reversed(asks)):
            assert used.quote(ask.customer, ask.asked) == ask.quote(), seed


def test_customers_for_whom_the_same_rows_count_share_one_answer() -> None:
    """A group's answer is worked out once; an own row makes an own answer."""
    own = price("8", 2, account="C3")
    used = side(price("9", 1, group="B2B"), own).price_list()
    asked = side().asked

    one, other, third = (
        used.quote(replace(CUSTOMER, account=account), asked) for account in ("C7", "C8", "C3")
    )

    assert one is other
    assert isinstance(third, LocalQuote)
    assert [each.terms.price for each in third.breaks if each.terms] == [8]
