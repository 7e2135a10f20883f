"""What stock keeps, in memory: lines, what is wanted, and what the journal says."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sync.mirror.keys import folded
from sync.store.order_writes import OrderTrace, OrderWrite
from sync.store.shop_line_records import ShopLine

_OF_THE_ERP = ("present_since", "asked_as", "warehouse", "counted")


class FakeLines:
    """As `sync.store.shop_lines.ShopLines`."""

    def __init__(self) -> None:
        self.kept: dict[int, ShopLine] = {}

    async def of_orders(self, ids: Collection[int]) -> list[ShopLine]:
        return [line for line in self.kept.values() if line.order_id in ids]

    async def of_skus(self, folded: Collection[str]) -> list[ShopLine]:
        return [
            line
            for line in self.kept.values()
            if line.folded in folded and (line.reserved or line.inside)
        ]

    async def watched(
        self, stores: Collection[int], *, dropped_since: datetime
    ) -> list[tuple[str, bool]]:
        found: dict[str, bool] = {}
        for line in self.kept.values():
            is_dropped = line.dropped_at is not None and line.dropped_at >= dropped_since
            if line.store_id in stores and (line.reserved > 0 or is_dropped):
                is_due = line.reserved > 0 and not line.counted
                found[line.sku] = found.get(line.sku, False) or is_due
        return list(found.items())

    async def put(self, lines: Sequence[ShopLine]) -> None:
        for line in lines:
            before = self.kept.get(line.item_id)
            self.kept[line.item_id] = (
                line
                if before is None
                else replace(
                    line,
                    reserved=min(before.reserved, line.reserved),
                    inside=min(before.inside, line.inside),
                    **{name: getattr(before, name) for name in _OF_THE_ERP},
                )
            )

    async def note_present(self, since: Mapping[int, datetime]) -> None:
        for item, instant in since.items():
            line = self.kept[item]
            if line.present_since is None:
                self.kept[item] = replace(line, present_since=instant)

    async def note_asked(self, orders: Mapping[int, str]) -> None:
        for item, line in self.kept.items():
            if line.order_id in orders:
                self.kept[item] = replace(line, asked_as=orders[line.order_id])

    async def note_warehouses(self, warehouses: Mapping[int, str]) -> None:
        for item, warehouse in warehouses.items():
            self.kept[item] = replace(self.kept[item], warehouse=warehouse)

    async def note_counted(self, counted: Sequence[ShopLine]) -> None:
        for line in counted:
            self.kept[line.item_id] = replace(
                self.kept[line.item_id], counted=line.counted, inside=line.inside
            )

    async def forget(self, older_than: timedelta) -> int:
        del older_than
        return 0


class FakeLocks:
    """As `sync.store.sku_locks.SkuLocks`, for one who is alone."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    @asynccontextmanager
    async def hold(self, folded: Collection[str]) -> AsyncIterator[None]:
        assert not self.held & set(folded)
        self.held |= set(folded)
        try:
            yield
        finally:
            self.held -= set(folded)


class FakeWants:
    """Keeps which SKUs are wanted, by market, and which of them in any case.

    Attributes:
        keys: By market: the SKU by what its spellings share, and whether it is forced.
    """

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, tuple[str, bool]]] = {}

    async def __call__(
        self,
        market: str,
        keys: Collection[str],
        *,
        is_forced: bool,
        reason: str,
        after: timedelta = timedelta(0),
    ) -> None:
        del reason, after
        wanted = self.keys.setdefault(market, {})
        for key in keys:
            _, was_forced = wanted.get(folded(key), (key, False))
            wanted[folded(key)] = key, is_forced or was_forced

    def take(self, market: str) -> list[tuple[str, bool]]:
        """Return what is wanted, once."""
        return list(self.keys.pop(market, {}).values())


class FakeTraces:
    """As `sync.store.order_writes.OrderWrites`."""

    def __init__(self) -> None:
        self.writes: dict[int, list[OrderWrite]] = {}
        self.whole: dict[int, datetime] = {}

    async def of(self, orders: Collection[int]) -> Mapping[int, OrderTrace]:
        return {
            order: OrderTrace(
                writes=tuple(self.writes.get(order, ())), whole_since=self.whole.get(order)
            )
            for order in orders
            if order in self.writes or order in self.whole
        }
