"""Prices from F&O's own search, through the X++ service over `PriceDisc`: exact for one quantity.

It gives no breaks and no dates, takes 100 lines a call, and answers every line it was
asked for: a missing one is a fault of the service, not "no price". What it answers oddly, or
with a code that this version does not know, is unusable for that reason and fails no other.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from pricing_proxy.d365.fo.models import LineError, PriceLine
from pricing_proxy.d365.fo.price_calls import (
    MAX_LINES,
    OddLine,
    PricedLines,
    PriceRequest,
    PriceRequestLine,
)
from pricing_proxy.domain.price import (
    UNREADABLE,
    NoPrice,
    NoPriceReason,
    Price,
    Unusable,
    word_of,
)
from pricing_proxy.money import NumberText
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import Customer

_REASONS: dict[str, NoPriceReason] = {
    LineError.ITEM_NOT_FOUND: NoPriceReason.UNKNOWN_SKU,
    LineError.UNIT_NOT_CONVERTIBLE: NoPriceReason.UNKNOWN_UNIT,
    LineError.NOT_FOR_SALE: NoPriceReason.NOT_SOLD,
    LineError.NO_PRICE_FOUND: NoPriceReason.NOT_PRICED,
    LineError.CUSTOMER_NOT_FOUND: NoPriceReason.UNKNOWN_CUSTOMER,
}
_ZERO = NumberText("0")


class PriceCalls(Protocol):
    """The part of the F&O client that asks for prices."""

    async def prices(
        self, request: PriceRequest, *, ticket: Ticket, deadline: Deadline
    ) -> PricedLines:
        """Return what the ERP's price search says about each line."""
        ...


class FoServiceSource:
    """One company's prices; a `prices.ports.PriceSource`.

    Args:
        calls: The F&O client.
        company: The legal entity's id.
        today: Returns the ERP's date.
        max_lines: Lines of one call, at most what the service takes.
    """

    name = "fo_service"
    is_binding = True
    absence_is_no_price = False

    def __init__(
        self,
        calls: PriceCalls,
        *,
        company: str,
        today: Callable[[], date],
        max_lines: int = MAX_LINES,
    ) -> None:
        self.max_lines = min(max_lines, MAX_LINES)
        self._calls = calls
        self._company = company
        self._today = today

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice | Unusable]:
        """Return what the ERP says about the lines; raises `UpstreamError`."""
        request = PriceRequest(
            company=self._company,
            customer=customer.account,
            currency=context.currency,
            day=self._today(),
            lines=tuple(_line(index, line) for index, line in enumerate(wanted)),
        )
        answer = await self._calls.prices(request, ticket=ticket, deadline=deadline)
        said = {ref: _answer(line) for ref, line in answer.lines.items()}
        said |= {ref: _odd(line) for ref, line in answer.odd.items()}
        refs = {str(index): line.key for index, line in enumerate(wanted)}
        return {key: said[ref] for ref, key in refs.items() if ref in said}


def _line(index: int, wanted: Wanted) -> PriceRequestLine:
    quantity = Decimal(wanted.key.quantity)
    return PriceRequestLine.of_item(
        wanted.item, ref=str(index), unit=wanted.key.unit, quantity=quantity
    )


def _odd(line: OddLine) -> NoPrice | Unusable:
    if line is OddLine.IMPLAUSIBLE:
        return NoPrice(NoPriceReason.IMPLAUSIBLE_PRICE)
    reason = UNREADABLE if line is OddLine.UNREADABLE else line.value
    return Unusable(reason, is_stated=False)


def _answer(line: PriceLine) -> Price | NoPrice | Unusable:
    if line.error is not None:
        reason = _REASONS.get(line.error)
        if reason is not None:
            return NoPrice(reason)
        return Unusable(word_of(line.error) or UNREADABLE, is_stated=True)
    if line.unitPrice is None or line.priceUnit is None or line.netAmount is None:
        return Unusable(UNREADABLE, is_stated=False)
    return Price(
        price=line.unitPrice,
        price_unit=line.priceUnit,
        discount_percent=line.lineDiscPercent or _ZERO,
        discount_amount=line.lineDiscAmount or _ZERO,
        charges=line.priceCharges or _ZERO,
        line_total=line.netAmount,
    )
