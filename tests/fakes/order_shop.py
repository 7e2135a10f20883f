"""A shop's orders, and the places a flow keeps things in, without any server."""

import json
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Event, SentCall
from sync.engine.windows import Window
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.odd_rows import RowPage
from sync.magento.order_models import Order, OrderHead, ShippedOrder
from sync.orders.selling import Sellable, SoldThing
from tests.fakes.listing import FakeListing
from tests.fakes.wishes import FakeWishes
from tests.orders import recorded


@dataclass
class FakeShop:
    """Orders by entity id; keeps what is written back.

    Attributes:
        swept: Orders without a number, as they were asked for last.
    """

    orders: dict[int, Order] = field(default_factory=dict)
    written: list[tuple[int, str]] = field(default_factory=list)
    swept: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.heads: FakeListing[OrderHead] = FakeListing(lambda: self.orders)

    def put(self, order: Order) -> Order:
        """Place or change an order."""
        self.orders[order.entity_id] = order
        return order

    async def order(self, entity_id: int) -> Order | None:
        return self.orders.get(entity_id)

    async def orders_by_increment_id(self, increment_id: str) -> list[Order]:
        return [o for o in self.orders.values() if o.increment_id == increment_id]

    async def orders_numbered(self, numbers: Collection[str]) -> list[OrderHead]:
        return [o for o in self.orders.values() if o.increment_id in numbers]

    async def newest_orders(self, store: int, *, most: int) -> list[OrderHead]:
        rows: list[OrderHead] = [o for o in self.orders.values() if o.store_id == store]
        return sorted(rows, key=lambda o: -o.entity_id)[:most]

    async def credit_memos_numbered(self, numbers: Collection[str]) -> list[CreditMemo]:
        del numbers
        return []

    async def set_ext_order_id(
        self, entity_id: int, erp_number: str, *, guard: Guard | None = None
    ) -> None:
        if guard is not None:
            await guard()
        self.written.append((entity_id, erp_number))
        changed = self.orders[entity_id].model_copy(update={"ext_order_id": erp_number})
        self.put(changed)

    async def order_heads_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        rows: list[OrderHead] = sorted(
            (o for o in self.orders.values() if window.takes(o.entity_id, o.updated_at)),
            key=lambda o: (o.updated_at, o.entity_id),
        )
        for start in range(0, len(rows), 2):
            yield self.heads.page(rows[start : start + 2], without=without)

    async def open_orders_with_erp_number(
        self, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[ShippedOrder], None]:
        closed = ("complete", "closed", "canceled")
        rows: list[ShippedOrder] = sorted(self.orders.values(), key=lambda o: o.entity_id)
        found = [
            o
            for o in rows
            if o.ext_order_id and o.state not in closed and o.entity_id not in without
        ]
        for start in range(0, len(found), 2):
            yield RowPage(rows=found[start : start + 2])

    async def first_order_head_numbered(
        self, number: str, *, stores: Sequence[int]
    ) -> OrderHead | None:
        rows: list[OrderHead] = sorted(self.orders.values(), key=lambda o: o.entity_id)
        found = (o for o in rows if o.store_id in stores and o.increment_id.isdecimal())
        return next((o for o in found if int(o.increment_id) >= int(number)), None)

    async def order_heads_without_erp_number(
        self, *, after_entity_id: int, without: Collection[int]
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        rows: list[OrderHead] = sorted(self.orders.values(), key=lambda o: o.entity_id)
        found = [o for o in rows if not o.ext_order_id and o.entity_id > after_entity_id]
        self.swept = [o.entity_id for o in found]
        for start in range(0, len(found), 2):
            yield self.heads.page(found[start : start + 2], without=without)


@dataclass
class FakeSold:
    """Sells every product that any recorded order names.

    Attributes:
        more: What else it sells.
    """

    more: Mapping[SoldThing, Sellable] = field(default_factory=dict)

    async def find(self, asked: Collection[SoldThing]) -> Mapping[SoldThing, Sellable]:
        known = dict(self.more)
        for order in recorded.orders().values():
            known |= recorded.products(order)
        return {one: known.get(one, Sellable(None, one.sku)) for one in asked}


@dataclass
class FakeLinks:
    """An entity map."""

    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    hashes: dict[tuple[str, str], str] = field(default_factory=dict)

    async def erp_key(self, kind: str, magento_id: str) -> str | None:
        return self.keys.get((kind, magento_id))

    async def magento_id(self, kind: str, erp_key: str) -> str | None:
        found = (k for k, value in self.keys.items() if k[0] == kind and value == erp_key)
        return next((k[1] for k in found), None)

    async def magento_ids(self, kind: str) -> Collection[str]:
        return [name for (of_kind, name), key in self.keys.items() if of_kind == kind and key]

    async def content_hash(self, kind: str, magento_id: str) -> str | None:
        return self.hashes.get((kind, magento_id))

    async def remember(
        self, kind: str, magento_id: str, erp_key: str, content_hash: str = ""
    ) -> None:
        self.keys[kind, magento_id] = erp_key
        self.hashes[kind, magento_id] = content_hash


@dataclass
class FakeWork:
    """A journal that outlives its attempts, as the table does.

    Attributes:
        before_read: Called when it is read, which takes time.
        let_go_of: How often those were let go who wait for its event.
    """

    event: Event
    clock: Clock
    links: FakeLinks = field(default_factory=FakeLinks)
    wishes: FakeWishes = field(default_factory=FakeWishes)
    open_entries: list[SentCall] = field(default_factory=list)
    acks: list[tuple[str, int]] = field(default_factory=list)
    before_read: Callable[[], None] = lambda: None
    longest: Mapping[str, timedelta] = field(
        default_factory=lambda: {"fo": timedelta(seconds=60), "magento": timedelta(seconds=120)}
    )

    let_go_of: int = 0

    async def let_go(self) -> None:
        self.let_go_of += 1

    def call(self, system: str, operation: str, request: Any) -> "FakeCall":
        return FakeCall(self, system, operation, request)

    async def unacknowledged(self) -> Sequence[SentCall]:
        self.before_read()
        return tuple(self.open_entries)


@dataclass
class FakeCall:
    """One journal entry of an event that is always ours."""

    work: FakeWork
    system: str
    operation: str
    request: Any
    entry: SentCall | None = None

    async def sent(self) -> None:
        self._forget()
        self.entry = SentCall(
            system=self.system,
            operation=self.operation,
            request=self.request,
            sent_at=self.work.clock.utc(),
        )
        self.work.open_entries.append(self.entry)

    async def acked(self, status: int, response: Any) -> None:
        # The table's column takes JSON and nothing else.
        json.dumps(response)
        if self.entry is not None:
            self._forget()
            self.work.acks.append((self.operation, status))

    def _forget(self) -> None:
        if self.entry is not None:
            self.work.open_entries.remove(self.entry)


def event_of(order: Order, **payload: Any) -> Event:
    """Return the event that an order's poll enters."""
    return Event(
        id=1,
        flow="orders",
        market="b2b_de",
        business_key=order.increment_id,
        document_id=str(order.entity_id),
        source_key=f"orders/b2b_de/#{order.entity_id}/export",
        payload={"entity_id": order.entity_id, **payload},
        attempts=0,
        fence=1,
    )
