"""Add variants to configurables, as far as they are in the shop; nothing is ever taken away.

A configurable learns first what its variants differ in. Those that are not in the shop yet are
added by a later run, since what is acknowledged is what is there.
"""

from collections.abc import Mapping, Sequence

from pricing_proxy.http_exchange import Guard
from pricing_proxy.names import same_name_key
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.answers import MagentoRejectedError
from sync.magento.catalog import ALL
from sync.magento.product_models import CatalogProduct
from sync.mirror.ports import PlannedRow
from sync.products.mapping import AXES, VARIANTS
from sync.products.members import sku_of
from sync.products.options import FieldFaultError, OptionBook
from sync.products.ports import ShopConfigurables
from sync.products.row_results import RowResults
from sync.products.shop_reading import ShopReading

_MAGENTO = "magento"
_LATER = "none of its variants is in the shop yet"
_ADVICE = "compare the variants' dimensions in the ERP with the shop's attributes; then replay"


class Linking:
    """Links variants of one shop.

    Args:
        configurables: The shop's.
        reading: Reads the shop.
        options: Its attributes.
    """

    def __init__(
        self, configurables: ShopConfigurables, *, reading: ShopReading, options: OptionBook
    ) -> None:
        self._configurables = configurables
        self._reading = reading
        self._options = options

    async def link(self, rows: Sequence[PlannedRow], results: RowResults, work: Work) -> None:
        """Add what is missing of each row."""
        skus = [sku for row in rows for sku in _wanted(row, VARIANTS)]
        found = await self._reading.products(skus, store=ALL)
        for row in rows:
            try:
                await self._link(row, found, results, work)
            except FieldFaultError as fault:
                results.refuse(row, fault)

    async def _link(
        self,
        row: PlannedRow,
        found: Mapping[str, CatalogProduct],
        results: RowResults,
        work: Work,
    ) -> None:
        held = row.held.values if row.held is not None else {}
        linked = [*(held.get(VARIANTS) or [])]
        there = [sku for sku in _wanted(row, VARIANTS) if same_name_key(sku) in found]
        new = [sku for sku in there if sku not in linked]
        if not linked and not new:
            results.missing(row, _LATER, "the next run adds them")
            return
        variants = [found[same_name_key(sku)] for sku in there]
        known_axes = [*(held.get(AXES) or [])]
        for code in _wanted(row, AXES):
            if code not in known_axes:
                await self._add_axis(row, code, len(known_axes), variants, work)
                known_axes.append(code)
        results.partly(row, AXES, sorted(known_axes))
        for sku in new:
            await self._add(row, found[same_name_key(sku)].sku, work)
            linked.append(sku)
            results.partly(row, VARIANTS, sorted(linked))
        results.partly(row, VARIANTS, sorted(linked))

    async def _add_axis(
        self,
        row: PlannedRow,
        code: str,
        position: int,
        variants: Sequence[CatalogProduct],
        work: Work,
    ) -> None:
        attribute = await self._options.attribute(code)
        if attribute is None:
            advice = f"make the product attribute {code} in the shop, then replay"
            raise FieldFaultError(code, "the shop has no such attribute", advice)
        values = {str(found) for each in variants if (found := each.attribute(code))}
        numbers = sorted(int(value) for value in values if value.isdecimal())

        async def send(*, guard: Guard) -> str:
            return await self._configurables.add_axis(
                sku_of(row),
                attribute.attribute_id,
                label=attribute.default_frontend_label or code,
                position=position,
                values=numbers,
                guard=guard,
            )

        about = {"sku": sku_of(row), "attribute": code}
        try:
            await written(work, _MAGENTO, "add axis", about, send)
        except MagentoRejectedError as error:
            raise _refused(AXES, error) from error

    async def _add(self, row: PlannedRow, variant: str, work: Work) -> None:
        sku = sku_of(row)

        async def send(*, guard: Guard) -> None:
            await self._configurables.add_variant(sku, variant, guard=guard)

        about = {"sku": sku, "variant": variant}
        try:
            await written(work, _MAGENTO, "add variant", about, send)
        except MagentoRejectedError as error:
            # Somebody may have added it meanwhile; that is refused too.
            linked = await self._configurables.variants(sku)
            if same_name_key(variant) not in map(same_name_key, linked):
                raise _refused(VARIANTS, error) from error


def _wanted(row: PlannedRow, name: str) -> list[str]:
    """Return what a row is to have: as planned, or as it had before."""
    value = row.change.wanted.get(name, (row.change.known or {}).get(name))
    return [*value] if isinstance(value, list) else []


def _refused(field: str, error: MagentoRejectedError) -> FieldFaultError:
    if error.concerns_all:
        raise error
    return FieldFaultError(field, "; ".join(error.reasons) or str(error), _ADVICE)
