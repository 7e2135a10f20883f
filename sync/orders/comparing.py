"""Compare orders: each of the shop's last day is in the ERP once, or is a record somebody sees.

    in the ERP, released                     event                   it is
    one                                      any                     right
    several                                  any                     told: a person cancels one
    none, or a stopped one                   open                    a record: seen, alerted
    none                                     skipped, with a reason  a record
    none, and never sent                     none                    told, and entered now
    none, or a stopped one, though sent      done                    told: gone, or left stopped

An order is expected once it is from after the start, and neither cancelled nor held back in the
shop. What changed in the last minutes is left to the flow.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow
from pricing_proxy.names import same_name_key
from sync.engine.flow import Links
from sync.engine.windows import Window
from sync.magento.order_models import OrderHead
from sync.orders.ports import ShopOrders
from sync.orders.rules import FLOW, OrderRules
from sync.orders.source import is_canceled, is_held_back
from sync.orders.starts import Starts
from sync.reconciliation.causes import Clues
from sync.reconciliation.comparing import ComparedPage, Deviation, KnownEvents
from sync.sales.references import References, named
from sync.store.document_events import DocumentEvent
from sync.store.order_writes import ORDER_LINK
from sync.store.states import EventState

_BACK = timedelta(days=1)
# Delivered within seconds; what is late is an alert of its own.
_LATEST = timedelta(minutes=5)
_MISSING = "it is entered as the poll would have"
_TWICE = "cancel all but one in the ERP; see d365-sync order {number}"
_GONE = "was it deleted in the ERP? see d365-sync order {number}; send it anew with export"
_STOPPED = "release it in the ERP, or find out who stopped it: d365-sync order {number}"


class ErpHeaders(Protocol):
    """Headers of the ERP, many in one request; raises `UpstreamError`."""

    async def find_any(
        self, company: str, references: Collection[str]
    ) -> list[SalesOrderHeaderRow]:
        """Return all headers with one of the references."""
        ...

    async def numbered(self, company: str, numbers: Collection[str]) -> list[SalesOrderHeaderRow]:
        """Return the headers of these numbers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMarket:
    """Whose orders are compared.

    Attributes:
        code: The market's.
        company: Its company in the ERP.
        stores: Its store views.
        rules: Its rules.
        links: Its entity map.
        others: Those of the company's other markets.
        references: How its orders are called there.
    """

    code: str
    company: str
    stores: Collection[int]
    rules: OrderRules
    links: Links
    others: Collection[Links]
    references: References


