"""Random books of trade agreements in which every rule of the search decides now and then."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.book import (
    Book,
    Conversion,
    Customer,
    Dimensions,
    Discount,
    Item,
    PriceAgreement,
    Relation,
)
from pricing_proxy.sandbox.discount_search import FoundDiscount, Policy
from pricing_proxy.sandbox.price_rules import PriceRules
from tests.agreements.both_sides import ANSWERS, OurSide, our_side

TODAY = date(2026, 11, 30)
QUANTITIES = [Decimal(each) for each in ("1", "4", "5", "5.5", "9", "10", "10.5", "11", "24", "60")]
# An answer that is not the usual one is tried so often, for each question by itself.
_UNUSUAL = 0.36


@dataclass(frozen=True, kw_only=True)
class RandomBook:
    """One book with what is asked of it.

    Attributes:
        question: For the first of `quantities`.
        multiline: What a cart would add.
    """

    seed: int
    book: Book
    question: Question
    quantities: tuple[Decimal, ...]
    policy: Policy
    multiline: FoundDiscount

    def ours(self) -> OurSide:
        """Return it as the local calculation gets it."""
        return our_side(self.book, self.question, self.policy)


def random_book(seed: int) -> RandomBook:
    """Return the book of a seed."""
    return _Maker(seed).made()


class _Maker:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._record_ids = list(range(1, 30))
        self._random.shuffle(self._record_ids)
        self.currency = self._pick(EUR=6, USD=4)
        self.unit = self._pick(PCS=5, BOX=4, CRT=2)
        self.dimensions = Dimensions(
            color=self._pick(Black=6, Red=2), site=self._pick({"": 5, "1": 3})
        )

    def made(self) -> RandomBook:
        item, customer = self._item(), self._customer()
        book = Book(
            company="demf",
            currency="EUR",
            today=TODAY,
            rates={"USD": Decimal("1.08"), "GBP": Decimal("0.85")},
            rules=self._rules(),
        )
        book.add_items(item)
        book.add_conversions(
            Conversion(source="BOX", target="PCS", numerator=12),
            Conversion(source="CRT", target="PCS", numerator=5, denominator=2),
            Conversion(source="CRT", target="BOX", numerator=5, denominator=24),
        )
        if self._is(0.3):
            book.add_conversions(Conversion(source="BOX", target="PCS", numerator=10, item="I"))
        for _ in range(self._random.randint(7, 15)):
            book.add_prices(self._price())
        for _ in range(self._random.randint(3, 11)):
            book.add_line_discounts(self._discount())
        quantities = tuple(self._random.sample(QUANTITIES, 3))
        return RandomBook(
            seed=self._seed,
            book=book,
            question=Question(
                customer=customer,
                item=item,
                dimensions=self.dimensions,
                unit=self.unit,
                quantity=quantities[0],
                currency=self.currency,
                on=TODAY,
            ),
            quantities=quantities,
            policy=self._random.choice(list(Policy)),
            multiline=FoundDiscount(
                percent1=Decimal(self._random.choice([0, 5, 12])),
                percent2=Decimal(self._random.choice([0, 0, 3])),
                amount=Decimal(self._random.choice(["0", "0.50"])),
            ),
        )

    def _is(self, chance: float) -> bool:
        return self._random.random() < chance

    def _pick(self, weights: dict[str, int] | None = None, **more: int) -> str:
        chances = {**(weights or {}), **more}
        return self._random.choices(list(chances), list(chances.values()))[0]

    def _number(self, *texts: str) -> Decimal:
        return Decimal(self._random.choice(texts))

    def _rules(self) -> PriceRules:
        chosen: dict[str, Any] = {}
        for name, words in ANSWERS.items():
            if self._is(_UNUSUAL):
                chosen[name] = self._random.choice(list(words)[1:])
        for name in ("price_rounding", "line_rounding"):
            if self._is(_UNUSUAL):
                chosen[name] = self._number("0.05", "0.01", "1"), self._pick(normal=1, down=1, up=1)
        if self._is(0.2):
            chosen["prices_off"] = frozenset({self._pick(Table=1, Group=1, All=1)})
        if self._is(_UNUSUAL):
            pairs = [(a.value, i.value) for a in Relation for i in Relation]
            chosen["discounts_off"] = frozenset(self._random.sample(pairs, 3))
        if self._is(0.93):
            chosen["generic_currency"] = "GBP"
        return PriceRules(**chosen)

    def _item(self) -> Item:
        return Item(
            number="I",
            name="Item",
            base_price=self._number("0", "0", "40", "39.95", "44", "52.5"),
            sales_unit=self._pick(PCS=3, BOX=1),
            price_unit=self._number("1", "1", "10"),
            line_discount_group=self._pick({"IG": 9, "": 1}),
            charges=self._number("0", "0", "2.50"),
            charges_included=self._is(0.4),
            charges_quantity=self._number("0", "4", "3"),
        )

    def _customer(self) -> Customer:
        return Customer(
            account="C1",
            name="One",
            currency=self.currency,
            price_group=self._pick({"PG": 9, "": 1}),
            line_discount_group=self._pick({"LD": 9, "": 1}),
        )

    def _price(self) -> PriceAgreement:
        code = self._random.choice(list(Relation))
        accounts = {
            Relation.TABLE: self._pick(C1=8, c1=1, C2=1),
            Relation.GROUP: self._pick(PG=8, OTHER=1),
            Relation.ALL: "",
        }
        price_unit = self._number("1", "1", "1", "10", "50")
        price = self._number("15", "18", "19.99", "22", "25", "31.4") * price_unit
        shared = self._shared()
        is_zero = self._is(0.08 if shared["find_next"] else 0.25)
        return PriceAgreement(
            **shared,
            account_code=code,
            account=accounts[code],
            item=self._pick(I=15, J=1),
            unit=self._other(self.unit, PCS=5, BOX=2),
            price=Decimal(0) if is_zero else price,
            price_unit=price_unit,
            charges=self._number("0", "0", "1", "3.5"),
        )

    def _discount(self) -> Discount:
        account, item = self._random.choices(list(Relation), k=2)
        accounts = {
            Relation.TABLE: self._pick(C1=9, C2=1),
            Relation.GROUP: self._pick(LD=9, OTHER=1),
            Relation.ALL: "",
        }
        items = {
            Relation.TABLE: self._pick(I=9, J=1),
            Relation.GROUP: self._pick(IG=9, OTHER=1),
            Relation.ALL: "",
        }
        return Discount(
            **self._shared(blank=1),
            account_code=account,
            account=accounts[account],
            item_code=item,
            item=items[item],
            unit=self._pick({"": 6, self.unit: 3, "BAG": 1}),
            percent1=self._number("0", "2", "5", "7.5"),
            percent2=self._number("0", "0", "2"),
            amount=self._number("0", "0", "0.25", "1"),
        )

    def _shared(self, blank: int = 0) -> dict[str, Any]:
        currency = self._pick({self.currency: 12, "GBP": 4, "USD": 1, "EUR": 1, "": blank})
        day = timedelta(days=1)
        return {
            "record_id": self._record_ids.pop(),
            "currency": currency,
            "is_generic": self._is(0.7 if currency == "GBP" else 0.1),
            "from_quantity": self._number("0", "0", "1", "2", "4", "5", "10", "24"),
            "to_quantity": self._number("0", "0", "0", "0", "5", "10", "60"),
            "from_date": self._random.choices(
                [None, TODAY, TODAY - 9 * day, TODAY + day, TODAY + 9 * day], [10, 1, 1, 1, 1]
            )[0],
            "to_date": self._random.choices(
                [None, TODAY, TODAY + 5 * day, TODAY + 15 * day, TODAY - day], [10, 1, 1, 1, 1]
            )[0],
            "find_next": self._is(0.65),
            "dimensions": self._dimensions(),
        }

    def _other(self, usual: str, **others: int) -> str:
        return usual if self._is(0.6) else self._pick(others)

    def _dimensions(self) -> Dimensions:
        named = Dimensions(
            color=self._pick({"": 9, self.dimensions.color: 5, "Blue": 1}),
            site=self._pick({"": 9, "1": 3}),
        )
        return replace(named, color=named.color.lower()) if self._is(0.2) else named
