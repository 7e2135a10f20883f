"""Prices from F&O's own search, through the X++ service over `PriceDisc`: exact for one quantity.

It gives no breaks and no dates, takes 100 lines a call, and answers every line it was
asked for: a missing one is a fault of the service, not "no price".
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from pricing_proxy.d365.fo.models import LineError, PriceLine
from pricing_proxy.d365.fo.price_calls import (
    MAX_LINES,
    PricedLines,
    PriceRequest,
    PriceRequestLine,
)
from pricing_proxy.domain.price import NoPrice, NoPriceReason, Price
from pricing_proxy.money import NumberText
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import Customer

_REASONS = {
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
    ) -> Mapping[Key, Price | NoPrice]:
        """Return what the ERP says about the lines; raises `UpstreamError`."""
        request = PriceRequest(
            company=self._company,
            customer=customer.account,
            currency=context.currency,
            day=self._today(),
            lines=tuple(_line(index, line) for index, line in enumerate(wanted)),
        )
        answer = await self._calls.prices(request, ticket=ticket, deadline=deadline)
        found = {
            line.key: _answer(priced)
            for index, line in enumerate(wanted)
            if (priced := answer.lines.get(str(index))) is not None
        }
        return {key: said for key, said in found.items() if said is not None}


def _line(index: int, wanted: Wanted) -> PriceRequestLine:
    quantity = Decimal(wanted.key.quantity)
    return PriceRequestLine.of_item(
        wanted.item, ref=str(index), unit=wanted.key.unit, quantity=quantity
    )


def _answer(line: PriceLine) -> Price | NoPrice | None:
    """Return what the line says; None when it says nothing we can rely on."""
    if line.error is not None:
        reason = _REASONS.get(line.error)
        return None if reason is None else NoPrice(reason)
    if line.unitPrice is None or line.priceUnit is None or line.netAmount is None:
        return None
    if line.netAmount.value < 0:
        # No price list says so; a defect in the ERP must not become a discount in the shop.
        return None
    return Price(
        price=line.unitPrice,
        price_unit=line.priceUnit,
        discount_percent=line.lineDiscPercent or _ZERO,
        discount_amount=line.lineDiscAmount or _ZERO,
        charges=line.priceCharges or _ZERO,
        line_total=line.netAmount,
    )
