"""Find stopped headers whose order has been released under another number.

A create that arrived after everybody had stopped waiting leaves one. It harms nobody, but
nobody explains it either; so an event is entered that deletes it, journalled like any
other write.
"""

from collections.abc import Mapping
from typing import Protocol

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow
from sync.engine.sources import Events
from sync.orders.source import FLOW

TIDY = "tidy"


class Headers(Protocol):
    """The part of the ERP's orders that finds headers."""

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference."""
        ...

    async def stopped(self, company: str) -> list[SalesOrderHeaderRow]:
        """Return all open headers whose processing is stopped."""
        ...


class LateDoubles:
    """Looks for doubles in all markets.

    Args:
        erps: The ERP's orders by market.
        companies: The company by market.
        events: Where their removal is entered.
    """

    def __init__(
        self, erps: Mapping[str, Headers], *, companies: Mapping[str, str], events: Events
    ) -> None:
        self._erps = erps
        self._companies = companies
        self._events = events

    async def sweep(self) -> int:
        """Enter an event for each stopped double; return how many are new."""
        entered = 0
        for market, erp in self._erps.items():
            company = self._companies[market]
            for header in await erp.stopped(company):
                reference = header.CustomersOrderReference
                if reference and await self._is_double(erp, company, reference):
                    entered += await self._enter(market, reference, header.SalesOrderNumber)
        return entered

    async def _is_double(self, erp: Headers, company: str, reference: str) -> bool:
        headers = await erp.find(company, reference)
        return any(not header.IsSalesProcessingStopped for header in headers)

    async def _enter(self, market: str, reference: str, number: str) -> bool:
        return await self._events.receive(
            flow=FLOW,
            market=market,
            business_key=reference,
            source_key=f"{FLOW}/{market}/{reference}/{TIDY}/{number}",
            payload={"task": TIDY},
            lock_key=f"{FLOW}/{market}/{reference}",
        )
