"""What the ERP computes of an order: the amount of a line, and the totals of the header.

The amount of a line is always computed from price and discounts, as F&O does by
default since 10.0.29. Tax rates stand in the digits at the end of a line's item tax
group ("VAT19" is 19 %), or else of its tax group; without digits there is no tax. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from pricing_proxy.sandbox.row_values import Row

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)
_RATE = re.compile(r"\d{1,2}$")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The totals of an order."""

    amount: Decimal
    tax: Decimal
    discount: Decimal


def line_amount(line: Row) -> Decimal:
    """Return the net amount of a line, in cents."""
    unit = line["SalesPriceQuantity"] or Decimal(1)
    price = (
        line["SalesPrice"] - line["LineDiscountAmount"] - line["MultilineDiscountAmount"]
    ) / unit
    share = (1 - line["LineDiscountPercentage"] / _HUNDRED) * (
        1 - line["MultilineDiscountPercentage"] / _HUNDRED
    )
    return _cents(line["OrderedSalesQuantity"] * price * share + line["FixedPriceCharges"])


def order_totals(lines: Iterable[Row], *, tax_included: bool, rounding: str) -> Totals:
    """Return the totals of lines.

    Args:
        lines: All of the order's.
        tax_included: Whether their amounts include tax.
        rounding: Of tax: "line", or "total" for once of each rate.
    """
    taxed: list[tuple[Decimal, Decimal]] = []
    lines_amount = gross = _ZERO
    for line in lines:
        taxed.append((_tax_rate(line), line["LineAmount"]))
        lines_amount += line["LineAmount"]
        unit = line["SalesPriceQuantity"] or Decimal(1)
        gross += line["OrderedSalesQuantity"] * line["SalesPrice"] / unit
    if rounding == "total":
        taxed = _by_rate(taxed)
    tax = sum((_tax(amount, rate, tax_included) for rate, amount in taxed), _ZERO)
    return Totals(
        amount=lines_amount if tax_included else lines_amount + tax,
        tax=tax,
        discount=max(_ZERO, _cents(gross - lines_amount)),
    )


def _by_rate(taxed: Iterable[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    amounts: dict[Decimal, Decimal] = {}
    for rate, amount in taxed:
        amounts[rate] = amounts.get(rate, _ZERO) + amount
    return list(amounts.items())


def _tax(amount: Decimal, rate: Decimal, tax_included: bool) -> Decimal:  # noqa: FBT001 - as the field says
    part = rate / (_HUNDRED + rate) if tax_included else rate / _HUNDRED
    return _cents(amount * part)


def _tax_rate(line: Row) -> Decimal:
    for field in ("SalesTaxItemGroupCode", "SalesTaxGroupCode"):
        found = _RATE.search(line[field])
        if found is not None:
            return Decimal(found[0])
    return _ZERO


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
