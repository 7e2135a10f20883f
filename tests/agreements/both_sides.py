"""The same book of agreements for the simulated ERP and for the local calculation.

Only the values are carried over: each side has its own words, and calculates on its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any

from pricing_proxy.agreements.fo import rules as ours
from pricing_proxy.agreements.fo.cart import PricedCart, price_cart
from pricing_proxy.agreements.fo.cart_lines import AskedCart, CartRows, LocalCartLine
from pricing_proxy.agreements.fo.price_list import PriceList, discount_rows_of, price_rows_of
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalQuote, LocalRefusal
from pricing_proxy.agreements.fo.rows import (
    EVERYBODY,
    AgreedDiscount,
    AgreedPrice,
    Code,
    ItemDimensions,
    PricedCustomer,
    PricedItem,
)
from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.book import (
    Book,
    Customer,
    Dimensions,
    Discount,
    Item,
    PriceAgreement,
    Relation,
)
from pricing_proxy.sandbox.discount_search import Policy
from pricing_proxy.sandbox.price_rules import PriceRules

CODES = {Relation.TABLE: Code.TABLE, Relation.GROUP: Code.GROUP, Relation.ALL: Code.ALL}
POLICIES = {
    Policy.LINE: ours.DiscountPolicy.LINE,
    Policy.MULTILINE: ours.DiscountPolicy.MULTILINE,
    Policy.MAX: ours.DiscountPolicy.MAX,
    Policy.MIN: ours.DiscountPolicy.MIN,
    Policy.LINE_PLUS_MULTILINE: ours.DiscountPolicy.LINE_PLUS_MULTILINE,
    Policy.LINE_TIMES_MULTILINE: ours.DiscountPolicy.LINE_TIMES_MULTILINE,
}
ANSWERS: dict[str, dict[str, Any]] = {
    "find_next_no": {
        "search": ours.FindNextNo.ENDS_SEARCH,
        "combination": ours.FindNextNo.ENDS_COMBINATION,
    },
    "row_order": {"from_quantity": ours.RowOrder.QUANTITY, "record": ours.RowOrder.RECORD},
    "zero_price": {
        "ends": ours.ZeroPrice.ENDS,
        "ignored": ours.ZeroPrice.IGNORED,
        "counts": ours.ZeroPrice.COUNTS,
    },
    "zero_base_price": {"none": ours.ZeroBasePrice.NO_PRICE, "free": ours.ZeroBasePrice.FREE},
    "dimensions": {
        "filter": ours.DimensionMatch.ALL_THAT_FIT,
        "specific": ours.DimensionMatch.MOST_SPECIFIC,
    },
    "other_unit": {
        "converted": ours.OtherUnit.CONVERTED_QUANTITY,
        "requested": ours.OtherUnit.REQUESTED_QUANTITY,
        "none": ours.OtherUnit.NONE,
    },
    "upper_bound": {
        "inclusive": ours.UpperBound.INCLUSIVE,
        "exclusive": ours.UpperBound.EXCLUSIVE,
    },
    "amounts": {
        "first": ours.AmountsInProduct.FIRST,
        "stepwise": ours.AmountsInProduct.STEPWISE,
    },
    "multiline_for_all": {
        "without_group": ours.MultilineForAll.WITHOUT_GROUP,
        "unmatched": ours.MultilineForAll.UNMATCHED,
        "every_line": ours.MultilineForAll.EVERY_LINE,
    },
    "total_rest": {"last": ours.TotalRest.LAST_LINE, "largest": ours.TotalRest.LARGEST_LINE},
    "blank_currency": {"equal": ours.BlankCurrency.NONE, "matches": ours.BlankCurrency.ANY},
    "charges_over": {
        "charges_quantity": ours.ChargesSpread.CHARGES_QUANTITY,
        "line_quantity": ours.ChargesSpread.LINE_QUANTITY,
    },
}
"""The open questions: the simulated ERP's word for each answer, and ours."""

