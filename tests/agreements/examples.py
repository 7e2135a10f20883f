"""One item, one customer and a few rows, for tests that say each number."""

from datetime import date
from decimal import Decimal
from typing import Any

from pricing_proxy.agreements.fo.net import LineTerms
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalQuote, LocalRefusal
from pricing_proxy.agreements.fo.rows import (
    AgreedDiscount,
    AgreedPrice,
    PricedCustomer,
    PricedItem,
)
from pricing_proxy.agreements.fo.rules import PricingTerms, SearchRules
from tests.agreements.both_sides import OurSide

TODAY = date(2026, 11, 30)
LAMP = PricedItem(
    number="LAMP",
    sales_unit="PCS",
    inventory_unit="PCS",
    base_price=Decimal(50),
    line_discount_group="LAMPS",
)
CUSTOMER = PricedCustomer(account="C1", price_group="B2B", line_discount_group="LD")
TERMS = PricingTerms(currency="EUR", rates={"USD": Decimal(2), "GBP": Decimal("0.5")})


def price(amount: str = "10", record_id: int = 1, **more: Any) -> AgreedPrice:
    """Return a price for everybody, after which wider ones are looked at."""
    terms = {"item": "LAMP", "unit": "PCS", "currency": "EUR", "find_next": True, **more}
    return AgreedPrice(record_id=record_id, price=Decimal(amount), **numbers(terms))


def discount(percent: str = "5", record_id: int = 1, **more: Any) -> AgreedDiscount:
    """Return a line discount for everybody and everything, after which others are added."""
    terms = {"currency": "EUR", "find_next": True, **more}
    return AgreedDiscount(record_id=record_id, percent1=Decimal(percent), **numbers(terms))


def numbers(terms: dict[str, Any]) -> dict[str, Any]:
    """Return terms with whole numbers as decimals."""
    return {name: Decimal(value) if type(value) is int else value for name, value in terms.items()}


def side(
    *rows: AgreedPrice | AgreedDiscount,
    item: PricedItem = LAMP,
    customer: PricedCustomer = CUSTOMER,
    terms: PricingTerms = TERMS,
    rules: SearchRules | None = None,
    quantity: str = "1",
    **asked: Any,
) -> OurSide:
    """Return what is asked: a piece of the lamp for the customer, today, in euros."""
    if rules is not None:
        terms = PricingTerms(currency=terms.currency, rates=terms.rates, rules=rules)
    line = {"unit": "PCS", "currency": "EUR", "on": TODAY, **asked}
    return OurSide(
        item=item,
        customer=customer,
        terms=terms,
        prices=tuple(row for row in rows if isinstance(row, AgreedPrice)),
        discounts=tuple(row for row in rows if isinstance(row, AgreedDiscount)),
        asked=AskedPrice(quantity=Decimal(quantity), **line),
    )


def quote(*rows: AgreedPrice | AgreedDiscount, **asked: Any) -> LocalQuote:
    """Return an answer that is no refusal."""
    found = side(*rows, **asked).quote()
    assert isinstance(found, LocalQuote)
    return found


def refusal(*rows: AgreedPrice | AgreedDiscount, **asked: Any) -> LocalRefusal:
    """Return the refusal of what cannot be priced here."""
    found = side(*rows, **asked).quote()
    assert isinstance(found, LocalRefusal)
    return found


def line(*rows: AgreedPrice | AgreedDiscount, quantity: str = "1", **asked: Any) -> LineTerms:
    """Return what holds for a quantity that has a price."""
    found = quote(*rows, quantity=quantity, **asked).at(Decimal(quantity))
    assert found is not None
    return found


def paid(*rows: AgreedPrice | AgreedDiscount, **asked: Any) -> Decimal:
    """Return the price of one unit before discounts."""
    found = line(*rows, **asked)
    return found.price / found.price_unit
