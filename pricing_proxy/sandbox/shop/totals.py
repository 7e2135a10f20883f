"""Tax, discount and shipping of an order line by line, as Magento computes them per row.

Prices exclude tax or include it; with taxes included, a discount is gross and its tax
part is kept apart (`compensation`). Tax and discount are rounded to cents; the row itself, of a
fraction of a unit, keeps the four decimals of the database. Rounding is half up. Pure.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")
_FOUR_DIGITS = Decimal("0.0001")
_HUNDRED = Decimal(100)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What a line, or the shipping, comes to.

    Attributes:
        unit_net: Net price of one, cents.
        unit_gross: Gross price of one.
        net: Net before discount.
        discount: Positive; gross when prices include tax.
        tax: After discount.
        compensation: The tax part of the discount, when prices include tax.
        rate: Percent.
    """

    unit_net: Decimal
    unit_gross: Decimal
    net: Decimal
    discount: Decimal
    tax: Decimal
    compensation: Decimal
    rate: Decimal

    @property
    def net_after_discount(self) -> Decimal:
        """`row_total` of an order's line, which is never below zero."""
        return max(ZERO, self.net - self.discount)

    @property
    def gross(self) -> Decimal:
        """Gross after discount."""
        return self.net - self.discount + self.tax + self.compensation


def cents(amount: Decimal) -> Decimal:
    """Return an amount rounded to cents."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def amounts(
    unit_price: Decimal,
    quantity: Decimal,
    *,
    rate: Decimal,
    discount_percent: Decimal,
    includes_tax: bool,
) -> Amounts:
    """Return what `quantity` units at `unit_price` come to."""
    row = unit_price * quantity
    if row != cents(row):
        row = row.quantize(_FOUR_DIGITS, ROUND_HALF_UP)
    discount = cents(row * discount_percent / _HUNDRED)
    if not includes_tax:
        return Amounts(
            unit_net=unit_price,
            unit_gross=cents(unit_price * (1 + rate / _HUNDRED)),
            net=row,
            discount=discount,
            tax=cents((row - discount) * rate / _HUNDRED),
            compensation=ZERO,
            rate=rate,
        )
    contained = rate / (_HUNDRED + rate)
    full_tax, tax = cents(row * contained), cents((row - discount) * contained)
    net = row - full_tax
    return Amounts(
        unit_net=cents(net / quantity) if quantity else ZERO,
        unit_gross=unit_price,
        net=net,
        discount=discount,
        tax=tax,
        compensation=full_tax - tax,
        rate=rate,
    )


NOTHING = Amounts(
    unit_net=ZERO,
    unit_gross=ZERO,
    net=ZERO,
    discount=ZERO,
    tax=ZERO,
    compensation=ZERO,
    rate=ZERO,
)


def total(parts: list[Amounts]) -> Amounts:
    """Return the sums of several lines; prices and rate of a sum mean nothing and are 0."""
    return Amounts(
        unit_net=ZERO,
        unit_gross=ZERO,
        net=sum((one.net for one in parts), ZERO),
        discount=sum((one.discount for one in parts), ZERO),
        tax=sum((one.tax for one in parts), ZERO),
        compensation=sum((one.compensation for one in parts), ZERO),
        rate=ZERO,
    )
