"""A step of an order in the ERP becomes a comment of the shop's order, and a status of its state.

    a status, or the confirmed day of shipping    comment and status, as configured
    cancelled                                     `cancelling`
    lines that changed                            `line_changes`
    a status that nobody knows                    held, with the entry to add
    the shop holds the order                      waits; a hold is a person's

An event tells its own step, however late; the order's status is given only while the ERP still
says so.
"""

from collections.abc import Mapping
from datetime import date

from sync.engine.flow import Work
from sync.engine.outcomes import Caution, Done, HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.engine.writes import Doubts
from sync.order_status.cancelling import Canceller
from sync.order_status.kept_lines import CANCELED
from sync.order_status.line_changes import LineChanges
from sync.order_status.notes import OrderNotes
from sync.order_status.ports import ErpProgress
from sync.order_status.rules import FLOW, Notice, OrderStatusRules
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.steps import LINES, SHIPS_ON, STATUS, Step, status_of
from sync.papers.shop_states import check_not_held, is_ended

USUAL: Mapping[str, Notice] = {
    "Confirmed": Notice(comment="The order is confirmed."),
    "Picked": Notice(comment="Picking has started."),
    CANCELED: Notice(comment="The order is cancelled."),
}
"""What is told where the configuration says nothing."""


class StepCarrier:
    """Carries the steps of one market's orders.

    Args:
        erp: The market's.
        company: Its company.
        market: Its code.
        rules: Its rules.
        orders: The shop's orders.
        notes: Writes on them.
        canceller: Cancels them.
        lines: Compares their lines.
    """

    def __init__(
        self,
        erp: ErpProgress,
        *,
        company: str,
        market: str,
        rules: OrderStatusRules,
        orders: ShopOrderReader,
        notes: OrderNotes,
        canceller: Canceller,
        lines: LineChanges,
    ) -> None:
        self._erp = erp
        self._company = company
        self._market = market
        self._rules = rules
        self._notices = {**USUAL, **rules.progress}
        self._orders = orders
        self._notes = notes
        self._canceller = canceller
        self._lines = lines

    async def carry(self, work: Work, step: Step) -> Done:
        """Tell a step; raises the engine's outcomes and `UpstreamError`."""
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work)
        if step.kind == LINES:
            if await self._status(step) == CANCELED:
                return Done("the ERP cancelled the whole order")
            return await self._lines.carry(work, doubts, step)
        if step.kind == STATUS and step.told == CANCELED:
            if await self._status(step) != CANCELED:
                return Done("the ERP goes on with it")
            return await self._canceller.carry(work, doubts, step, self._notice(step))
        return await self._tell(work, doubts, step, self._notice(step))

    async def _tell(self, work: Work, doubts: Doubts, step: Step, notice: Notice) -> Done:
        order = await self._orders.of(work, step.order_id)
        if is_ended(order.state):
            return Done(f"the shop's order is {order.state}: nothing is told")
        check_not_held(order.state)
        if notice.status and await self._status(step) != step.told:
            notice = notice.model_copy(update={"status": ""})
        if not notice.comment and not notice.status:
            return Done(f"{step.told}: nothing to tell")
        is_taken = await self._notes.write(
            work, doubts, notice, order_id=step.order_id, order=step.order
        )
        return Done(f"{step.told} is told", None if is_taken else self._not_taken(step, notice))

    def _notice(self, step: Step) -> Notice:
        if step.kind == SHIPS_ON:
            rule = self._rules.ship_date
            day = date.fromisoformat(step.told).strftime(rule.date_format)
            text = rule.comment.replace("{date}", day)
            return Notice(comment=text, is_visible=rule.is_visible)
        notice = self._notices.get(step.told)
        if notice is None:
            raise HeldError(
                field="SalesOrderProcessingStatus",
                text=f'the ERP says "{step.told}" of the order, which nobody has named yet',
                advice=f"add it to sync.markets.{self._market}.{FLOW}.progress, such as "
                f'"{step.told}" = {{ comment = "…", is_visible = true }}, without a comment to '
                "tell nothing; then replay",
            )
        return notice

    async def _status(self, step: Step) -> str:
        with named("read the order's status", {"SalesOrderNumber": step.order}):
            rows = await self._erp.statuses(self._company, [step.order])
        if not rows:
            raise RetryLaterError(f"the ERP shows no order {step.order}")
        return status_of(rows[0])

    def _not_taken(self, step: Step, notice: Notice) -> Caution:
        return Caution(
            field="status",
            text=f'the shop\'s order is in no state that may have the status "{notice.status}"; '
            "its comment was written",
            advice="give the state that status in the shop, or take it out of "
            f"sync.markets.{self._market}.{FLOW}.progress.{step.told}",
        )
