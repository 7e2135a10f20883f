"""Make up the sales prices that the distributor agreed on, of every kind.

Within a SKU's band of list prices, ten wide, each account has offsets of its own:
a customer's price lies 0.90 and some cents below list, the cents being the
customer's; a group's price lies fixed cents below list, with a third decimal where
it is a bracket's or a period's. So no two agreements of one SKU cost the same, and
no two customers with agreements of their own ever pay the same for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from pricing_proxy.sandbox.book import (
    NO_DIMENSIONS,
    Book,
    Customer,
    Dimensions,
    Item,
    PriceAgreement,
    Relation,
    Variant,
)
from pricing_proxy.sandbox.catalog_discounts import add_discounts

CONTRACT_CUSTOMER = "C-1001"
WITHOUT_CONTRACT = ("C-1002", "C-1003")
BRACKET_SKU = "LAMP-01"

# A contract customer pays list less 0.90 (LAMP-01: 19.00), the next one 0.01 less, and so on.
_OWN_OFFSET = Decimal("0.90")
# All customers' cents fit between the first customer's price and the key accounts' price.
_OWN_RANGE = Decimal(8)
_GROUP_OFFSETS = (
    # Account code, group, below list, every how many SKUs, find next on every how many of those.
    (Relation.GROUP, "B2B", Decimal("0.40"), 2, 2),
    (Relation.GROUP, "RETAIL", Decimal("0.50"), 5, 3),
    # Cheaper than any customer's own price: it wins only where that row says find next.
    (Relation.GROUP, "KEY", Decimal("9.40"), 7, 2),
    (Relation.ALL, "", Decimal("0.20"), 3, 2),
)
_BRACKET_FROM = Decimal(50)
_BRACKET_OFFSET = Decimal("0.495")
# Past and future prices are so low that nobody overlooks one that is applied out of its time.
_DATED_OFFSETS = {1: Decimal("5.005"), 2: Decimal("5.015"), 3: Decimal("0.215")}
# Price levels of lists kept in other currencies, apart from the exchange rates.
_LEVELS = {"EUR": Decimal(1), "USD": Decimal("1.10"), "CHF": Decimal("0.95")}
# Generated SKUs on which a generated customer has a contract, besides every lamp.
_OWN_SKUS = 20
_MONTH = timedelta(days=30)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A SKU with the list price that its agreements start from, for one price unit."""

    position: int
    item: Item
    variant: Variant | None
    list_price: Decimal

    @property
    def dimensions(self) -> Dimensions:
        """The variant's dimensions, or none."""
        return self.variant.dimensions if self.variant else NO_DIMENSIONS

    @property
    def is_lamp(self) -> bool:
        """Whether the README may name it."""
        return self.item.number.startswith("LAMP-")

    @property
    def has_agreements(self) -> bool:
        """Whether it is sold and has a price at all."""
        return self.item.base_price > 0 and not self.item.is_stopped


def add_agreements(
    book: Book, listed: Sequence[Listed], customers: Sequence[Customer], random: Random
) -> None:
    """Post everything that the distributor ever agreed on."""
    priced = [entry for entry in listed if entry.has_agreements]
    for entry in priced:
        book.add_prices(*_shared_prices(book, entry))
    book.add_prices(*_contract_prices(book, priced, customers, random))
    add_discounts(book)


def _price(
    book: Book,
    entry: Listed,
    whose: tuple[Relation, str],
    below_list: Decimal,
    *,
    currency: str = "EUR",
    from_quantity: Decimal = Decimal(0),
    period: tuple[date | None, date | None] = (None, None),
    find_next: bool = True,
) -> PriceAgreement:
    level_price = (entry.list_price * _LEVELS[currency]).quantize(_CENT, ROUND_HALF_UP)
    return PriceAgreement(
        record_id=book.next_record_id(),
        account_code=whose[0],
        account=whose[1],
        item=entry.item.number,
        dimensions=entry.dimensions,
        currency=currency,
        unit=_agreed_unit(entry),
        price=level_price - below_list,
        price_unit=entry.item.price_unit,
        charges=entry.item.charges,
        from_quantity=from_quantity,
        from_date=period[0],
        to_date=period[1],
        find_next=find_next,
    )


