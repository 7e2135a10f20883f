"""What a cart costs as a whole: multiline discounts of its lines, then a total discount.

A multiline discount depends on how much of a group of items the cart holds; how it combines with
a line's own discount the policy says. The total discount comes last, of what is then left of the
lines that take part. The search is that of line discounts (`discount_search`).
"""

from dataclasses import dataclass
from fractions import Fraction

from pricing_proxy.agreements.fo.cart_lines import AskedCart, CartRows
from pricing_proxy.agreements.fo.multiline import multiline_discounts
from pricing_proxy.agreements.fo.net import SummedDiscount
from pricing_proxy.agreements.fo.quote import LocalRefusal
from pricing_proxy.agreements.fo.rules import PricingTerms
from pricing_proxy.agreements.fo.total import shares_of, total_discount


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCartLine:
    """What a line costs within its cart.

    Attributes:
        multiline: What multiline discounts add up to for it.
        net: After line and multiline discount, with its charges.
        total_discount: Its part of the total discount, which is still to be taken off.
    """

    multiline: SummedDiscount
    net: Fraction
    total_discount: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCart:
    """What a cart costs: its lines in their order, and the total discount that they share."""

    lines: tuple[PricedCartLine, ...]
    total_discount: SummedDiscount


def price_cart(asked: AskedCart, rows: CartRows, terms: PricingTerms) -> PricedCart | LocalRefusal:
    """Return what a cart costs, or why that is not known here."""
    multiline = multiline_discounts(asked, rows, terms)
    if isinstance(multiline, LocalRefusal):
        return multiline
    nets = [
        line.terms.line_net(line.quantity, terms, discount)
        for line, discount in zip(asked.lines, multiline, strict=True)
    ]
    total = total_discount(asked, rows.total, terms, nets)
    if isinstance(total, LocalRefusal):
        return total
    shares = shares_of(total, asked.lines, nets, terms.rules)
    return PricedCart(
        lines=tuple(
            PricedCartLine(multiline=discount, net=net, total_discount=share)
            for discount, net, share in zip(multiline, nets, shares, strict=True)
        ),
        total_discount=total,
    )
