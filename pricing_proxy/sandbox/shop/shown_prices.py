"""Which prices pages show: those of an index that a schedule brings up to date."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.sandbox.shop.catalog import Product


@dataclass(slots=True)
class _Shown:
    """The prices of a product before a change, by store view, and when it was changed."""

    before: Product
    changed_at: float


class ShownPrices:
    """Remembers what products cost before they were changed, until the index follows."""

    def __init__(self, *, delay_seconds: Callable[[], float], seconds: Callable[[], float]) -> None:
        self._delay_seconds = delay_seconds
        self._seconds = seconds
        self._shown: dict[int, _Shown] = {}

    def changed(self, before: Product, after: Product) -> None:
        """Note that a product was changed."""
        if _prices(before) == _prices(after):
            return
        held = self._shown.get(before.id)
        if held is None or self._is_due(held):
            self._shown[before.id] = _Shown(before, self._seconds())

    def price(self, product: Product, store_id: int) -> Decimal:
        """Return what the page of a product says it costs."""
        held = self._shown.get(product.id)
        if held is not None and self._is_due(held):
            del self._shown[product.id]
            held = None
        return product.price if held is None else held.before.seen_from(store_id).price

    def _is_due(self, held: _Shown) -> bool:
        return self._seconds() - held.changed_at >= self._delay_seconds()


def _prices(product: Product) -> tuple[Decimal, Mapping[int, object]]:
    own = {view: values["price"] for view, values in product.views.items() if "price" in values}
    return product.price, own
