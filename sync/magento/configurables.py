"""Configurable products: what their variants differ in, and which these are."""

from collections.abc import Sequence
from typing import Annotated, Any

from pricing_proxy.http_exchange import Guard
from sync.magento.calls import Calls
from sync.magento.catalog import ALL
from sync.magento.search import encoded
from sync.magento.wire_types import Rows, ShopModel, Text


class Variant(ShopModel):
    """A variant."""

    sku: str


class Axis(ShopModel):
    """An attribute in which the variants of a configurable differ."""

    id: int
    attribute_id: Text
    label: Text = ""
    values: Annotated[tuple[Any, ...], Rows] = ()


class ConfigurableCalls:
    """Reads and extends the configurable products of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def variants(self, sku: str) -> list[str]:
        """Return the SKUs of a configurable's variants."""
        rows = await self._calls.read("variants", f"{_of(sku)}/children?fields=sku")
        found = rows if isinstance(rows, list) else []
        return [self._calls.checked(Variant, row).sku for row in found]

    async def axes(self, sku: str) -> list[Axis]:
        """Return what the variants of a configurable differ in."""
        rows = await self._calls.read("axes", f"{_of(sku)}/options/all")
        found = rows if isinstance(rows, list) else []
        return [self._calls.checked(Axis, row) for row in found]

    async def add_axis(
        self,
        sku: str,
        attribute_id: int,
        *,
        label: str,
        position: int,
        values: Sequence[int],
        guard: Guard | None = None,
    ) -> str:
        """Let the variants of a configurable differ in an attribute; return the id of that."""
        option = {
            "attribute_id": str(attribute_id),
            "label": label,
            "position": position,
            "is_use_default": True,
            "values": [{"value_index": value} for value in values],
        }
        body = await self._calls.write(
            "add_axis", "POST", f"{_of(sku)}/options", {"option": option}, guard=guard
        )
        return str(body)

    async def add_variant(self, sku: str, variant: str, *, guard: Guard | None = None) -> None:
        """Add a variant; nothing is ever taken away.

        Raises:
            MagentoRejectedError: It is there already, or has no value of an attribute in which
                variants differ.
        """
        await self._calls.write(
            "add_variant", "POST", f"{_of(sku)}/child", {"childSku": variant}, guard=guard
        )


def _of(sku: str) -> str:
    return f"/rest/{ALL}/V1/configurable-products/{encoded(sku)}"
