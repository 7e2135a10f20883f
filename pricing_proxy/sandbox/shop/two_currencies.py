"""An order in another currency than the shop's: computed in each by itself, and put together.

Every amount is rounded in its own currency, so that neither follows from the other by the rate.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

_BASE = ("base_", "real_base_")


class DrawnIds:
    """Ids for an order's parts: the same ones again for its second computation."""

    def __init__(self, counters: Mapping[str, Iterator[Any]]) -> None:
        self._counters = counters
        self._drawn: dict[str, list[Any]] = {}
        self._again: dict[str, Iterator[Any]] = {}

    def next(self, kind: str) -> Any:
        """Return the next id of a kind."""
        for one in self._again.get(kind, ()):
            return one
        drawn = next(self._counters[kind])
        self._drawn.setdefault(kind, []).append(drawn)
        return drawn

    def rewind(self) -> None:
        """Begin again with the first of each kind."""
        self._again = {kind: iter(drawn) for kind, drawn in self._drawn.items()}


def in_two_currencies(
    order: Mapping[str, Any], base: Mapping[str, Any], *, currency: str, rate: Decimal
) -> dict[str, Any]:
    """Return an order whose amounts in the shop's currency are those of another computation."""
    told = {"order_currency_code": currency, "base_to_order_rate": rate}
    return {**_merged(order, base), **told}


def _merged(one: Any, base: Any) -> Any:
    if isinstance(one, dict) and isinstance(base, dict):
        return {
            name: base[name]
            if str(name).startswith(_BASE) and name in base
            else _merged(value, base.get(name))
            for name, value in one.items()
        }
    if isinstance(one, list) and isinstance(base, list) and len(one) == len(base):
        return [_merged(*pair) for pair in zip(one, base, strict=True)]
    return one
