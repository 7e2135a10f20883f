"""Base prices of products, by the batch route.

Good rows are written beside bad ones. A refused row is told in the answer by a message whose
parameters may name its SKU, and may not: the caller reads back where one names none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.http_exchange import Guard
from pricing_proxy.names import same_name_key
from sync.magento.calls import V1, Calls
from sync.magento.fault_messages import ShopFault, read_fault
from sync.magento.wire_types import ShopModel

_ROUTE = f"{V1}/products/base-prices"

DEFAULT_STORE = 0
"""The store id of the price that all websites have by default."""


class BasePrice(ShopModel):
    """The net price of one unit, in the base currency of the store view's website."""

    sku: str
    store_id: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class PriceFaults:
    """What was refused of a batch.

    Attributes:
        rows: By the SKU that a message names.
        nameless: Those that name none.
    """

    rows: dict[str, ShopFault]
    nameless: tuple[ShopFault, ...]


class BasePriceCalls:
    """Reads and writes the base prices of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def prices(self, skus: Sequence[str]) -> list[BasePrice]:
        """Return the base prices of SKUs, in no order; those without one are missing."""
        body = {"skus": list(skus)}
        rows = await self._calls.read_by_post("base_prices", f"{_ROUTE}-information", body)
        found = rows if isinstance(rows, list) else []
        return [self._calls.checked(BasePrice, row) for row in found]

    async def set_prices(
        self, prices: Sequence[BasePrice], *, guard: Guard | None = None
    ) -> PriceFaults:
        """Write base prices, and return what was refused."""
        body = {"prices": [price.model_dump() for price in prices]}
        rows = await self._calls.write("set_base_prices", "POST", _ROUTE, body, guard=guard)
        answered = rows if isinstance(rows, list) else []
        found = [fault for row in answered if (fault := read_fault(row)) is not None]
        return _sorted(found, [price.sku for price in prices])


def _sorted(faults: Sequence[ShopFault], skus: Sequence[str]) -> PriceFaults:
    by_key = {same_name_key(sku): sku for sku in skus}
    rows: dict[str, ShopFault] = {}
    nameless: list[ShopFault] = []
    for fault in faults:
        named = [by_key.get(same_name_key(text)) for text in fault.parameters.values()]
        sku = next(filter(None, named), None)
        if sku is None:
            nameless.append(fault)
        else:
            rows[sku] = fault
    return PriceFaults(rows, tuple(nameless))
