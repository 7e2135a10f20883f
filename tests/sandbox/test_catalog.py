"""The made-up distributor: repeatable, scalable, and telling everybody's prices apart."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.book import NO_DIMENSIONS, Book, Relation, fold
from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.price_search import find_price

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def book() -> Book:
    return build_book(CatalogSize(skus=400, customers=60), TODAY)


def price_of(book: Book, account: str, sku: str, quantity: str = "1") -> Decimal | None:
    variant = book.variants.get(fold(sku))
    item = book.items[fold(variant.item if variant else sku)]
    customer = book.customers[fold(account)]
    price = find_price(
        book,
        Question(
            customer=customer,
            item=item,
            dimensions=variant.dimensions if variant else NO_DIMENSIONS,
            unit=item.sales_unit,
            quantity=Decimal(quantity),
            currency=customer.currency,
            on=TODAY,
        ),
    )
    return price.price if price else None


def test_same_seed_and_date_give_the_same_book() -> None:
    size = CatalogSize(skus=300, customers=30, seed=7)
    one, other = build_book(size, TODAY), build_book(size, TODAY)

    assert list(one.price_rows()) == list(other.price_rows())
    assert (one.items, one.variants, one.customers) == (
        other.items,
        other.variants,
        other.customers,
    )


def test_another_seed_gives_other_agreements() -> None:
    one = build_book(CatalogSize(seed=1), TODAY)
    other = build_book(CatalogSize(seed=2), TODAY)

    assert list(one.price_rows()) != list(other.price_rows())


@pytest.mark.parametrize("skus", [24, 25, 200, 501])
def test_number_of_sellable_skus_is_the_one_asked_for(skus: int) -> None:
    book = build_book(CatalogSize(skus=skus), TODAY)
    simple = [item for item in book.items.values() if not item.is_master]

    assert len(simple) + len(book.variants) == skus


def test_number_of_customers_is_the_one_asked_for(book: Book) -> None:
    assert len(book.customers) == 60


@pytest.mark.parametrize(
    ("account", "quantity", "price"),
    [
        ("C-1001", "10", "19.00"),
        ("C-1001", "50", "18.505"),
        ("C-1002", "10", "19.50"),
        ("C-1002", "50", "19.495"),
        ("C-1003", "10", "19.90"),
    ],
)
def test_named_customers_pay_for_the_first_lamp_what_the_readme_says(
    book: Book, account: str, quantity: str, price: str
) -> None:
    assert str(price_of(book, account, "LAMP-01", quantity)) == price


def test_contract_prices_of_all_lamps_name_customer_and_lamp(book: Book) -> None:
    """A price that reaches the wrong customer or SKU shows in its digits."""
    lamps = [f"LAMP-{number:02}" for number in range(1, 25)]
    contracts = [c for c in book.customers.values() if c.account not in ("C-1002", "C-1003")]
    for currency in ("EUR", "USD", "CHF"):
        accounts = [c.account for c in contracts if c.currency == currency]
        prices = [price_of(book, account, lamp) for account in accounts for lamp in lamps]
        assert accounts
        assert None not in prices
        assert len(set(prices)) == len(prices)


def test_no_two_customers_agreed_on_the_same_price_of_a_sku(book: Book) -> None:
    own = Counter(
        (row.item, row.dimensions, row.currency, row.from_quantity, row.price)
        for row in book.price_rows()
        if row.account_code is Relation.TABLE
    )

    assert max(own.values()) == 1


def test_prices_of_many_customers_stay_positive_and_apart() -> None:
    book = build_book(CatalogSize(skus=24, customers=2000), TODAY)
    own = [row for row in book.price_rows() if row.account_code is Relation.TABLE]

    assert min(row.price for row in own) > 0
    euro = [(row.item, row.from_quantity, row.price) for row in own if row.currency == "EUR"]
    assert len(set(euro)) == len(euro)


def test_book_holds_every_kind_of_agreement(book: Book) -> None:
    rows = list(book.price_rows())

    assert {(row.account_code, row.find_next) for row in rows} == {
        (code, find_next) for code in Relation for find_next in (True, False)
    }
    assert {row.currency for row in rows} == {"EUR", "USD", "CHF"}
    assert any(row.to_date and row.to_date < TODAY for row in rows)
    assert any(row.from_date and row.from_date > TODAY for row in rows)
    assert any(row.from_date and row.from_date <= TODAY <= (row.to_date or TODAY) for row in rows)
    assert {key[::2] for key in book.line_discounts} == {(a, i) for a in Relation for i in Relation}


def test_catalog_shows_every_kind_of_item(book: Book) -> None:
    items = list(book.items.values())

    assert {item.sales_unit for item in items} == {"PCS", "BOX", "M"}
    assert {item.price_unit for item in items} == {1, 100}
    assert any(item.is_stopped for item in items)
    assert any(item.base_price == 0 and not item.is_stopped for item in items)
    assert any(item.sales_unit != item.inventory_unit for item in items)
    assert {variant.item for variant in book.variants.values()} == {
        item.number for item in items if item.is_master
    }


def test_variants_of_one_master_have_prices_of_their_own(book: Book) -> None:
    shades = [v.number for v in book.variants.values() if v.item == "SHADE-0001"]
    prices = {price_of(book, "C-1003", shade) for shade in shades}

    assert len(prices) == len(shades) == 6


def test_variant_number_is_written_like_f_and_o_writes_it(book: Book) -> None:
    assert fold("SHADE-0001 : : M : Black :") in book.variants
