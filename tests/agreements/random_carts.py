"""Random carts: lines of several items, with multiline and total discounts."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.book import (
    NO_DIMENSIONS,
    Book,
    Conversion,
    Customer,
    Discount,
    Item,
    Relation,
)
from pricing_proxy.sandbox.discount_search import Policy
from pricing_proxy.sandbox.price_rules import PriceRules
from tests.agreements.both_sides import OurCart, our_cart
from tests.agreements.random_books import TODAY

ITEMS = ("A", "B", "C", "D")
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class RandomCart:
    """One cart with the book that prices it."""

    seed: int
    book: Book
    questions: tuple[Question, ...]
    policy: Policy

    def ours(self) -> OurCart:
        """Return it as the local calculation gets it."""
        return our_cart(self.book, self.questions, self.policy)


def random_cart(seed: int) -> RandomCart:
    """Return the cart of a seed."""
    return _Maker(seed).made()


class _Maker:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._record_ids = list(range(1, 60))
        self._random.shuffle(self._record_ids)

    def made(self) -> RandomCart:
        book = Book(
            company="demf",
            currency="EUR",
            today=TODAY,
            rates={"GBP": Decimal("0.85")},
            rules=self._rules(),
        )
        book.add_items(*map(self._item, ITEMS))
        book.add_conversions(Conversion(source="BOX", target="PCS", numerator=12))
        for _ in range(self._random.randint(0, 3)):
            book.add_line_discounts(self._discount({Relation.ALL: ""}, "LD", "quantity"))
        groups = {Relation.GROUP: self._random.choice(["BULK", "bulk", "CABLES"]), Relation.ALL: ""}
        for _ in range(self._random.randint(2, 7)):
            book.multiline_discounts.append(self._discount(groups, "ML", "quantity"))
        for _ in range(self._random.randint(2, 7)):
            book.total_discounts.append(self._discount({Relation.ALL: ""}, "TD", "amount"))
        customer = Customer(
            account="C1",
            name="One",
            currency="EUR",
            line_discount_group="LD",
            multiline_discount_group=self._one("ML", "ML", "ML", ""),
            total_discount_group=self._one("TD", "TD", "TD", ""),
        )
        return RandomCart(
            seed=self._seed,
            book=book,
            questions=tuple(
                self._question(book, customer) for _ in range(self._random.randint(2, 5))
            ),
            policy=self._random.choice([*Policy, *list(Policy)[1:]]),
        )

    def _is(self, chance: float) -> bool:
        return self._random.random() < chance

    def _one(self, *texts: str) -> str:
        return self._random.choice(texts)

    def _number(self, *texts: str) -> Decimal:
        return Decimal(self._random.choice(texts))

    def _rules(self) -> PriceRules:
        chosen: dict[str, Any] = {}
        if self._is(0.5):
            chosen["multiline_for_all"] = self._one("unmatched", "every_line")
        if self._is(0.4):
            chosen["total_rest"] = "largest"
        if self._is(0.7):
            chosen["line_rounding"] = Decimal("0.01"), self._one("normal", "normal", "down", "up")
        for name in ("find_next_no", "amounts", "blank_currency", "upper_bound", "row_order"):
            if self._is(0.15):
                chosen[name] = {
                    "find_next_no": "combination",
                    "amounts": "stepwise",
                    "blank_currency": "matches",
                    "upper_bound": "exclusive",
                    "row_order": "record",
                }[name]
        if self._is(0.15):
            codes = [(a.value, i) for a in Relation for i in ("Group", "All")]
            chosen["multiline_off"] = frozenset(self._random.sample(codes, 2))
        if self._is(0.15):
            chosen["total_off"] = frozenset({self._one("Table", "Group", "All")})
        chosen["generic_currency"] = "GBP" if self._is(0.95) else ""
        return PriceRules(**chosen)

    def _item(self, number: str) -> Item:
        return Item(
            number=number,
            name=number,
            base_price=self._number("3.33", "12.5", "40", "99.9"),
            price_unit=self._number("1", "1", "10"),
            multiline_discount_group=self._one("BULK", "BULK", "CABLES", "", ""),
            charges=self._number("0", "0", "2.5"),
            counts_for_total=self._is(0.75),
        )

    def _question(self, book: Book, customer: Customer) -> Question:
        return Question(
            customer=customer,
            item=book.items[self._one(*ITEMS).lower()],
            dimensions=NO_DIMENSIONS,
            unit=self._one("PCS", "PCS", "PCS", "PCS", "PCS", "BOX"),
            quantity=self._number("1", "3", "5", "10", "12.5"),
            currency="EUR",
            on=TODAY,
        )

    def _discount(self, items: dict[Relation, str], group: str, kind: str) -> Discount:
        account = self._random.choice(list(Relation))
        accounts = {
            Relation.TABLE: self._one("C1", "C1", "c1", "C1", "C2"),
            Relation.GROUP: self._one(group, group, group, "OTHER"),
            Relation.ALL: "",
        }
        item = self._random.choice(list(items))
        bounds = ("0", "5", "10", "15") if kind == "quantity" else ("0", "50", "200", "500")
        currency = self._one(*["EUR"] * 12, "GBP", "GBP", "")
        return Discount(
            record_id=self._record_ids.pop(),
            account_code=account,
            account=accounts[account],
            item_code=item,
            item=items[item],
            currency=currency,
            # A line that is refused by itself is in no cart.
            is_generic=group == "ML" and currency == "GBP" and self._is(0.8),
            unit=self._one("", "", "", "PCS", "BOX") if kind == "quantity" else "",
            from_quantity=self._number("0", *bounds),
            to_quantity=self._number("0", "0", *bounds[1:]),
            from_date=self._random.choice([None] * 8 + [TODAY + _DAY]),
            to_date=self._random.choice([None] * 8 + [TODAY - _DAY]),
            percent1=self._number("0", "2", "5", "10"),
            percent2=self._number("0", "0", "3"),
            amount=self._number("0", "0", "0.25", "1"),
            find_next=self._is(0.65),
        )