OUR_NAMES = {"amounts": "amounts_in_product", "charges_over": "charges_spread"}


@dataclass(frozen=True, kw_only=True)
class OurSide:
    """What the local calculation gets."""

    item: PricedItem
    customer: PricedCustomer
    terms: ours.PricingTerms
    prices: tuple[AgreedPrice, ...]
    discounts: tuple[AgreedDiscount, ...]
    asked: AskedPrice

    def price_list(self) -> PriceList:
        """Return the item's price list."""
        prices = price_rows_of(self.prices, self.item, self.terms)
        lists = []
        for party in self.item.parties():
            rows = [row for row in self.discounts if row.item_party == party]
            lists.append(discount_rows_of(rows, party, self.terms) if party else None)
        own, group, everything = lists
        return PriceList(self.item, self.terms, prices=prices, discounts=(own, group, everything))

    def quote(self) -> LocalQuote | LocalRefusal:
        """Return what the item costs the customer."""
        return self.price_list().quote(self.customer, self.asked)


@dataclass(frozen=True, kw_only=True)
class OurCart:
    """What the local calculation of a cart gets."""

    lines: tuple[OurSide, ...]
    multiline: tuple[AgreedDiscount, ...]
    totals: tuple[AgreedDiscount, ...]

    @property
    def terms(self) -> ours.PricingTerms:
        """What holds for the company."""
        return self.lines[0].terms

    def rows(self) -> CartRows:
        """Return the discounts of carts, ready to be searched."""
        parties = {row.item_party for row in self.multiline}
        return CartRows(
            multiline={
                party: discount_rows_of(
                    [row for row in self.multiline if row.item_party == party], party, self.terms
                )
                for party in parties
            },
            total=discount_rows_of(self.totals, EVERYBODY, self.terms) if self.totals else None,
        )

    def asked(self) -> AskedCart:
        """Return the cart, each line priced by itself; all of them have prices."""
        first = self.lines[0]
        return AskedCart(
            lines=tuple(map(_cart_line, self.lines)),
            customer=first.customer,
            currency=first.asked.currency,
            on=first.asked.on,
        )

    def priced(self) -> PricedCart | LocalRefusal:
        """Return what the cart costs."""
        return price_cart(self.asked(), self.rows(), self.terms)


def _cart_line(side: OurSide) -> LocalCartLine:
    quote = side.quote()
    assert isinstance(quote, LocalQuote)
    terms = quote.at(side.asked.quantity)
    assert terms is not None
    return LocalCartLine(
        item=side.item, unit=side.asked.unit, quantity=side.asked.quantity, terms=terms
    )


def our_cart(book: Book, questions: Iterable[Question], policy: Policy) -> OurCart:
    """Return a book and a cart as the local calculation gets them."""
    return OurCart(
        lines=tuple(our_side(book, question, policy) for question in questions),
        multiline=tuple(our_discounts(book.multiline_discounts)),
        totals=tuple(our_discounts(book.total_discounts)),
    )


def our_side(book: Book, question: Question, policy: Policy = Policy.LINE) -> OurSide:
    """Return a book and a question as the local calculation gets them."""
    return OurSide(
        item=our_item(book, question.item),
        customer=our_customer(question.customer),
        terms=our_terms(book, policy),
        prices=tuple(
            our_price(row) for row in book.price_rows() if row.item == question.item.number
        ),
        discounts=tuple(our_discounts(chain.from_iterable(book.line_discounts.values()))),
        asked=AskedPrice(
            quantity=question.quantity,
            unit=question.unit,
            currency=question.currency,
            on=question.on,
            dimensions=our_dimensions(question.dimensions),
        ),
    )