class OrderComparison:
    """A `sync.reconciliation.comparing.Comparison` of one market's orders.

    Args:
        market: Whose.
        shop: The shop's orders.
        erp: The ERP's.
        starts: Says which orders are history.
        events: Those of orders.
        clock: Time.
    """

    kind = FLOW

    def __init__(
        self,
        market: ComparedMarket,
        *,
        shop: ShopOrders,
        erp: ErpHeaders,
        starts: Starts,
        events: KnownEvents,
        clock: Clock,
    ) -> None:
        self.market = market.code
        self._its = market
        self._shop = shop
        self._erp = erp
        self._starts = starts
        self._events = events
        self._clock = clock
        # Numbers are for people, and may be several store views'.
        self.ids: dict[str, int] = {}

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        """Compare the orders of the last day, or some of them; raises `UpstreamError`."""
        now = self._clock.utc()
        heads = (
            self._shop.order_heads_changed(
                Window(since=now - _BACK, until=now - _LATEST), without=()
            )
            if keys is None
            else self._shop.heads.of([self.ids[key] for key in keys])
        )
        self._starts.look_again()
        async with aclosing(heads) as pages:
            async for page in pages:
                expected = [head for head in page.rows if await self._is_expected(head)]
                yield ComparedPage(len(expected), await self._compare(expected))

    async def _is_expected(self, head: OrderHead) -> bool:
        is_mine = head.store_id in self._its.stores and not is_canceled(head)
        if not is_mine or is_held_back(head, self._its.rules):
            return False
        return await self._starts.is_after(self._its.code, head)

    async def _compare(self, heads: Sequence[OrderHead]) -> Sequence[Deviation]:
        if not heads:
            return ()
        forms = {head.entity_id: await self._its.references.every(head) for head in heads}
        numbers = {
            head.entity_id: await self._its.links.erp_key(ORDER_LINK, str(head.entity_id))
            for head in heads
        }
        rows = await self._rows(forms, numbers)
        events = await self._events.of(FLOW, self._its.code, list(forms))
        found: list[Deviation] = []
        for head in heads:
            own = await self._own(head, rows, forms[head.entity_id], numbers[head.entity_id])
            its = events.get(head.entity_id, ())
            difference = self._judged(head, own, its, number=numbers[head.entity_id])
            if difference is not None:
                found.append(difference)
        return found

    def _key(self, head: OrderHead) -> str:
        """Return what people call an order: its number, unless another's is the same."""
        number = head.increment_id
        key = number if self.ids.get(number, head.entity_id) == head.entity_id else named(head)
        self.ids[key] = head.entity_id
        return key

    async def _rows(
        self, forms: Mapping[int, Sequence[str]], numbers: Mapping[int, str | None]
    ) -> Sequence[SalesOrderHeaderRow]:
        """Return the headers that may be the orders', by reference and by number."""
        company = self._its.company
        rows = await self._erp.find_any(company, {each for its in forms.values() for each in its})
        known = {same_name_key(row.SalesOrderNumber) for row in rows}
        # Of another reference now, since somebody has changed it there.
        left = {each for each in numbers.values() if each and same_name_key(each) not in known}
        return [*rows, *(await self._erp.numbered(company, left) if left else ())]

    async def _own(
        self,
        head: OrderHead,
        rows: Sequence[SalesOrderHeaderRow],
        forms: Sequence[str],
        number: str | None,
    ) -> list[SalesOrderHeaderRow]:
        """Return the headers that are an order's, and not another's of the same reference."""
        keys, own = {same_name_key(form) for form in forms}, same_name_key(number or "")
        found: list[SalesOrderHeaderRow] = []
        for row in rows:
            is_linked = bool(own) and same_name_key(row.SalesOrderNumber) == own
            is_called = same_name_key(row.CustomersOrderReference) in keys
            if is_linked or (is_called and not await self._is_others(head, row)):
                found.append(row)
        return found

    async def _is_others(self, head: OrderHead, row: SalesOrderHeaderRow) -> bool:
        owner = await self._its.links.magento_id(ORDER_LINK, row.SalesOrderNumber)
        if owner is not None:
            return owner != str(head.entity_id)
        for links in self._its.others:
            if await links.magento_id(ORDER_LINK, row.SalesOrderNumber) is not None:
                return True
        return False

    def _judged(
        self,
        head: OrderHead,
        own: Sequence[SalesOrderHeaderRow],
        events: Sequence[DocumentEvent],
        *,
        number: str | None,
    ) -> Deviation | None:
        released = [row.SalesOrderNumber for row in own if not row.IsSalesProcessingStopped]
        if len(released) == 1:
            return None
        is_seen = any(each.is_open or each.state is EventState.SKIPPED for each in events)
        if is_seen and not released:
            return None
        what, advice = "not in the ERP", _MISSING
        if released:
            what, advice = "in the ERP twice", _TWICE
        elif own:
            what, advice = "stopped in the ERP", _STOPPED
        elif number is not None or events:
            what, advice = "gone from the ERP", _GONE
        is_late = advice is _MISSING
        return Deviation(
            key=self._key(head),
            field=what,
            evidence=Clues(erp=", ".join(released) or None, shop=number or head.status),
            is_fixed=not is_late,
            advice=advice.format(number=head.increment_id),
        )
