"""What came of the rows of one batch, gathered from the several calls that wrote them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sync.mirror.ports import PlannedRow
from sync.products.options import FieldFaultError
from sync.store.mirror_records import RowEnd, RowKey, RowOutcome, Value

_NO_PRODUCT = "the shop has no product of this SKU"
_MAKE_IT = "make it in the shop, or let the master market do so: create and attribute_set"


class _Fault(NamedTuple):
    """Why a row was not written."""

    end: RowEnd
    field: str
    text: str
    advice: str


class RowResults:
    """Gathers what came of rows; what nobody tells of is left for a look at the shop.

    Args:
        batch: The rows.
    """

    def __init__(self, batch: Sequence[PlannedRow]) -> None:
        self._batch = batch
        self._done: dict[RowKey, dict[str, Value]] = {each.change.row: {} for each in batch}
        self._faults: dict[RowKey, _Fault] = {}
        self._ids: dict[RowKey, str] = {
            each.change.row: each.held.shop_id for each in batch if each.held is not None
        }
        self._partly: set[RowKey] = set()

    def done(self, row: PlannedRow, fields: Iterable[str]) -> None:
        """Note that fields are written as planned."""
        self._done[row.change.row] |= {name: row.values[name] for name in fields}

    def also(self, row: PlannedRow, name: str, value: Value) -> None:
        """Note what is kept of a row beside what is wanted."""
        self._done[row.change.row][name] = value

    def partly(self, row: PlannedRow, name: str, value: Value) -> None:
        """Note what of a field is written; the rest is wanted again by the next run."""
        self._done[row.change.row][name] = value
        self._partly.add(row.change.row)

    def made(self, row: PlannedRow, shop_id: str) -> None:
        """Note the shop's id of a row that had none."""
        self._ids[row.change.row] = shop_id

    def refuse(self, row: PlannedRow, fault: FieldFaultError) -> None:
        """Note that a row is refused; the first reason counts."""
        told = _Fault(RowEnd.REFUSED, fault.field, fault.text, fault.advice)
        self._faults.setdefault(row.change.row, told)

    def missing(self, row: PlannedRow, text: str = _NO_PRODUCT, advice: str = _MAKE_IT) -> None:
        """Note that the shop has no such thing."""
        self._faults.setdefault(row.change.row, _Fault(RowEnd.MISSING, "sku", text, advice))

    def odd_field(self, row: PlannedRow) -> str | None:
        """Return what is wrong with a row: a field, or "sku" for all of it; None for nothing."""
        fault = self._faults.get(row.change.row)
        return None if fault is None else fault.field

    def outcomes(self) -> list[RowOutcome]:
        """Return what came of the rows of which something is known."""
        return [outcome for row in self._batch if (outcome := self._outcome(row)) is not None]

    def _outcome(self, row: PlannedRow) -> RowOutcome | None:
        key = row.change.row
        done, fault = self._done[key], self._faults.get(key)
        is_whole = row.values.keys() <= done.keys() or key in self._partly
        if fault is None and not is_whole:
            return None
        return RowOutcome(
            scope=key.scope,
            key=key.key,
            end=RowEnd.WRITTEN if fault is None else fault.end,
            values=done,
            shop_id=self._ids.get(key),
            field="" if fault is None else fault.field,
            text="" if fault is None else fault.text,
            advice="" if fault is None else fault.advice,
        )
