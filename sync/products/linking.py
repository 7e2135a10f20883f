"""Add variants to configurables, as far as they are in the shop; nothing is ever taken away.

A configurable learns first what its variants differ in. Those that are not in the shop yet are
added by a later run, since what is acknowledged is what is there. The shop takes seconds for each:
what one attempt has no time for is wanted again at once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from pricing_proxy.clock import Clock
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
_NOT_YET = "none of its variants is in the shop yet"
_NO_TIME = "others took all the time there was"
# Well within an attempt, whose other rows wait behind it; the last variant may take half a minute.
_LONGEST_US = timedelta(seconds=100) // timedelta(microseconds=1)
_ADVICE = "compare the variants' dimensions in the ERP with the shop's attributes; then replay"


class Linking:
    """Links variants of one shop.

    Args:
        configurables: The shop's.
        reading: Reads the shop.
        options: Its attributes.
        clock: Time.
        want: Has keys read and planned again soon.
    """

    def __init__(
        self,
        configurables: ShopConfigurables,
        *,
        reading: ShopReading,
        options: OptionBook,
        clock: Clock,
        want: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._configurables = configurables
        self._reading = reading
        self._options = options
        self._clock = clock
        self._want = want

    async def link(self, rows: Sequence[PlannedRow], results: RowResults, work: Work) -> None:
        """Add what is missing of each row."""
        skus = [sku for row in rows for sku in _wanted(row, VARIANTS)]
        found = await self._reading.products(skus, store=ALL)
        until_us = self._clock.monotonic_us() + _LONGEST_US
        unfinished: list[str] = []
        for row in rows:
            try:
                if not await self._link(row, found, results, work, until_us=until_us):
                    unfinished.append(row.change.key)
            except FieldFaultError as fault:
                results.refuse(row, fault)
        if unfinished:
            await self._want(unfinished)

    async def _link(
        self,
        row: PlannedRow,
        found: Mapping[str, CatalogProduct],
        results: RowResults,
        work: Work,
        *,
        until_us: int,
    ) -> bool:
        """Add what is missing of one row; return whether there was time for all of it."""
        held = row.held.values if row.held is not None else {}
        linked = [*(held.get(VARIANTS) or [])]
        there = [sku for sku in _wanted(row, VARIANTS) if same_name_key(sku) in found]
        new = [sku for sku in there if sku not in linked]
        if not linked and not new:
            results.missing(row, _NOT_YET, "the next run adds them")
            return True
        if new and not linked and self._clock.monotonic_us() >= until_us:
            results.missing(row, _NO_TIME, "it is wanted again, and goes on by itself")
            return False
        variants = [found[same_name_key(sku)] for sku in there]
        known_axes = [*(held.get(AXES) or [])]
        for code in _wanted(row, AXES):
            if code not in known_axes:
                await self._add_axis(row, code, len(known_axes), variants, work)
                known_axes.append(code)
        results.partly(row, AXES, sorted(known_axes))
        for sku in new:
            if self._clock.monotonic_us() >= until_us:
                break
            await self._add(row, found[same_name_key(sku)].sku, work)
            linked.append(sku)
            results.partly(row, VARIANTS, sorted(linked))
        results.partly(row, VARIANTS, sorted(linked))
        return linked[-1:] == new[-1:] or not new

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
