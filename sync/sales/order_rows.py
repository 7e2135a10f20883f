"""The rows of an order of the shop, found by what the ERP's lines say of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Generic, Protocol, TypeVar

from pricing_proxy.names import same_name_key
from sync.sales.value_lines import line_reference

_NOTHING, _WHOLE, _DECIMALS = Decimal(0), Decimal(1), Decimal("0.0001")


class OrderedRow(Protocol):
    """A row of an order."""

    @property
    def item_id(self) -> int:
        """The shop's id of it."""
        ...

    @property
    def qty_ordered(self) -> Decimal:
        """How much of it was ordered."""
        ...


R = TypeVar("R", bound=OrderedRow)


class NamedRows(Generic[R]):
    """An order's rows.

    Attributes:
        by_id: By the shop's ids.

    Args:
        number: What people call the order.
        rows: All of it.
    """

    def __init__(self, number: str, rows: Iterable[R]) -> None:
        self.by_id = {row.item_id: row for row in rows}
        self._number = number
        self._by_reference = {
            same_name_key(line_reference(number, row.item_id)): row for row in self.by_id.values()
        }

    def named(self, reference: str) -> R | None:
        """Return the row that the ERP's line names; None where nobody knows it."""
        return self._by_reference.get(same_name_key(reference))

    def is_service(self, reference: str) -> bool:
        """Return whether a line is the order's own and no row of it, as that of its shipping."""
        return bool(self.service_key(reference))

    def service_key(self, reference: str) -> str:
        """Return what stands for a row's id in the reference of such a line; empty for others."""
        begins = same_name_key(line_reference(self._number, ""))
        key = same_name_key(reference)
        rest = key.removeprefix(begins)
        return rest if key.startswith(begins) and not rest.isdecimal() else ""


def whole_bundles(
    parent: OrderedRow, parts: Sequence[OrderedRow], done: Mapping[int, Decimal]
) -> Decimal:
    """Return of how many bundles all parts are done.

    Args:
        parent: The bundle's row.
        parts: Its parts that count.
        done: How much of each part, by its row.
    """
    per_part = (
        done.get(part.item_id, _NOTHING) * parent.qty_ordered / part.qty_ordered for part in parts
    )
    unit = _WHOLE if parent.qty_ordered == int(parent.qty_ordered) else _DECIMALS
    return min(per_part, default=_NOTHING).quantize(unit, rounding=ROUND_FLOOR)
