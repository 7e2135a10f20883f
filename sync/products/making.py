"""Make products that the shop does not have: disabled, until a person or a rule enables them.

What a product must have beside the fields of its row is asked of the ERP anew: its name in all
store views by default, and its price where each website has one. Nothing of that is owned later.

The shop calls a product's page by its name, and refuses a second product of that name; the ERP has
many. So what was refused is made once more, with its SKU behind the name of its page. That is done
whatever the shop says of it, as it says so in its own language; another reason is told again.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sync.engine.flow import Work
from sync.mirror.ports import PlannedRow
from sync.products.erp_product import ProductKind
from sync.products.mapped import Born
from sync.products.mapping import DISABLED, PRICE, TYPE
from sync.products.market import ProductMarket
from sync.products.members import members_of
from sync.products.options import FieldFaultError, OptionBook
from sync.products.page_names import URL_KEY, with_own_page
from sync.products.patches import Patch, Patched, ProductPatches
from sync.products.ports import Births
from sync.products.row_results import RowResults

_NOWHERE_ALONE = 1
_ENTRY = "the shop has no product of this SKU, and none is made"
_UNPRICED = "the ERP says no name, or no price, to make it with"


class Making:
    """Makes products of one market.

    Args:
        births: Knows what they are made with.
        patches: Writes them.
        options: The shop's attributes.
        market: The market.
    """

    def __init__(
        self, births: Births, *, patches: ProductPatches, options: OptionBook, market: ProductMarket
    ) -> None:
        self._births = births
        self._patches = patches
        self._options = options
        self._market = market

    async def make(self, rows: Sequence[PlannedRow], results: RowResults, work: Work) -> None:
        """Make products of rows that the shop does not have."""
        rules = self._market.rules
        if not rules.create or rules.attribute_set is None:
            for row in rows:
                advice = f"set {self._market.key('attribute_set')}, or make it in the shop"
                results.missing(row, _ENTRY, advice)
            return
        births = await self._births.born([row.change.key for row in rows])
        patches: list[Patch] = []
        for row in rows:
            patch = await self._patch(row, births.get(row.change.key), results, work)
            if patch is not None:
                patches.append(patch)
        if not patches:
            return
        for patch, end in await self._created(patches, work):
            if end.fault is not None:
                results.refuse(patch.row, end.fault)
                continue
            if end.product and "id" in end.product:
                results.made(patch.row, str(end.product["id"]))
            results.done(patch.row, patch.fields)

    async def _created(
        self, patches: Sequence[Patch], work: Work
    ) -> Sequence[tuple[Patch, Patched]]:
        """Return what came of each product, at the second try where the first was refused."""
        ends = dict(enumerate(await self._patches.create(patches, work=work)))
        again = {
            number: with_own_page(patch)
            for number, patch in enumerate(patches)
            if ends[number].fault is not None and URL_KEY not in patch.row.values
        }
        if again:
            retried = await self._patches.create([*again.values()], work=work)
            ends |= dict(zip(again, retried, strict=True))
        return [(patch, ends[number]) for number, patch in enumerate(patches)]

    async def _patch(
        self, row: PlannedRow, born: Born | None, results: RowResults, work: Work
    ) -> Patch | None:
        kind = str(row.values.get(TYPE, ProductKind.SIMPLE))
        is_priced = kind != ProductKind.CONFIGURABLE
        price = row.values.get(PRICE) or (None if born is None else born.price)
        if born is None or (is_priced and price is None):
            results.missing(row, _UNPRICED, "complete the item in the ERP, then replay")
            return None
        try:
            members = await members_of(row.values, self._options, work)
        except FieldFaultError as fault:
            results.refuse(row, fault)
            return None
        members |= self._fixed(born, kind)
        if is_priced:
            members["price"] = Decimal(str(price))
        own = members.get("extension_attributes", {})
        if kind == ProductKind.CONFIGURABLE:
            # Made without, it is out of stock for good, whatever its variants have.
            own = {"stock_item": {**own.get("stock_item", {}), "is_in_stock": True}}
        members["extension_attributes"] = {"website_ids": list(self._market.websites), **own}
        return Patch(row, row.change.key, members, list(row.values))

    def _fixed(self, born: Born, kind: str) -> Mapping[str, Any]:
        rules = self._market.rules
        return {
            "name": born.name,
            "attribute_set_id": rules.attribute_set,
            "type_id": kind,
            "status": int(DISABLED),
            "visibility": _NOWHERE_ALONE if born.is_variant else rules.visibility,
        }
