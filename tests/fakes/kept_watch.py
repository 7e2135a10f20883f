"""Which orders are watched, in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from pricing_proxy.names import same_name_key
from sync.store.watched_order_record import OrderLook, WatchedRecord


class FakeWatch:
    """As `sync.store.watched_orders.WatchedOrders`.

    Attributes:
        linked: Orders that are in the ERP, and nobody has taken in yet.
        told: Returns the slips of which events tell.
    """

    def __init__(self) -> None:
        self.linked: list[WatchedRecord] = []
        self.kept: dict[int, WatchedRecord] = {}
        self.due_at: dict[int, datetime | None] = {}
        self.told: Callable[[], list[Mapping[str, str]]] = list

    async def take_in(self, market: str, since: datetime) -> datetime:
        del market, since
        for order in self.linked:
            self.kept.setdefault(order.order_id, order)
            self.due_at.setdefault(order.order_id, order.since)
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def numbered(self, market: str, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        del market
        keys = {same_name_key(each) for each in numbers}
        found = {same_name_key(each.erp_number): each for each in self.kept.values()}
        return {
            key: replace(each, due_at=self.due_at[each.order_id])
            for key, each in found.items()
            if key in keys
        }

    async def slips_told(
        self, market: str, since: date, last: date | None = None
    ) -> Sequence[tuple[str, Mapping[str, str]]]:
        del market
        return [
            (same_name_key(slip["SalesId"]), slip)
            for slip in self.told()
            if since <= date.fromisoformat(slip["DeliveryDate"]) <= (last or date.max)
        ]

    async def due(self, market: str, *, now: datetime, most: int) -> Sequence[WatchedRecord]:
        del market
        due = [(at, key) for key, at in self.due_at.items() if at is not None and at <= now]
        return [replace(self.kept[key], due_at=at) for at, key in sorted(due)[:most]]

    async def want(self, market: str, numbers: Collection[str], *, now: datetime) -> int:
        found = await self.numbered(market, numbers)
        self.due_at |= {each.order_id: now for each in found.values()}
        return len(found)

    async def note(self, market: str, looks: Sequence[OrderLook]) -> None:
        del market
        for look in looks:
            key = look.order.order_id
            if self.due_at[key] == look.order.due_at:
                self.due_at[key] = look.due_at
                self.kept[key] = replace(self.kept[key], seen=look.seen)