def _agreed_unit(entry: Listed) -> str:
    """Some items sold in boxes are agreed per piece, so that converting prices is seen."""
    return entry.item.inventory_unit if entry.position % 2 else entry.item.sales_unit


def _shared_prices(book: Book, entry: Listed) -> Iterator[PriceAgreement]:
    """Yield group prices and prices for all; the lamps have only those of group B2B."""
    everybody = (Relation.ALL, "")
    if entry.is_lamp:
        yield _price(book, entry, (Relation.GROUP, "B2B"), Decimal("0.40"))
    else:
        for code, group, below_list, every, find_next_every in _GROUP_OFFSETS:
            turn, rest = divmod(entry.position, every)
            if rest == 0:
                find_next = turn % find_next_every == 0
                yield _price(book, entry, (code, group), below_list, find_next=find_next)
        yield from _dated_prices(book, entry)
        if entry.variant is not None:
            yield _price(book, entry, everybody, Decimal(0))
        if entry.position % 4 == 1:
            yield _price(book, entry, everybody, Decimal("0.20"), currency="USD")
            yield _price(book, entry, everybody, Decimal("0.20"), currency="CHF")
    if entry.position % 6 == 0:
        yield _price(
            book,
            entry,
            (Relation.GROUP, "B2B"),
            Decimal("0.405"),
            from_quantity=_BRACKET_FROM,
        )


def _dated_prices(book: Book, entry: Listed) -> Iterator[PriceAgreement]:
    """Yield a price that is over, one that is to come, or one that runs out at the year's end."""
    everybody = (Relation.ALL, "")
    periods = {
        1: (None, book.today - _MONTH),
        2: (book.today + _MONTH, None),
        3: (book.today - _MONTH, _year_end(book.today)),
    }
    phase = entry.position % 8
    if phase in periods:
        below_list = _DATED_OFFSETS[phase]
        yield _price(book, entry, everybody, below_list, period=periods[phase])


def _year_end(today: date) -> date:
    """Return the end of the year, at least a month ahead."""
    return date((today + _MONTH).year, 12, 31)


def _contract_prices(
    book: Book, priced: Sequence[Listed], customers: Sequence[Customer], random: Random
) -> Iterator[PriceAgreement]:
    """Yield customers' own prices: all lamps for each contract customer, and some SKUs more."""
    lamps = [entry for entry in priced if entry.is_lamp]
    others = [entry for entry in priced if not entry.is_lamp]
    contracts = [each for each in customers if each.account not in WITHOUT_CONTRACT]
    step = _own_step(len(contracts))
    for index, customer in enumerate(contracts):
        below_list = _OWN_OFFSET + step * index
        chosen = random.sample(others, min(_OWN_SKUS, len(others))) if index else []
        for entry in (*lamps, *chosen):
            yield from _own_prices(book, entry, customer, below_list)


def _own_step(contracts: int) -> Decimal:
    """Return the cents, or fractions, between two customers such that all fit."""
    step = _CENT
    while step * contracts > _OWN_RANGE:
        step /= 10
    return step


def _own_prices(
    book: Book, entry: Listed, customer: Customer, below_list: Decimal
) -> Iterator[PriceAgreement]:
    whose = (Relation.TABLE, customer.account)
    is_contract = customer.account == CONTRACT_CUSTOMER
    # Named lamps: find next, so that a bracket or a price posted later competes by being lower.
    find_next = is_contract or entry.position % 2 == 0
    period = (None, _year_end(book.today))
    currencies = tuple(_LEVELS) if is_contract else (customer.currency,)
    for currency in currencies:
        yield _price(
            book, entry, whose, below_list, currency=currency, period=period, find_next=find_next
        )
    if is_contract and entry.item.number == BRACKET_SKU:
        yield _price(
            book,
            entry,
            whose,
            below_list + _BRACKET_OFFSET,
            from_quantity=_BRACKET_FROM,
            period=period,
        )
