"""Say whether the store views of one company could give two orders one reference.

The shop counts the orders of each store view in a sequence of its own, whose beginning an
administrator chooses and the API does not tell. So it is looked at in the numbers that were
given: those that were given twice, and those that begin alike. Of a store view without
orders nothing can be known. Other stores of the company whose prefix differs, and whose
numbers then differ too, are told apart by the references.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from pricing_proxy.names import same_name_key
from sync.magento.models import OrderHead

_log = logging.getLogger(__name__)

# Their numbers fit into one request line.
_MOST = 20
# Magento writes a sequence's beginning, then the count with this many digits.
_DIGITS = 9


class NumberedOrders(Protocol):
    """The part of the shop's client that knows numbers."""

    async def newest_order_heads(self, store: int, *, most: int) -> list[OrderHead]:
        """Return the last orders of a store view."""
        ...

    async def order_heads_numbered(self, numbers: Collection[str]) -> list[OrderHead]:
        """Return the orders that have one of these numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Ranges:
    """What is known of the numbers of one company's store views.

    Attributes:
        collisions: Each pair that numbers alike, in words.
        unknown: Store views without an order.
    """

    collisions: Sequence[str]
    unknown: Sequence[int]


async def look_at_ranges(shop: NumberedOrders, prefixes: Mapping[int, str]) -> Ranges:
    """Return whether references of one company can be told apart.

    Args:
        shop: The shop.
        prefixes: Of the references of each of the company's store views.

    Raises:
        UpstreamError: The shop did not say.
    """
    if len(prefixes) == 1:
        return Ranges((), ())
    newest = {store: await shop.newest_order_heads(store, most=_MOST) for store in prefixes}
    unknown = [store for store, heads in newest.items() if not heads]
    found = await _given_twice(shop, newest, prefixes)
    named = {frozenset(pair) for pair in found}
    beginnings = {
        store: same_name_key(prefixes[store] + _beginning(heads[0].increment_id))
        for store, heads in newest.items()
        if heads
    }
    for pair in combinations(beginnings, 2):
        if beginnings[pair[0]] == beginnings[pair[1]] and frozenset(pair) not in named:
            found[pair] = (
                f"store views {pair[0]} and {pair[1]} number alike: "
                f"{newest[pair[0]][0].increment_id} and {newest[pair[1]][0].increment_id}"
            )
    return Ranges(list(found.values()), unknown)


class RangeWatch:
    """Looks at the ranges of every company, and logs what could meet.

    Args:
        shop: The shop.
        companies: The prefixes of the store views of each company, by its name.
    """

    def __init__(self, shop: NumberedOrders, companies: Mapping[str, Mapping[int, str]]) -> None:
        self._shop = shop
        self._companies = companies

    async def look(self) -> int:
        """Log each collision; return how many there are."""
        count = 0
        for company, prefixes in self._companies.items():
            ranges = await look_at_ranges(self._shop, prefixes)
            for collision in ranges.collisions:
                _log.warning(
                    "in %s, %s; the second order of a number is held until one store view "
                    "has a prefix: orders.reference_prefix",
                    company,
                    collision,
                )
            count += len(ranges.collisions)
        return count


async def _given_twice(
    shop: NumberedOrders,
    newest: Mapping[int, Sequence[OrderHead]],
    prefixes: Mapping[int, str],
) -> dict[tuple[int, int], str]:
    """Return the pairs of store views of which two orders have one reference."""
    found: dict[tuple[int, int], str] = {}
    for store, heads in newest.items():
        references = [f"{prefixes[store]}{head.increment_id}" for head in heads]
        numbers = {
            reference[len(prefix) :]
            for reference in references
            for prefix in prefixes.values()
            if same_name_key(reference).startswith(same_name_key(prefix))
        } - {""}
        by_reference = defaultdict(list)
        for other in await shop.order_heads_numbered(numbers) if numbers else ():
            if other.store_id in prefixes:
                reference = f"{prefixes[other.store_id]}{other.increment_id}"
                by_reference[same_name_key(reference)].append(other)
        for reference in references:
            for one, other in combinations(by_reference[same_name_key(reference)], 2):
                pair = (min(one.store_id, other.store_id), max(one.store_id, other.store_id))
                found[pair] = (
                    f"store views {pair[0]} and {pair[1]} both have an order {reference} "
                    f"(#{one.entity_id}, #{other.entity_id})"
                )
    return found


def _beginning(number: str) -> str:
    """Return what stands before the count; an edited order has "-1" after it."""
    return number.partition("-")[0][:-_DIGITS]
