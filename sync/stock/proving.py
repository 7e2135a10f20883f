"""Show on one test order that the measure falls when it enters the ERP, and stays when it leaves.

Whether `OnOrderQuantity` is the whole unreserved demand depends on how an ERP is set up; if it is
not, every order would be sold twice or held back. A person enters the order and delivers it; here
it is only watched: what is free is read before, once the shop has its number, and once the ERP has
delivered all of it. Nothing is written.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

Free = Mapping[str, Decimal]
"""What is free of SKUs in all sources together, in sales units."""


class Stage(StrEnum):
    """How far the test order is."""

    PLACED = "placed"
    """Not in the ERP."""
    ENTERED = "entered"
    DELIVERED = "delivered"


class NotProvableError(Exception):
    """The order is no test of it; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenSku:
    """What was seen of one SKU.

    Attributes:
        ordered: How much of it is ordered.
        before: What was free before the order was in the ERP.
        entered: With the order in it.
        delivered: After its delivery.
    """

    sku: str
    ordered: Decimal
    before: Decimal
    entered: Decimal
    delivered: Decimal

    @property
    def is_right(self) -> bool:
        """Whether the measure fell by what was ordered, and stayed there."""
        return self.before - self.entered == self.ordered and self.delivered == self.entered

    @property
    def fault(self) -> str:
        """What is wrong; empty where nothing is."""
        if self.is_right:
            return ""
        if self.before - self.entered != self.ordered:
            fell = self.before - self.entered
            return f"fell by {fell:f} and not by {self.ordered:f} when the order entered"
        return f"moved by {self.delivered - self.entered:f} when it was delivered"


async def prove(
    ordered: Mapping[str, Decimal],
    *,
    free: Callable[[], Awaitable[Free]],
    stage: Callable[[], Awaitable[Stage]],
    pause: Callable[[], Awaitable[None]],
    tell: Callable[[str], None],
) -> list[ProvenSku]:
    """Return what was seen of each SKU; raises `NotProvableError` and `UpstreamError`.

    Args:
        ordered: What the order has reserved, by SKU.
        free: Reads what is free.
        stage: Looks how far the order is.
        pause: Waits between two looks.
        tell: Says what a person does next.
    """
    if not ordered:
        raise NotProvableError("the shop has nothing reserved for it: place a new order")
    before = await free()
    # Asked after the reading, which is of before only if it still is.
    if await stage() is not Stage.PLACED:
        raise NotProvableError(
            "it is in the ERP already: pause orders first, place a new one, and begin with that"
        )
    if missing := [sku for sku in ordered if sku not in before]:
        raise NotProvableError(f"the ERP has no stock of {', '.join(missing)}: order another item")
    tell("Read. Now let the order into the ERP: d365-sync resume orders")
    await _reach({Stage.ENTERED, Stage.DELIVERED}, stage, pause)
    entered = await free()
    tell("Entered, and read again. Now deliver all of it in the ERP: post its packing slip")
    await _reach({Stage.DELIVERED}, stage, pause)
    delivered = await free()
    return [
        _proven(sku, quantity, before[sku], entered, delivered) for sku, quantity in ordered.items()
    ]


def _proven(
    sku: str, ordered: Decimal, before: Decimal, entered: Free, delivered: Free
) -> ProvenSku:
    return ProvenSku(
        sku=sku,
        ordered=ordered,
        before=before,
        entered=entered.get(sku, Decimal(0)),
        delivered=delivered.get(sku, Decimal(0)),
    )


async def _reach(
    wanted: set[Stage],
    stage: Callable[[], Awaitable[Stage]],
    pause: Callable[[], Awaitable[None]],
) -> None:
    while await stage() not in wanted:
        await pause()
