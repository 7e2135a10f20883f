"""What a line costs: price, discounts by the policy, charges; and decimals of exact numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import reduce

from pricing_proxy.agreements.fo.rows import ZERO
from pricing_proxy.agreements.fo.rules import (
    AmountRounding,
    AmountsInProduct,
    DiscountPolicy,
    PricingTerms,
)

# F&O keeps six decimals; only a quotient without an end is ever cut to them.
_STORED = Decimal("0.000001")
# Wide enough that no amount of money and no quotient with an end is rounded.
_EXACT = Context(prec=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummedDiscount:
    """What discount rows add up to.

    Attributes:
        percent1: In percent, as `percent2`, which is taken of what `percent1` leaves.
        amount: Of money per price unit, in the document's currency.
        record_ids: The rows behind it, in the order in which they were found.
    """

    percent1: Decimal = ZERO
    percent2: Decimal = ZERO
    amount: Decimal = ZERO
    record_ids: tuple[int, ...] = ()

    @property
    def left(self) -> Fraction:
        """The share of a price that the percentages leave."""
        return (1 - Fraction(self.percent1) / 100) * (1 - Fraction(self.percent2) / 100)

    @property
    def percent(self) -> Decimal:
        """Both percentages as one, such as 3.96 for 2 and 2."""
        return exact((1 - self.left) * 100)


NO_DISCOUNT = SummedDiscount()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTerms:
    """What holds for lines of some quantities: price, discount, and the rows behind them.

    Attributes:
        price: Of `price_unit` of the asked unit, in the asked currency.
        charges: Of a whole line.
        price_row: The agreement's record id; None for the item's base price.
        discount: The line discount.
    """

    price: Decimal
    price_unit: Decimal
    charges: Decimal
    price_row: int | None
    discount: SummedDiscount

    def unit_net(self, terms: PricingTerms, multiline: SummedDiscount = NO_DISCOUNT) -> Fraction:
        """Return the price of one unit after discounts, without charges of the line.

        Args:
            terms: Its policy says how line and multiline discount combine.
            multiline: What a cart's multiline discounts add up to for this line.
        """
        return _unit_net(self, multiline, terms.policy, terms.rules.amounts_in_product)

    def line_net(
        self, quantity: Decimal, terms: PricingTerms, multiline: SummedDiscount = NO_DISCOUNT
    ) -> Fraction:
        """Return what a line costs, rounded where the rules say so."""
        net = Fraction(quantity) * self.unit_net(terms, multiline) + Fraction(self.charges)
        return rounded(net, terms.rules.line_rounding)


def rounded(amount: Fraction, rule: AmountRounding | None) -> Fraction:
    """Return an amount by a rule; without one as it is."""
    return amount if rule is None else Fraction(rule.apply(amount))


def exact(number: Fraction) -> Decimal:
    """Return a fraction as a decimal: exact where it has an end, else with six decimals."""
    quotient = _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))
    if Fraction(quotient) == number:
        return quotient
    return quotient.quantize(_STORED, rounding=ROUND_HALF_UP, context=_EXACT)


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum, exactly."""
    return reduce(_EXACT.add, amounts, ZERO)


def scaled(amount: Decimal, factor: Fraction) -> Decimal:
    """Return amount times factor; a whole factor keeps the amount's decimals."""
    if factor.denominator == 1:
        return _EXACT.multiply(amount, Decimal(factor.numerator))
    return exact(Fraction(amount) * factor)


def _unit_net(
    line: LineTerms, multiline: SummedDiscount, policy: DiscountPolicy, amounts: AmountsInProduct
) -> Fraction:
    own = line.discount
    match policy:
        case DiscountPolicy.LINE:
            return _reduced(line, own.amount, own.left)
        case DiscountPolicy.MULTILINE:
            return _reduced(line, multiline.amount, multiline.left)
        case DiscountPolicy.MAX | DiscountPolicy.MIN:
            nets = (
                _reduced(line, own.amount, own.left),
                _reduced(line, multiline.amount, multiline.left),
            )
            return min(nets) if policy is DiscountPolicy.MAX else max(nets)
        case DiscountPolicy.LINE_PLUS_MULTILINE:
            return _reduced(line, own.amount + multiline.amount, own.left + multiline.left - 1)
        case DiscountPolicy.LINE_TIMES_MULTILINE if amounts is AmountsInProduct.FIRST:
            return _reduced(line, own.amount + multiline.amount, own.left * multiline.left)
    # One after the other: the multiline's amount comes off what the line discount leaves.
    after_line = _reduced(line, own.amount, own.left)
    amount = Fraction(multiline.amount) / Fraction(line.price_unit)
    return (after_line - amount) * multiline.left


def _reduced(line: LineTerms, amount: Decimal, left: Fraction) -> Fraction:
    """Return the price of one unit: the amount comes off the price unit, before percentages."""
    return (Fraction(line.price) - Fraction(amount)) / Fraction(line.price_unit) * left
