"""What the ERP did with an order comes into the shop: one event for each thing that happened.

All slips of an order have one lock, so that of two each finds what the other has shipped. Parcels
and steps have locks of their own: one that is held keeps nothing else of its order waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.order_status.facts import PARCEL, fact_of
from sync.order_status.parcel_carrier import ParcelCarrier
from sync.order_status.rules import FLOW
from sync.order_status.slip_carrier import SlipCarrier
from sync.order_status.step_carrier import StepCarrier
from sync.order_status.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMarket:
    """What carries one market's facts."""

    slips: SlipCarrier
    parcels: ParcelCarrier
    steps: StepCarrier


class OrderStatusFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        markets: By code.
    """

    name = FLOW

    def __init__(self, markets: Mapping[str, StatusMarket]) -> None:
        self._markets = markets

    async def carry(self, work: Work) -> Done:
        """Bring one fact over; raises the engine's outcomes and `UpstreamError`."""
        market, fact = self._markets[work.event.market], fact_of(work.event)
        if isinstance(fact, Step):
            return await market.steps.carry(work, fact)
        if fact.kind == PARCEL:
            return await market.parcels.carry(work, fact)
        return await market.slips.carry(work, fact)
