"""Order status and invoices at work beside each other, on orders from their slips to their credits.

Everything between the two systems is the program's, as in the worlds that this one joins.
"""

from sync.store.states import EventState
from tests.fakes.billing_world import Billed, BillingWorld
from tests.fakes.fulfilment_world import FulfilmentWorld
from tests.fakes.memory_engine import Entered


class OrderLifeWorld(BillingWorld):
    """Two systems, and both flows that tell the shop what became of its orders."""

    def new_process(self) -> None:
        """Begin anew, with what is kept."""
        FulfilmentWorld.new_process(self)
        status = self.engine.flows
        super().new_process()
        self.engine.flows = {**status, **self.engine.flows}

    async def look(self) -> None:
        """Let schedules run once."""
        await FulfilmentWorld.look(self)
        await super().look()

    def enter(self, order_id: int) -> Billed:
        """Have an order of the shop in the ERP; one lot stands on its slips and on its bills."""
        billed = super().enter(order_id)
        self.erp.order(billed.erp_number)
        for lot in filter(None, (*billed.lots, billed.freight)):
            line = self.bills.lines[lot]
            self.erp.line(line.order, line.reference, quantity=line.quantity, lot=lot)
        return billed

    def happened(self, billed: Billed) -> list[Entered]:
        """Return all events of an order, of either flow."""
        its = str(billed.order)
        return [each for each in self.engine.entered.values() if each.event.document_id == its]

    async def carry(self, billed: Billed) -> None:
        """Let all of it be carried: nothing may wait, be held, or be told to a person."""
        await self.settle(4)
        for each in self.happened(billed):
            assert each.state is EventState.DONE, each.reason
            assert each.caution is None, each.caution
