"""Which prices can be right: a slip in the ERP must not become a bargain in the shop. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimits:
    """What a unit price may be; nothing below zero ever is one.

    Attributes:
        lowest: The lowest price of one unit, in the answer's currency; None for anything above
            zero. With 0, things may be free.
        highest: The highest one; None for no limit.
    """

    lowest: Decimal | None = None
    highest: Decimal | None = None

    def admit(
        self, *, price: Decimal, price_unit: Decimal, line_total: Decimal, quantity: Decimal
    ) -> bool:
        """Return whether a price may be shown.

        Args:
            price: Price of `price_unit` units, before discounts and charges.
            price_unit: How many units `price` is for.
            line_total: What the whole line costs.
            quantity: What `line_total` is for; above zero.
        """
        if price < 0 or price_unit <= 0:
            return False
        # Compared exactly: a rounded price could pass where the real one does not.
        unit_price = Fraction(line_total) / Fraction(quantity)
        if unit_price < 0 or (self.lowest is None and unit_price == 0):
            return False
        is_too_low = self.lowest is not None and unit_price < Fraction(self.lowest)
        is_too_high = self.highest is not None and unit_price > Fraction(self.highest)
        return not is_too_low and not is_too_high
