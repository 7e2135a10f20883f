"""Find stopped headers whose order has been released under another number.

A create that arrived after everybody had stopped waiting leaves one. It harms nobody, but
nobody explains it either; so an event is entered that deletes it, journalled like any
other write. Whose it is, the released one beside it says: the entity map knows that one's
order. A company's headers are seen by all of its markets; each sees to its own orders only.
"""

from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow
from sync.engine.flow import Links
from sync.engine.sources import Events, ShopDocument, enter
from sync.orders.own_headers import LINK
from sync.orders.ports import ShopOrders, StoppedHeaders
from sync.orders.rules import FLOW
from sync.sales.references import Forms

TIDY = "tidy"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptMarket:
    """Where one market's doubles are looked for.

    Attributes:
        erp: The ERP's orders.
        company: The market's.
        stores: Its store views.
        links: Its entity map.
        of_company: Those of all markets of the same company of the same ERP, its own too: another
            ERP gives the same numbers to orders of others.
    """

    erp: StoppedHeaders
    company: str
    stores: Collection[int]
    links: Links
    of_company: Collection[Links]


class LateDoubles:
    """Looks for doubles in all markets.

    Args:
        shop: The shop's orders.
        markets: By code.
        forms: What the markets ever wrote before the shop's numbers.
        events: Where their removal is entered.
    """

    def __init__(
        self, shop: ShopOrders, *, markets: Mapping[str, SweptMarket], forms: Forms, events: Events
    ) -> None:
        self._shop = shop
        self._markets = markets
        self._forms = forms
        self._events = events

    async def sweep(self) -> int:
        """Enter an event for each stopped double; return how many are new."""
        entered = 0
        for code, market in self._markets.items():
            prefixes = {
                prefix for store in market.stores for prefix in await self._forms.of(code, store)
            }
            for header in await market.erp.stopped(market.company):
                if not await self._is_linked(market, header):
                    entered += await self._enter_double(code, market, header, prefixes)
        return entered

    async def _is_linked(self, market: SweptMarket, header: SalesOrderHeaderRow) -> bool:
        """Return whether it is an order's own: one that was cancelled, or is still being sent."""
        for links in market.of_company:
            if await links.magento_id(LINK, header.SalesOrderNumber):
                return True
        return False

    async def _enter_double(
        self, code: str, market: SweptMarket, header: SalesOrderHeaderRow, prefixes: set[str]
    ) -> bool:
        for reference in _forms_of(header.CustomersOrderReference, prefixes):
            for other in await market.erp.find(market.company, reference):
                if not other.IsSalesProcessingStopped:
                    entity_id = await market.links.magento_id(LINK, other.SalesOrderNumber)
                    if entity_id is not None and await self._enter(code, entity_id, header):
                        return True
        return False

    async def _enter(self, market: str, entity_id: str, double: SalesOrderHeaderRow) -> bool:
        what, is_new = f"{TIDY}/{double.SalesOrderNumber}", False
        # One that cannot be read is told of by whoever polls, and hides no other's double.
        async with aclosing(self._shop.heads.of([int(entity_id)])) as pages:
            async for page in pages:
                for order in page.rows:
                    document = ShopDocument(FLOW, market, order.entity_id, order.increment_id)
                    payload = {"entity_id": order.entity_id, "task": TIDY}
                    is_new = await enter(self._events, document, payload, what=what)
        return is_new


def _forms_of(reference: str, prefixes: set[str]) -> set[str]:
    """Return every reference under which the same number may stand."""
    numbers = {reference[len(each) :] for each in prefixes if reference.startswith(each)}
    return {f"{prefix}{number}" for prefix in prefixes for number in numbers if number} - {""}
