"""Write planned rows into the shop: `sync.mirror.ports.MirrorWriter`.

    global      made where it is missing; else its members through all store views, its price by
                the batch route
    links       variants are added, never taken away
    view/N      the name, through that store view alone
    website/N   the status, through one store view, and read back: the shop gives the value to the
                website's other views, or not; its price likewise by the batch route

Only planned fields are sent, under the shop's own spelling of a SKU: another one would rename the
product. A row or field that is refused says why, and the others are written.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.flow import Work
from sync.mirror.ports import PlannedRow
from sync.products.linking import Linking
from sync.products.making import Making
from sync.products.mapping import BLOCKED, DISABLED, PRICE, STATUS, TYPE
from sync.products.market import GLOBAL, LINKS
from sync.products.members import STATUS_BEFORE, members_of, sku_of, unblocking
from sync.products.options import FieldFaultError, OptionBook
from sync.products.patches import Patch, ProductPatches
from sync.products.pricing import Pricing
from sync.products.row_results import RowResults
from sync.products.shop_reading import SKU, ShopReading
from sync.store.mirror_records import HeldRow, MirrorChange, RowKey, RowOutcome, Value

_NOT_KEPT = "the shop has another status after it was written"
_OTHER_NUMBER = "give one of them another number, in the ERP or in the shop; then replay"
_KEPT_ADVICE = "see whether a module of the shop sets it, or its store views differ; then replay"


class ProductWriter:
    """Writes one market's products.

    Args:
        reading: Reads the shop.
        patches: Writes members of products.
        making: Makes products.
        linking: Adds variants.
        pricing: Writes prices.
        options: The shop's attributes.
    """

    def __init__(
        self,
        reading: ShopReading,
        *,
        patches: ProductPatches,
        making: Making,
        linking: Linking,
        pricing: Pricing,
        options: OptionBook,
    ) -> None:
        self._reading = reading
        self._patches = patches
        self._making = making
        self._linking = linking
        self._pricing = pricing
        self._options = options

    async def read(self, rows: Sequence[MirrorChange]) -> dict[RowKey, HeldRow]:
        """Return what the shop has of the wanted fields."""
        return await self._reading.read(rows)

    async def write(self, batch: Sequence[PlannedRow], work: Work) -> list[RowOutcome]:
        """Write one batch; raises `UpstreamError` when it failed as a whole."""
        results = RowResults(batch)
        for row in batch:
            if not is_same_name(sku_of(row), row.change.key):
                results.refuse(row, _taken(row))
        batch = [row for row in batch if results.odd_field(row) is None]
        new = [row for row in batch if row.held is None and row.change.scope == GLOBAL]
        if new:
            await self._making.make(new, results, work)
        known = await self._known(batch, results)
        links = [row for row in known if row.change.scope == LINKS]
        if links:
            await self._linking.link(links, results, work)
        await self._write_members(
            [row for row in known if row.change.scope != LINKS], results, work
        )
        await self._pricing.write([row for row in known if PRICE in row.values], results, work)
        return results.outcomes()

    async def _known(self, batch: Sequence[PlannedRow], results: RowResults) -> list[PlannedRow]:
        """Return the rows of products that the shop has, those made meanwhile among them."""
        known = [row for row in batch if row.held is not None]
        others = [row for row in batch if row.held is None and row.change.scope != GLOBAL]
        held = await self._reading.read([row.change for row in others]) if others else {}
        for row in others:
            found = held.get(row.change.row)
            if found is None:
                results.missing(row)
            else:
                results.made(row, found.shop_id)
                known.append(replace(row, held=found))
        return known

    async def _write_members(
        self, rows: Sequence[PlannedRow], results: RowResults, work: Work
    ) -> None:
        patches: dict[str, list[Patch]] = defaultdict(list)
        for row in rows:
            if (patch := await self._patch(row, results, work)) is not None:
                patches[await self._reading.store_of(row.change.scope)].append(patch)
        for store, some in patches.items():
            await self._change(some, store, results, work)

    async def _patch(self, row: PlannedRow, results: RowResults, work: Work) -> Patch | None:
        """Return what is sent of a row; None where nothing is, or it is refused."""
        if TYPE in row.values:
            results.refuse(row, self._wrong_type(row))
            return None
        fields = [name for name in row.values if name != PRICE]
        values = {name: row.values[name] for name in fields if name != BLOCKED}
        if BLOCKED in row.values:
            status = DISABLED if row.values[BLOCKED] == "1" else unblocking(row)
            if status is None:
                self._settle(row, results)
                fields.remove(BLOCKED)
            else:
                values[STATUS] = status
        members = await self._members(row, values, results, work)
        sent = [name for name in fields if name == BLOCKED or name in values]
        return Patch(row, sku_of(row), members, sent) if members else None

    async def _members(
        self, row: PlannedRow, values: dict[str, Value], results: RowResults, work: Work
    ) -> dict[str, Any]:
        """Return what fields become; one that becomes nothing is refused, and leaves `values`."""
        while values:
            try:
                return await members_of(values, self._options, work)
            except FieldFaultError as fault:
                results.refuse(row, fault)
                del values[fault.field]
        return {}

    async def _change(
        self, patches: Sequence[Patch], store: str, results: RowResults, work: Work
    ) -> None:
        ends = await self._patches.change(patches, store=store, work=work)
        written: list[Patch] = []
        for patch, end in zip(patches, ends, strict=True):
            if end.fault is not None:
                results.refuse(patch.row, end.fault)
            else:
                written.append(patch)
        statuses = [patch for patch in written if "status" in patch.members]
        kept = await self._kept(statuses, store, results)
        for patch in written:
            if patch not in statuses or patch in kept:
                results.done(patch.row, patch.fields)
                if BLOCKED in patch.fields:
                    self._settle(patch.row, results)

    async def _kept(
        self, patches: Sequence[Patch], store: str, results: RowResults
    ) -> Sequence[Patch]:
        """Return those whose status the shop has now; refuse the others."""
        if not patches:
            return ()
        found = await self._reading.products([patch.sku for patch in patches], store=store)
        kept: list[Patch] = []
        for patch in patches:
            product = found.get(same_name_key(patch.sku))
            if product is not None and product.status == patch.members["status"]:
                kept.append(patch)
            else:
                results.refuse(patch.row, FieldFaultError(STATUS, _NOT_KEPT, _KEPT_ADVICE))
        return kept

    def _settle(self, row: PlannedRow, results: RowResults) -> None:
        """Note that a block is as it should be, and what is given back when it ends."""
        is_blocked = row.values[BLOCKED] == "1"
        before = None if row.held is None else row.held.values.get(STATUS)
        results.done(row, [BLOCKED])
        results.also(row, STATUS_BEFORE, before if is_blocked else None)

    def _wrong_type(self, row: PlannedRow) -> FieldFaultError:
        return FieldFaultError(
            TYPE,
            f"the shop has another kind of product under this SKU than {row.values[TYPE]}",
            "give one of them another SKU, or take the item out of what the ERP releases",
        )


def _taken(row: PlannedRow) -> FieldFaultError:
    """Return why a row is not written whose SKU is another product's to the shop's database."""
    text = f"{row.change.key} is one to the shop with its product {sku_of(row)}"
    return FieldFaultError(SKU, text, _OTHER_NUMBER)
