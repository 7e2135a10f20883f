"""Customers that the map does not hold: newer than it, or asked for one by one while there is none.

What the sync told of since the map was read is asked of Redis every few seconds.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.names import same_name_key
from pricing_proxy.prices.ports import KeptMaps, MasterDataReader
from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.maps import SharedStateError

V = TypeVar("V")

# "The ERP has no such customer" is believed this long while there is no map.
_UNKNOWN_US = 60 * SECOND_US
# Word of an account that is newer than the map is asked for again after this.
_BELIEVED_US = 5 * SECOND_US
# Remembered answers; far above what one minute brings.
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Known(Generic[V]):
    """An answer, and until when it need not be asked for again."""

    value: V
    until_us: int


class SingleCustomers:
    """Looks customers of one market up one by one; see `MarketMaps` for the arguments."""

    def __init__(
        self, market: str, *, reader: MasterDataReader, kept: KeptMaps, clock: Clock
    ) -> None:
        self._market = market
        self._reader = reader
        self._kept = kept
        self._clock = clock
        self._asked: OrderedDict[str, _Known[Customer | None]] = OrderedDict()
        self._news: OrderedDict[str, _Known[Customer]] = OrderedDict()

    async def noted(self, account: str) -> Customer | None:
        """Return a customer that the sync told of since the map was read."""
        now_us, name = self._clock.monotonic_us(), same_name_key(account)
        known = self._news.get(name)
        if known is not None and now_us < known.until_us:
            return known.value
        try:
            customer = await self._kept.noted_customer(self._market, account)
        except SharedStateError:
            return None if known is None else known.value
        if customer is not None:
            _remember(self._news, name, _Known(customer, now_us + _BELIEVED_US))
        return customer

    def forget_news(self) -> None:
        """Forget what is newer than the map: another map is there."""
        self._news.clear()

    async def ask(self, account: str, *, asked_by: str) -> Customer | None:
        """Return what the ERP says of a customer; raises `UpstreamError`."""
        now_us, name = self._clock.monotonic_us(), same_name_key(account)
        known = self._asked.get(name)
        if known is not None and now_us < known.until_us:
            return known.value
        customer = await self._reader.customer(
            account, caller=Caller(asked_by, f"{self._market}|{account}")
        )
        _remember(self._asked, name, _Known(customer, now_us + _UNKNOWN_US))
        return customer


def _remember(answers: OrderedDict[str, V], name: str, answer: V) -> None:
    answers[name] = answer
    if len(answers) > _MOST_REMEMBERED:
        answers.popitem(last=False)
