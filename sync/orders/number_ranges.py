"""Say whether the store views of one company could give two orders one reference.

The shop counts the orders of each store view in a sequence of its own, whose beginning an
administrator chooses and the API does not tell. So the numbers are looked at that were given.
A number that was given twice is a collision. Numbers that begin alike and were never given
twice may come of one sequence that the store views share, which is fine, or of two that have
not met yet. Of a store view without orders nothing can be known.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from pricing_proxy.names import same_name_key
from sync.sales.references import Numbered

_log = logging.getLogger(__name__)

# Their numbers fit into one request line.
_MOST = 20
# A sequence's beginning, then the count, filled with zeros to a width that may be chosen.
_NUMBER = re.compile(r"(?P<beginning>.*?)0{2,}[0-9]*")


class NumberedOrders(Protocol):
    """The part of the shop's client that knows numbers."""

    async def newest_orders(self, store: int, *, most: int) -> Sequence[Numbered]:
        """Return the last orders of a store view."""
        ...

    async def orders_numbered(self, numbers: Collection[str]) -> Sequence[Numbered]:
        """Return the orders that have one of these numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Ranges:
    """What is known of the numbers of one company's store views.

    Attributes:
        collisions: Each pair that gave two orders one reference, in words.
        alike: Each pair whose numbers begin alike, and were not given twice so far.
        unknown: Store views without an order.
    """

    collisions: Sequence[str]
    alike: Sequence[str]
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
        return Ranges((), (), ())
    newest = {store: await shop.newest_orders(store, most=_MOST) for store in prefixes}
    unknown = [store for store, heads in newest.items() if not heads]
    found = await _given_twice(shop, newest, prefixes)
    shapes = {
        store: _shape(f"{prefixes[store]}{heads[0].increment_id}")
        for store, heads in newest.items()
        if heads
    }
    alike = [
        f"store views {one} and {other} number alike, as {newest[one][0].increment_id} and "
        f"{newest[other][0].increment_id}"
        for one, other in combinations(sorted(shapes), 2)
        if shapes[one] == shapes[other] and (one, other) not in found
    ]
    return Ranges(list(found.values()), alike, unknown)


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
            for text in ranges.alike:
                _log.info("in %s, %s; that is fine where they share one sequence", company, text)
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
    newest: Mapping[int, Sequence[Numbered]],
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
        for other in await shop.orders_numbered(numbers) if numbers else ():
            if other.store_id is not None and other.store_id in prefixes:
                reference = f"{prefixes[other.store_id]}{other.increment_id}"
                by_reference[same_name_key(reference)].append((other.store_id, other.entity_id))
        for reference in references:
            for one, two in combinations(sorted(by_reference[same_name_key(reference)]), 2):
                found[one[0], two[0]] = (
                    f"store views {one[0]} and {two[0]} both have an order {reference} "
                    f"(#{one[1]}, #{two[1]})"
                )
    return found


def _shape(reference: str) -> tuple[str, int]:
    """Return how a sequence's references begin and how long they are; "-1" marks an edited one."""
    number = re.sub(r"-[0-9]+$", "", same_name_key(reference))
    found = _NUMBER.fullmatch(number)
    return (number if found is None else found["beginning"]), len(number)
