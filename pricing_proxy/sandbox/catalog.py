"""Make up a lighting distributor: legal entity `demf`, its items and its customers.

The same seed, sizes and date give the same book. The README relies on the names
here: SKUs `LAMP-01` to `LAMP-24`, customers `C-1001` (own agreements), `C-1002`
(price group), `C-1003` (list prices). What follows is generated, in families
that each show one thing a price must survive: variants, units, price units,
charges, items that are not sold, items without a price.

Every SKU owns a band of list prices ten wide, and agreements move a price within
its band by cents of their own (`catalog_agreements`). So a price's digits tell
whose it is and for what, and a price given to the wrong customer shows.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count, islice, product
from random import Random

from pricing_proxy.sandbox.book import (
    Book,
    Conversion,
    Customer,
    Dimensions,
    Item,
    Journal,
    Variant,
)
from pricing_proxy.sandbox.catalog_agreements import Listed, add_agreements

LAMPS = 24
NAMED_CUSTOMERS = (
    Customer(
        account="C-1001",
        name="Lichthaus Contract GmbH",
        currency="EUR",
        tax_number="DE100000001",
    ),
    Customer(
        account="C-1002",
        name="Elektro Group AG",
        currency="EUR",
        price_group="B2B",
        tax_number="DE100000002",
    ),
    Customer(
        account="C-1003",
        name="Laden am Markt e.K.",
        currency="EUR",
        tax_number="DE100000003",
    ),
)

COMPANY = "demf"
_FIRST_LIST_PRICE = Decimal("19.90")
_BAND = Decimal(10)
_PER_HUNDRED = Decimal(100)
# Sold per 100 pieces, so that a price unit other than 1 is seen on named SKUs as well.
_LAMPS_PER_HUNDRED = (21, 22)
# What one euro is worth; exact, short numbers keep converted prices readable.
_RATES = {"USD": Decimal("1.08"), "CHF": Decimal("0.94")}
_UNITS = {"PCS": "Pieces", "BOX": "Box", "M": "Metre"}

_COLORS = ("Black", "White", "Red")
_SIZES = ("S", "M")
_FAMILIES = (
    Item(
        number="BULB",
        name="Bulb",
        base_price=Decimal(0),
        line_discount_group="BULBS",
        multiline_discount_group="BULK",
    ),
    Item(
        number="CABLE",
        name="Cable",
        base_price=Decimal(0),
        sales_unit="M",
        inventory_unit="M",
        line_discount_group="CABLES",
    ),
    Item(
        number="SCREW",
        name="Screw",
        base_price=Decimal(0),
        price_unit=_PER_HUNDRED,
        line_discount_group="SCREWS",
    ),
    Item(number="SHADE", name="Shade", base_price=Decimal(0), is_master=True),
    Item(number="SPOT", name="Spot, boxed", base_price=Decimal(0), sales_unit="BOX"),
    Item(
        number="PANEL",
        name="Panel",
        base_price=Decimal(0),
        charges=Decimal("2.50"),
        line_discount_group="PANELS",
    ),
    Item(
        number="PROFILE",
        name="Profile, freight included",
        base_price=Decimal(0),
        charges=Decimal("2.50"),
        charges_included=True,
        charges_quantity=Decimal(10),
    ),
    Item(number="TUBE", name="Tube", base_price=Decimal(0), multiline_discount_group="BULK"),
    Item(number="OLD", name="Discontinued lamp", base_price=Decimal(0), is_stopped=True),
    Item(number="NEW", name="Lamp without a price yet", base_price=Decimal(0)),
)
"""One item of each family in turn."""

_UNPRICED = "NEW"

_PRICE_GROUPS = ("", "B2B", "RETAIL", "KEY")
_LINE_DISCOUNT_GROUPS = ("", "LD-A", "LD-B")
# One customer in ten buys in dollars, one in francs.
_CURRENCIES = (*("EUR",) * 8, "USD", "CHF")
_FIRST_GENERATED_CUSTOMER = 2000
# A few accounts on hold, as in every real customer base.
_HOLD_EVERY = 25
_TOWNS = ("Aachen", "Bremen", "Dresden", "Erfurt", "Fulda", "Goslar", "Hagen", "Jena", "Kassel")
# A larger one is made up for a process of its own, where a second copy would only take memory.
_KEPT_SKUS = 1000
_TRADES = ("Elektro", "Licht", "Bau", "Haustechnik", "Messebau")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSize:
    """How much to make up; the named SKUs and customers always exist."""

    skus: int = 240
    customers: int = 40
    seed: int = 1


def build_book(size: CatalogSize, today: date) -> Book:
    """Return the book of `demf` as of `today`; a small one is made up once in a process."""
    return _copy_of(_kept(size, today)) if size.skus <= _KEPT_SKUS else _made_up(size, today)


@lru_cache(maxsize=8)
def _kept(size: CatalogSize, today: date) -> Book:
    return _made_up(size, today)


def _made_up(size: CatalogSize, today: date) -> Book:
    book = Book(company=COMPANY, currency="EUR", today=today)
    book.rates.update(_RATES)
    book.units.update(_UNITS)
    listed = list(islice(_listed(), max(size.skus, LAMPS)))
    for entry in listed:
        book.add_items(entry.item)
        if entry.variant is not None:
            book.add_variants(entry.variant)
    book.add_conversions(*_conversions(book))
    random = Random(size.seed)  # noqa: S311 - made-up data must repeat, not surprise
    customers = list(islice(_customers(random), max(size.customers, len(NAMED_CUSTOMERS))))
    book.add_customers(*customers)
    add_agreements(book, listed, customers, random)
    for number, (text, age) in enumerate((("Opening prices", 90), ("Contract prices", 30)), 1):
        posted_on = today - timedelta(days=age)
        book.journals.append(Journal(number=f"{number:05}", description=text, posted_on=posted_on))
    return book


def _copy_of(book: Book) -> Book:
    """Return a book of its own with the same rows, which never change in place."""
    own = copy.copy(book)
    for each in fields(book):
        held = getattr(book, each.name)
        if isinstance(held, dict):
            held = {k: list(rows) if isinstance(rows, list) else rows for k, rows in held.items()}
        elif isinstance(held, list | count):
            held = copy.copy(held)
        setattr(own, each.name, held)
    return own


def _listed() -> Iterator[Listed]:
    """Yield SKUs without end, each with a list price of its own; the lamps come first."""
    position = 0
    for item in _items():
        list_price = _FIRST_LIST_PRICE + _BAND * position
        is_unpriced = item.number.startswith(_UNPRICED)
        priced = item if is_unpriced else replace(item, base_price=list_price)
        for variant in _variants(priced) if priced.is_master else (None,):
            yield Listed(
                position=position,
                item=priced,
                variant=variant,
                list_price=_FIRST_LIST_PRICE + _BAND * position,
            )
            position += 1


def _items() -> Iterator[Item]:
    yield from map(_lamp, range(1, LAMPS + 1))
    for round_number in count(1):
        for family in _FAMILIES:
            yield replace(
                family,
                number=f"{family.number}-{round_number:04}",
                name=f"{family.name} {round_number}",
            )


def _lamp(number: int) -> Item:
    return Item(
        number=f"LAMP-{number:02}",
        name=f"Lamp {number}",
        base_price=_FIRST_LIST_PRICE,
        price_unit=_PER_HUNDRED if number in _LAMPS_PER_HUNDRED else Decimal(1),
    )


def _variants(master: Item) -> Iterator[Variant]:
    for color, size in product(_COLORS, _SIZES):
        yield Variant(
            item=master.number,
            name=f"{master.name}, {color}, {size}",
            dimensions=Dimensions(color=color, size=size),
        )


def _conversions(book: Book) -> Iterator[Conversion]:
    """Yield rules for all items and rules of some; an item's own rule wins, as on `LAMP-02`."""
    yield Conversion(source="BOX", target="PCS", numerator=10)
    yield Conversion(source="BOX", target="PCS", numerator=25, item="LAMP-02")
    for item in book.items.values():
        if item.sales_unit == "M":
            yield Conversion(source="BOX", target="M", numerator=25, item=item.number)


def _customers(random: Random) -> Iterator[Customer]:
    yield from NAMED_CUSTOMERS
    for index in count():
        yield Customer(
            account=f"C-{_FIRST_GENERATED_CUSTOMER + index}",
            name=f"{random.choice(_TRADES)} {random.choice(_TOWNS)} {index}",
            currency=_CURRENCIES[index % len(_CURRENCIES)],
            price_group=_PRICE_GROUPS[index % len(_PRICE_GROUPS)],
            line_discount_group=_LINE_DISCOUNT_GROUPS[index % len(_LINE_DISCOUNT_GROUPS)],
            multiline_discount_group="ML-1" if index % 2 else "",
            total_discount_group="TD-1" if index % 3 else "",
            hold="Invoice" if index % _HOLD_EVERY == _HOLD_EVERY - 1 else "No",
        )
