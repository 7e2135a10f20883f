"""How far an order came in the ERP, apart from its papers: what is told of it, once each. Pure.

What was seen at the last look is kept with the order, so a step is a difference. Steps count on,
so that what happens again, such as a date that moves back, is told again. An order that was in
the ERP before anybody looked begins as it is found: nothing of that is news.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from pricing_proxy.d365.fo.slip_models import OrderStatusRow
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from sync.order_status.kept_lines import CANCELED, Delivered, kept_of
from sync.store.watched_order_record import OrderSeen, WatchedRecord

StepKind = Literal["status", "ships_on", "lines"]
STATUS: StepKind = "status"
SHIPS_ON: StepKind = "ships_on"
LINES: StepKind = "lines"
KINDS = (STATUS, SHIPS_ON, LINES)

# Their papers tell more: slips, invoices.
_TOLD_BY_PAPERS = frozenset(
    {
        *("None", "Active", "PartiallyDelivered", "Delivered"),
        *("PartiallyInvoiced", "DeliveredPartiallyInvoiced", "Invoiced"),
    }
)
# The database's clock, which says since when an order is watched, may be another machine's.
_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one order.

    Attributes:
        kind: What moved.
        order_id: The shop's id of the order.
        order: The ERP's number of it.
        number: Counts the order's steps.
        told: The status, or the day in ISO 8601; empty for lines.
    """

    kind: StepKind
    order_id: int
    order: str
    number: int
    told: str = ""

    @property
    def key(self) -> str:
        """What tells it from all else that happens to the order."""
        return f"{self.kind}/{self.order}/{self.number}/{self.told}"

    @property
    def lane(self) -> str:
        """What of the order waits for it: nothing else, as its papers go on without."""
        return self.key

    @property
    def payload(self) -> dict[str, Any]:
        """What the event keeps."""
        return {
            "entity_id": self.order_id,
            "fact": self.kind,
            "SalesOrderNumber": self.order,
            "number": self.number,
            "told": self.told,
        }


def step_of(payload: Mapping[str, Any], order_id: int) -> Step:
    """Return what an event's payload says; raises `KeyError`, `ValueError`, `TypeError`."""
    kind = next(each for each in KINDS if each == payload["fact"])
    told = str(payload["told"])
    if kind == SHIPS_ON:
        date.fromisoformat(told)
    return Step(
        kind=kind,
        order_id=order_id,
        order=str(payload["SalesOrderNumber"]),
        number=int(payload["number"]),
        told=told,
    )


def status_of(row: OrderStatusRow) -> str:
    """Return how far an order is, by the more telling of its two statuses."""
    if row.SalesOrderStatus == CANCELED:
        return CANCELED
    return row.SalesOrderProcessingStatus


def seen_now(
    row: OrderStatusRow,
    lines: Sequence[DemandLineRow] | None,
    delivered: Delivered,
    before: WatchedRecord,
) -> OrderSeen:
    """Return what is kept of an order after a look.

    Args:
        row: Its header.
        lines: Its lines; None where nobody asked.
        delivered: What slips delivered of lines that are over.
        before: What was kept.
    """
    return OrderSeen(
        status=status_of(row),
        ships_on=row.ConfirmedShippingDate,
        lines=before.seen.lines if lines is None else _digest(lines, delivered),
        steps=before.seen.steps,
    )


def steps_between(order: WatchedRecord, now: OrderSeen, *, named: Iterable[str]) -> list[Step]:
    """Return the steps from what was seen before to what is seen now.

    Args:
        order: With what was seen before.
        now: What is seen.
        named: Statuses that the configuration has a word for.
    """
    return [
        Step(
            kind=kind,
            order_id=order.order_id,
            order=order.erp_number,
            number=order.seen.steps + count,
            told=told,
        )
        for count, (kind, told) in enumerate(_moved(order.seen, now, {*named}), start=1)
    ]


def is_news(order: WatchedRecord, *, began_at: datetime, now: datetime) -> bool:
    """Return whether what differs of an order from what was seen is told.

    Args:
        order: With what was seen.
        began_at: When the flow began, or begins: what an order is by then is no news.
        now: When it is looked at.
    """
    is_seen = bool(order.seen.status)
    return now >= began_at and (is_seen or order.since > began_at + _CLOCKS_APART)


def _moved(before: OrderSeen, now: OrderSeen, named: set[str]) -> Iterator[tuple[StepKind, str]]:
    if now.status != before.status and now.status not in _TOLD_BY_PAPERS - named:
        yield STATUS, now.status
    if now.ships_on not in (None, before.ships_on):
        yield SHIPS_ON, f"{now.ships_on}"
    # Of a cancelled order they are cancelled too.
    if before.lines and now.lines != before.lines and now.status != CANCELED:
        yield LINES, ""


def _digest(lines: Sequence[DemandLineRow], delivered: Delivered) -> str:
    told = sorted(f"{row.InventoryLotId}={kept_of(row, delivered).normalize():f}" for row in lines)
    return hashlib.blake2b("\n".join(told).encode(), digest_size=6).hexdigest()
