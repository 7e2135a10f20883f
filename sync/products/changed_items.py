"""Ask the ERP which items changed, where it can tell: sets for analytics have a modified time.

Standard sets have none, so all is read again and again. Where `InventTableBiEntities` is there,
items are read within a minute of a change of their own record: price, tax group, weight, units.
Names, attributes and blocks stand in other records, and what is deleted in none: the read of
everything finds these. An environment without the set is asked for it once an hour.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.product_models import CatalogVariantRow, ChangedItemRow
from pricing_proxy.d365.odata import Filter, at_least
from sync.engine.sources import Marks

R = TypeVar("R", bound=Row)

# A row is seen when its transaction ends, and has the time at which it was written.
_OVERLAP = timedelta(minutes=10)
_ASK_AGAIN_US = timedelta(hours=1) // timedelta(microseconds=1)
_MODIFIED, _MASTER = "SysModifiedDateTime", "ProductMasterNumber"


class ChangeSets(Protocol):
    """Sets of the ERP that tell of changes; every method raises `UpstreamError`."""

    async def has(self, row: type[Row], *, company: str) -> bool:
        """Say whether the environment has a set."""
        ...

    async def whole(self, row: type[R], *, company: str, where: Filter | None = None) -> Chunk[R]:
        """Return all rows that fulfil a condition."""
        ...

    def having(
        self, row: type[R], field: str, values: Iterable[str], *, company: str
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield the rows in which a field has one of the values."""
        ...


class ChangedItems:
    """Has changed items of one market read.

    Args:
        erp: Its sets.
        marks: Where it is kept how far was read.
        want: Has keys read soon.
        market: The market's code.
        company: Its legal entity.
        clock: Time.
    """

    def __init__(
        self,
        erp: ChangeSets,
        marks: Marks,
        want: Callable[[Sequence[str]], Awaitable[None]],
        *,
        market: str,
        company: str,
        clock: Clock,
    ) -> None:
        self._erp = erp
        self._marks = marks
        self._want = want
        self._mark = f"products.changed.{market}"
        self._company = company
        self._clock = clock
        self._absent_until_us = 0
        # Of the overlap: what was wanted for a change is not wanted for it again.
        self._wanted: dict[str, datetime] = {}

    async def look(self) -> None:
        """Have the items read that changed since the last look; raises `UpstreamError`."""
        if not await self._is_there():
            return
        since = await self._since()
        found = await self._erp.whole(
            ChangedItemRow, company=self._company, where=at_least(_MODIFIED, since - _OVERLAP)
        )
        changed = {row.ItemId: at for row in found.rows if (at := row.changed_at) is not None}
        new = [item for item, at in changed.items() if self._wanted.get(item) != at]
        if new:
            await self._want([*new, *await self._variants(new)])
        self._wanted = changed
        newest = max((since, *changed.values()))
        await self._marks.put(self._mark, newest.isoformat())

    async def _is_there(self) -> bool:
        now_us = self._clock.monotonic_us()
        if now_us < self._absent_until_us:
            return False
        if await self._erp.has(ChangedItemRow, company=self._company):
            return True
        self._absent_until_us = now_us + _ASK_AGAIN_US
        return False

    async def _since(self) -> datetime:
        """Return the newest change that was seen; at first, now: all before is read as a whole."""
        kept = await self._marks.get(self._mark)
        return self._clock.utc() if kept is None else datetime.fromisoformat(kept)

    async def _variants(self, items: Sequence[str]) -> list[str]:
        """Return the variants of masters among items: they have of these what they have not."""
        found: list[str] = []
        variants = self._erp.having(CatalogVariantRow, _MASTER, items, company=self._company)
        async for chunk in variants:
            found += [row.ProductVariantNumber for row in chunk.rows if row.ProductVariantNumber]
        return found
