"""Which orders are from after the start of their market, where history stays in the shop.

A start that is an instant is compared with when an order was made. One that is an increment
id is compared with numbers of digits alone. Any other number, as of an order that was edited
in the back office ("000000091-1") or of a sequence with letters, says nothing about when its
order was made: that one is in where it was made no earlier than the first of the numbers that
are. While the shop has no order of these, or where dates and ids contradict each other, as of
a shop whose clock was set, nobody can say; what cannot be decided is not sent, but counted and
shown, and `export` sends it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from sync.magento.order_models import OrderHead
from sync.orders.rules import OrderRules


class NumberedFrom(Protocol):
    """The part of the shop's client that knows where numbers begin."""

    async def first_order_head_numbered(
        self, number: str, *, stores: Sequence[int]
    ) -> OrderHead | None:
        """Return the first order whose number is this one or a later one."""
        ...


class Side(Enum):
    """Where an order is, seen from the start."""

    BEFORE = auto()
    AFTER = auto()
    UNDECIDED = auto()


class Starts:
    """The starts of all markets of one shop.

    Args:
        shop: The shop's orders.
        rules: Rules by market.
        stores: Store views by market.
    """

    def __init__(
        self,
        shop: NumberedFrom,
        *,
        rules: Mapping[str, OrderRules],
        stores: Mapping[str, Collection[int]],
    ) -> None:
        self._shop = shop
        self._rules = rules
        self._stores = stores
        self._first: dict[str, OrderHead] = {}
        self._without: set[str] = set()

    def look_again(self) -> None:
        """Ask once more for what was not there; to be called before heads are looked through."""
        self._without.clear()

    async def is_after(self, market: str, head: OrderHead) -> bool:
        """Return whether an order is known to be from after the start; raises `UpstreamError`."""
        return await self.side_of(head, market) is Side.AFTER

    async def side_of(self, head: OrderHead, market: str) -> Side:
        """Return on which side an order is; raises `UpstreamError`."""
        start = self._rules[market].start_at
        if isinstance(start, datetime):
            return _side(is_after=head.created_at >= start)
        # Numbers of one store view have a fixed width until it is exhausted, then one digit more.
        if head.increment_id.isdecimal():
            return _side(is_after=int(head.increment_id) >= int(start))
        first = await self._first_numbered(market, start)
        if first is None:
            return Side.UNDECIDED
        is_after = head.created_at >= first.created_at
        if is_after != (head.entity_id >= first.entity_id):
            return Side.UNDECIDED
        return _side(is_after=is_after)

    async def made_at(self, market: str) -> datetime | None:
        """Return when the first order from after the start was, or may be, made.

        None while there is none and its number alone is known.
        """
        start = self._rules[market].start_at
        if isinstance(start, datetime):
            return start
        first = await self._first_numbered(market, start)
        return None if first is None else first.created_at

    async def _first_numbered(self, market: str, start: str) -> OrderHead | None:
        if market not in self._first and market not in self._without:
            stores = sorted(self._stores[market])
            first = await self._shop.first_order_head_numbered(start, stores=stores)
            if first is None:
                self._without.add(market)
            else:
                self._first[market] = first
        return self._first.get(market)


def _side(*, is_after: bool) -> Side:
    return Side.AFTER if is_after else Side.BEFORE
