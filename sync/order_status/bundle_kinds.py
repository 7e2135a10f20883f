"""Which bundles are shipped as one piece: the shop's order does not say, its refusals do.

What a refusal has told of a product is remembered, so that it is told once. Where none can come, as
nothing is sent of a bundle of which only some parts are delivered, the product is asked: its parts
would never be shipped otherwise. It is asked as well where a refusal says nothing that can be read,
as a shop refuses in its own language. A product may be another by now than when it was ordered,
which the refusal then says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from sync.engine.flow import Work
from sync.magento.answers import MagentoRejectedError
from sync.magento.reserving_models import ReservingLine
from sync.order_status.mapping import BundleDelivery, SourceDelivery
from sync.order_status.ports import ShopBundles

_KIND, _SEPARATELY, _TOGETHER = "bundle_shipment", "Separately", "Together"
# As recorded: Cannot create shipment as bundle product "SKU" has shipment type "Together".
_TOLD = re.compile(r'bundle product "(?P<sku>[^"]+)" has shipment type "(?P<kind>\w+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleKinds:
    """What is known of the bundles of one delivery.

    Attributes:
        deliveries: What is delivered of them.
        separately: The rows of those whose parts are shipped by themselves.
        told: The rows of those of which a refusal has told in this attempt.
    """

    deliveries: Sequence[BundleDelivery]
    separately: frozenset[int]
    told: frozenset[int] = frozenset()

    @classmethod
    async def of(cls, work: Work, delivery: SourceDelivery, shop: ShopBundles) -> Self:
        """Return what is remembered, or the shop says where no refusal can.

        Of others it is taken that they are shipped together.
        """
        apart = {
            each.parent.item_id
            for each in delivery.bundles
            if await work.links.erp_key(_KIND, str(each.parent.product_id)) == _SEPARATELY
        }
        partly = {
            each.parent.item_id: each.parent.product_id
            for each in delivery.bundles
            if not each.bundles and each.parent.product_id and each.parent.item_id not in apart
        }
        if partly:
            asked = sorted(set(partly.values()))
            found = await shop.shipped_in_parts(asked)
            apart |= {item for item, number in partly.items() if number in found}
        return cls(deliveries=delivery.bundles, separately=frozenset(apart))

    @property
    def bundles(self) -> Sequence[ReservingLine]:
        """Their rows."""
        return [each.parent for each in self.deliveries]

    @property
    def companions(self) -> frozenset[int]:
        """The rows that a shipment lists beside those that it ships."""
        return frozenset(
            item
            for bundle in self.deliveries
            for item in (
                [bundle.parent.item_id]
                if bundle.parent.item_id in self.separately
                else bundle.parts
            )
        )

    def told_by(self, error: MagentoRejectedError) -> "BundleKinds | None":
        """Return what a refusal tells beside what was known; None where that is nothing new."""
        kinds = dict(_TOLD.findall("\n".join(fault.text for fault in error.faults)))
        apart, told = set(self.separately), set(self.told)
        for row in self.bundles:
            kind = _of(row, kinds)
            if kind is None or row.item_id in told:
                continue
            told.add(row.item_id)
            apart = apart | {row.item_id} if kind == _SEPARATELY else apart - {row.item_id}
        if told == self.told:
            return None
        return replace(self, separately=frozenset(apart), told=frozenset(told))

    async def asked(self, shop: ShopBundles) -> "BundleKinds | None":
        """Return what the products say after a refusal that tells nothing; None for nothing new."""
        untold = {
            row.item_id: row.product_id
            for row in self.bundles
            if row.product_id is not None and row.item_id not in self.told
        }
        if not untold:
            return None
        found = await shop.shipped_in_parts(sorted(set(untold.values())))
        apart = {item for item, number in untold.items() if number in found}
        separately = frozenset(self.separately - untold.keys() | apart)
        if separately == self.separately:
            return None
        return replace(self, separately=separately, told=self.told | untold.keys())

    async def remember(self, work: Work) -> None:
        """Keep what was told, now that the shop has agreed."""
        for row in self.bundles:
            if row.item_id in self.told and row.product_id is not None:
                kind = _SEPARATELY if row.item_id in self.separately else _TOGETHER
                await work.links.remember(_KIND, str(row.product_id), kind)


def _of(row: ReservingLine, kinds: Mapping[str, str]) -> str | None:
    """Return what is told of a row's product; its SKU may go on with those of its parts."""
    fitting = [sku for sku in kinds if row.sku.casefold().startswith(sku.casefold())]
    return kinds[max(fitting, key=len)] if fitting else None
