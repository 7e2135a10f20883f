"""What an item costs a customer at every quantity, or why that cannot be said here."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from pricing_proxy.agreements.fo.checking import RefusalReason
from pricing_proxy.agreements.fo.ladder import Edge, Ladder
from pricing_proxy.agreements.fo.net import LineTerms, exact
from pricing_proxy.agreements.fo.rows import NO_DIMENSIONS, ONE, ItemDimensions


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPrice:
    """A line to price.

    Attributes:
        quantity: Above zero.
        on: The price date, in the ERP's time zone.
        quantity_step: The smallest difference between two quantities of the unit, at which price
            breaks are given: 1 for pieces.
    """

    quantity: Decimal = ONE
    unit: str
    currency: str
    on: date
    dimensions: ItemDimensions = NO_DIMENSIONS
    quantity_step: Decimal = ONE


@dataclass(frozen=True, slots=True)
class LocalRefusal:
    """The line cannot be priced here: the ERP has to be asked.

    Attributes:
        record_id: The row behind it, if it is one row's fault.
        agreement: The sales agreement behind it.
    """

    reason: RefusalReason
    record_id: int | None = None
    agreement: str | None = None


@dataclass(frozen=True, slots=True)
class PriceBreak:
    """What holds from a quantity on, until the next break; None is no price."""

    from_quantity: Decimal
    terms: LineTerms | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalQuote:
    """What an item costs a customer.

    Attributes:
        by_quantity: The terms of every quantity, exactly; None where it has no price.
        breaks: The same at whole quantity steps; between these, ask `at`.
        valid_until: The last day on which this holds, if no agreement is changed; None for ever.
        only_for: The quantity that was asked for, where each has a price of its own: then there
            are no breaks.
    """

    by_quantity: Ladder[LineTerms | None]
    breaks: tuple[PriceBreak, ...]
    valid_until: date | None
    only_for: Decimal | None = None

    def at(self, quantity: Decimal) -> LineTerms | None:
        """Return what holds for a line's quantity; None where it has no price.

        Raises:
            ValueError: It is an answer for another quantity only.
        """
        if self.only_for is not None and quantity != self.only_for:
            raise ValueError(f"only for {self.only_for}, asked for {quantity}")
        return self.by_quantity.at((Fraction(quantity), 0))


def breaks_of(
    by_quantity: Ladder[LineTerms | None], quantity_step: Decimal
) -> tuple[PriceBreak, ...]:
    """Return the terms of all quantities that are whole steps."""
    step = Fraction(quantity_step)
    starts = [_first_step(edge, step) for edge in by_quantity.edges]
    found: list[PriceBreak] = []
    for place, (start, terms) in enumerate(zip(starts, by_quantity.steps, strict=True)):
        # What lies between two neighbouring steps nobody orders.
        is_empty = place + 1 < len(starts) and starts[place + 1] <= start
        if not is_empty and not (found and found[-1].terms == terms):
            found.append(PriceBreak(exact(start), terms))
    return tuple(found)


def _first_step(edge: Edge, step: Fraction) -> Fraction:
    """Return the first whole step from an edge on that is above zero."""
    quantity, is_above = edge
    whole = quantity // step + 1 if is_above else -(-quantity // step)
    return max(whole, 1) * step
