"""Whose turn it is among the calls of one class: by key, then by customer, then by age. Pure.

Keys take turns: the one that was served longest ago goes first, so a flood under one key
gets a key's share and no more. Within a key customers take turns in the same way. Where
turns do not decide, the class does: the longest waiting first, or the newest. Turns are
remembered while anybody waits.

The same holds for places: who leaves a full line is one of the customer with the most
places, of the key with the most.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from pricing_proxy.resilience.call_class import Caller

W = TypeVar("W", bound=Hashable)

# Far more than wait at once. Whoever was served before all these counts as never served,
# and goes first, where it was about to be anyway.
_MOST_REMEMBERED = 4096


class Turns(Generic[W]):
    """Those who wait, each for one caller or for several who share a load.

    Args:
        newest_first: Whether the newest goes first where turns do not decide.
    """

    def __init__(self, *, newest_first: bool) -> None:
        self._newest_first = newest_first
        self._arrivals = 0
        self._arrived: dict[W, int] = {}
        self._callers: dict[W, tuple[Caller, ...]] = {}
        # Dicts as ordered sets: joining and leaving cost the same at any length.
        self._places: dict[str, dict[str, dict[W, None]]] = {}
        self._grants = 0
        self._served: OrderedDict[str | Caller, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._arrived)

    def __iter__(self) -> Iterator[W]:
        return iter(self._arrived)

    def add(self, waiter: W, *callers: Caller) -> None:
        """Let somebody wait."""
        self._arrivals += 1
        self._arrived[waiter] = self._arrivals
        self._callers[waiter] = ()
        for caller in callers:
            self.share(waiter, caller)

    def share(self, waiter: W, caller: Caller) -> None:
        """Let somebody who waits also be served when it is another caller's turn."""
        if caller not in self._callers[waiter]:
            self._callers[waiter] += (caller,)
            self._places.setdefault(caller.key, {}).setdefault(caller.customer, {})[waiter] = None

    def remove(self, waiter: W) -> None:
        """Let somebody leave who may have left already."""
        if self._arrived.pop(waiter, None) is None:
            return
        for key, customer in self._callers.pop(waiter):
            customers = self._places[key]
            del customers[customer][waiter]
            if not customers[customer]:
                del customers[customer]
            if not customers:
                del self._places[key]
        if not self._arrived:
            self._served.clear()

    def serve(self, waiter: W) -> None:
        """Let somebody leave who had the turn of all its callers."""
        self._grants += 1
        for caller in self._callers[waiter]:
            for name in (caller.key, caller):
                self._served[name] = self._grants
                self._served.move_to_end(name)
        while len(self._served) > _MOST_REMEMBERED:
            self._served.popitem(last=False)
        self.remove(waiter)

    def in_order(self) -> Iterator[W]:
        """Yield everybody, beginning with the one whose turn it is."""
        for key in sorted(self._places, key=lambda each: self._served.get(each, 0)):
            customers = self._places[key]
            ranks = {each: self._rank(Caller(key, each), customers[each]) for each in customers}
            for customer in sorted(customers, key=ranks.__getitem__):
                waiters = customers[customer]
                yield from reversed(waiters) if self._newest_first else iter(waiters)

    def one_too_many(self, newcomer: Caller) -> W | None:
        """Return who leaves a full line to the newcomer; None when it is the newcomer itself."""
        places: dict[str, dict[str, int]] = {newcomer.key: {newcomer.customer: 1}}
        for key, customers in self._places.items():
            counts = places.setdefault(key, {})
            for customer, waiters in customers.items():
                counts[customer] = counts.get(customer, 0) + len(waiters)
        most_of_key = max(sum(counts.values()) for counts in places.values())
        crowding = [
            (Caller(key, customer), count)
            for key, counts in places.items()
            if sum(counts.values()) == most_of_key
            for customer, count in counts.items()
        ]
        most = max(count for _, count in crowding)
        return self._leaving([caller for caller, count in crowding if count == most], newcomer)

    def _leaving(self, crowding: list[Caller], newcomer: Caller) -> W | None:
        lines = [self._places.get(key, {}).get(customer, {}) for key, customer in crowding]
        if self._newest_first:
            return min((next(iter(line)) for line in lines if line), key=self._arrived.__getitem__)
        if newcomer in crowding:
            return None
        return max((next(reversed(line)) for line in lines), key=self._arrived.__getitem__)

    def _rank(self, caller: Caller, waiters: dict[W, None]) -> tuple[int, int]:
        served = self._served.get(caller, 0)
        if self._newest_first:
            return served, -self._arrived[next(reversed(waiters))]
        return served, self._arrived[next(iter(waiters))]
