"""Make up the discounts of the distributor: each account and item code at least once.

Discounts for all accounts leave the named lamps alone, save one percent in francs, so that in
euros `C-1002` and `C-1003` pay exactly their price, and `C-1001` gets the README's 10 percent
from 10 pieces on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.sandbox.book import Book, Discount, Relation

_TABLE, _GROUP, _ALL = Relation.TABLE, Relation.GROUP, Relation.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """One discount as people would agree on it, before it is posted per currency."""

    account_code: Relation
    account: str = ""
    item_code: Relation
    item: str = ""
    percent1: str = "0"
    percent2: str = "0"
    amount: str = "0"
    above: str = "0"
    unit: str = ""
    find_next: bool = True
    currencies: tuple[str, ...] = ("EUR",)


_EVERY_CURRENCY = ("EUR", "USD", "CHF")

_LINE_DISCOUNTS = (
    _Terms(
        account_code=_TABLE,
        account="C-1001",
        item_code=_TABLE,
        item="LAMP-01",
        percent1="10",
        above="10",
        find_next=False,
    ),
    _Terms(
        account_code=_TABLE,
        account="C-2000",
        item_code=_GROUP,
        item="PANELS",
        percent1="6",
        find_next=False,
    ),
    _Terms(account_code=_TABLE, account="C-2004", item_code=_ALL, percent1="2"),
    _Terms(account_code=_GROUP, account="LD-B", item_code=_TABLE, item="LAMP-03", percent1="4"),
    _Terms(account_code=_GROUP, account="LD-A", item_code=_GROUP, item="BULBS", percent1="5"),
    _Terms(
        account_code=_GROUP,
        account="LD-B",
        item_code=_GROUP,
        item="CABLES",
        percent1="2",
        percent2="2",
    ),
    _Terms(account_code=_GROUP, account="LD-A", item_code=_ALL, percent2="1"),
    _Terms(account_code=_ALL, item_code=_TABLE, item="BULB-0001", percent1="3", above="100"),
    _Terms(
        account_code=_ALL,
        item_code=_GROUP,
        item="SCREWS",
        amount="0.50",
        currencies=_EVERY_CURRENCY,
    ),
    _Terms(
        account_code=_ALL,
        item_code=_GROUP,
        item="CABLES",
        percent1="3",
        above="100",
        unit="M",
        currencies=_EVERY_CURRENCY,
    ),
    _Terms(account_code=_ALL, item_code=_ALL, percent1="1", currencies=("CHF",)),
)
_MULTILINE_DISCOUNTS = (
    _Terms(
        account_code=_GROUP,
        account="ML-1",
        item_code=_GROUP,
        item="BULK",
        percent1="5",
        above="20",
        unit="PCS",
        find_next=False,
    ),
)
_TOTAL_DISCOUNTS = (
    _Terms(
        account_code=_GROUP,
        account="TD-1",
        item_code=_ALL,
        percent1="2",
        above="1000",
        find_next=False,
    ),
)


def add_discounts(book: Book) -> None:
    """Post line, multiline and total discounts."""
    book.add_line_discounts(*_posted(book, _LINE_DISCOUNTS))
    book.multiline_discounts.extend(_posted(book, _MULTILINE_DISCOUNTS))
    book.total_discounts.extend(_posted(book, _TOTAL_DISCOUNTS))


def _posted(book: Book, agreed: tuple[_Terms, ...]) -> Iterator[Discount]:
    for terms in agreed:
        for currency in terms.currencies:
            yield Discount(
                record_id=book.next_record_id(),
                account_code=terms.account_code,
                account=terms.account,
                item_code=terms.item_code,
                item=terms.item,
                currency=currency,
                unit=terms.unit,
                from_quantity=Decimal(terms.above),
                percent1=Decimal(terms.percent1),
                percent2=Decimal(terms.percent2),
                amount=Decimal(terms.amount),
                find_next=terms.find_next,
            )