def our_item(book: Book, item: Item) -> PricedItem:
    """Return an item with the conversions that count for it."""
    general = book.conversions.get("", [])
    own = book.conversions.get(item.number.casefold(), [])
    return PricedItem(
        number=item.number,
        sales_unit=item.sales_unit,
        inventory_unit=item.inventory_unit,
        base_price=item.base_price,
        base_price_unit=item.price_unit,
        charges=item.charges,
        charges_included=item.charges_included,
        charges_quantity=item.charges_quantity,
        line_discount_group=item.line_discount_group,
        multiline_discount_group=item.multiline_discount_group,
        counts_for_total=item.counts_for_total,
        conversions={
            (rule.source, rule.target): Fraction(rule.numerator, rule.denominator)
            for rule in (*general, *own)
        },
    )


def our_customer(customer: Customer) -> PricedCustomer:
    """Return a customer."""
    return PricedCustomer(
        account=customer.account,
        price_group=customer.price_group,
        line_discount_group=customer.line_discount_group,
        multiline_discount_group=customer.multiline_discount_group,
        total_discount_group=customer.total_discount_group,
    )


def our_terms(book: Book, policy: Policy) -> ours.PricingTerms:
    """Return what holds for a book's company."""
    off, multiline_off = (
        {(Code(a.lower()), Code(i.lower())) for a, i in pairs}
        for pairs in (book.rules.discounts_off, book.rules.multiline_off)
    )
    prices_off, total_off = (
        {Code(each.lower()) for each in codes}
        for codes in (book.rules.prices_off, book.rules.total_off)
    )
    return ours.PricingTerms(
        currency=book.currency,
        rates=book.rates,
        rules=our_rules(book.rules),
        switches=ours.Switches(
            price=frozenset(Code) - prices_off,
            line_discount=ours.Switches().line_discount - off,
            multiline_discount=ours.Switches().multiline_discount - multiline_off,
            total_discount=frozenset(Code) - total_off,
        ),
        policy=POLICIES[policy],
        generic_currency=book.rules.generic_currency or None,
    )


def our_rules(rules: PriceRules) -> ours.SearchRules:
    """Return the answers to the open questions."""
    answers = {
        OUR_NAMES.get(name, name): words[getattr(rules, name)] for name, words in ANSWERS.items()
    }
    return ours.SearchRules(
        **answers,
        price_rounding=_rounding(rules.price_rounding),
        line_rounding=_rounding(rules.line_rounding),
    )


def _rounding(rule: tuple[Decimal, str] | None) -> ours.AmountRounding | None:
    return rule and ours.AmountRounding(rule[0], ours.RoundingMethod(rule[1]))


def our_price(row: PriceAgreement) -> AgreedPrice:
    """Return a price row."""
    return AgreedPrice(
        **_shared(row),
        item=row.item,
        price=row.price,
        price_unit=row.price_unit,
        charges=row.charges,
    )


def our_discounts(rows: Iterable[Discount]) -> Iterable[AgreedDiscount]:
    """Yield discount rows."""
    for row in rows:
        yield AgreedDiscount(
            **_shared(row),
            item=row.item if row.item_code is Relation.TABLE else "",
            item_group=row.item if row.item_code is Relation.GROUP else "",
            percent1=row.percent1,
            percent2=row.percent2,
            amount=row.amount,
        )


def our_dimensions(dimensions: Dimensions) -> ItemDimensions:
    """Return dimensions."""
    names = ItemDimensions._fields
    return ItemDimensions(**{name: getattr(dimensions, name) for name in names})


def _shared(row: PriceAgreement | Discount) -> dict[str, Any]:
    return {
        "record_id": row.record_id,
        "account": row.account if row.account_code is Relation.TABLE else "",
        "group": row.account if row.account_code is Relation.GROUP else "",
        "currency": row.currency,
        "unit": row.unit,
        "from_quantity": row.from_quantity,
        "to_quantity": row.to_quantity,
        "from_date": row.from_date,
        "to_date": row.to_date,
        "find_next": row.find_next,
        "is_generic": row.is_generic,
        "dimensions": our_dimensions(row.dimensions),
    }
