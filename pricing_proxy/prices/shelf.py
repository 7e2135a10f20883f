"""What this process remembers of one context, and of it what nearly every page asks for.

A plain line asks for one piece of an item in its sales unit. What pages of such lines were
answered with is kept by SKU, with the span in which all of it is fresh: the next page costs
one look-up for each line, and one comparison for all of them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from pricing_proxy.domain.entry import Entry
from pricing_proxy.prices.query import Key
from pricing_proxy.shared_state.item_map import Item

_NOTHING: Mapping[str, Item] = {}


class Bounds(NamedTuple):
    """What holds for each of some prices.

    Attributes:
        fresh_from_us: From here on they are fresh, if verified and not invalidated (monotonic) ...
        fresh_until_us: ... and from here on nothing is said.
        oldest_us: When the first of them was read.
        newest_us: When the last of them was read.
        position: The smallest ledger position known when they were read.
    """

    fresh_from_us: int
    fresh_until_us: int
    oldest_us: int
    newest_us: int
    position: int

    def are_fresh(self, now_us: int) -> bool:
        """Return whether the prices are surely fresh now."""
        return self.fresh_from_us <= now_us < self.fresh_until_us

    def with_others(self, others: "Bounds") -> "Bounds":
        """Return what holds for both."""
        return Bounds(
            max(self.fresh_from_us, others.fresh_from_us),
            min(self.fresh_until_us, others.fresh_until_us),
            min(self.oldest_us, others.oldest_us),
            max(self.newest_us, others.newest_us),
            min(self.position, others.position),
        )


class PlainPrices:
    """Prices of one piece in the sales unit, by SKU.

    They are good for one item map: a map is read anew as a whole, and never changed.

    Attributes:
        bounds: What holds for all of them; None while there are none.
    """

    __slots__ = ("_by_sku", "_catalog", "bounds")

    def __init__(self) -> None:
        self.bounds: Bounds | None = None
        self._by_sku: dict[str, Entry] = {}
        self._catalog = _NOTHING

    def find(self, skus: Sequence[str], catalog: Mapping[str, Item]) -> list[Entry] | None:
        """Return each SKU's entry; None when one is not here."""
        if catalog is not self._catalog:
            return None
        entries = list(map(self._by_sku.get, skus))
        return cast("list[Entry]", entries) if all(entries) else None

    def add(
        self,
        skus: Sequence[str],
        entries: Sequence[Entry],
        bounds: Bounds,
        *,
        catalog: Mapping[str, Item],
        now_us: int,
    ) -> None:
        """Keep the entries of a page that is fresh now; those kept may be out of date by now."""
        kept = self.bounds
        if kept is None or catalog is not self._catalog or not kept.are_fresh(now_us):
            self._by_sku, self._catalog, kept = {}, catalog, bounds
        self._by_sku.update(zip(skus, entries, strict=True))
        self.bounds = kept.with_others(bounds)

    def clear(self) -> None:
        """Forget all: something on the shelf is another."""
        self._by_sku, self.bounds, self._catalog = {}, None, _NOTHING


class Shelf(dict[Key, Entry]):
    """One context's entries; whoever changes them clears `plain`."""

    __slots__ = ("plain",)

    def __init__(self, entries: Mapping[Key, Entry] | None = None) -> None:
        super().__init__(entries or {})
        self.plain = PlainPrices()
