"""A document set as it shows itself now: in the order of its key, under the names of now.

The order of a whole set is kept until one of its rows changes; a filter that names values of an
indexed field, or the instant since which rows changed, looks at no other rows.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol, overload

from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.documents.schema import ENUM_MEMBERS, DocumentSet
from pricing_proxy.sandbox.odata_bounds import Bound
from pricing_proxy.sandbox.odata_query import Source, sort_key
from pricing_proxy.sandbox.row_values import Row


class ReadTable(Protocol):
    """Rows that can be read."""

    @property
    def revision(self) -> int:
        """A number that rises with each change of any row."""

    def __iter__(self) -> Iterator[DocumentRow]:
        """Yield all rows."""

    def get(self, *key: str) -> DocumentRow | None:
        """Return the row under a key."""

    def among(self, values: Mapping[str, Collection[str]]) -> list[DocumentRow] | None:
        """Return all rows that may have one of these values; None for whoever knows better."""

    def since(self, field: str, low: str) -> list[DocumentRow] | None:
        """Return the rows with an instant or a later one; None for whoever knows better."""


class Shown:
    """A set under its present names."""

    def __init__(self, named: DocumentSet, new_names: Mapping[str, str]) -> None:
        self._new_names = new_names
        self.real_names = {new: old for old, new in new_names.items()}
        self.sample = self._renamed(named.empty)
        self.enums = self._renamed(named.enums)

    def view(self, row: Row) -> Row:
        """Return a row under the names of now."""
        return _RenamedRow(row, self.real_names) if self._new_names else row

    def _renamed(self, members: Mapping[str, Any]) -> dict[str, Any]:
        if not self._new_names:
            return dict(members)
        return {self._new_names.get(name, name): value for name, value in members.items()}


class Ordered:
    """The rows of sets in the order of their keys."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, list[DocumentRow]]] = {}

    def source(self, named: DocumentSet, table: ReadTable, shown: Shown) -> Source:
        """Return what a query of a set is asked of."""

        def narrow(bounds: Mapping[str, Bound]) -> tuple[Sequence[Row], Collection[str]]:
            real = {shown.real_names.get(name, name): bound for name, bound in bounds.items()}
            some = table.among(
                {name: bound.values for name, bound in real.items() if bound.values is not None}
            )
            for name, bound in real.items():
                if some is None and bound.low:
                    some = table.since(name, bound.low)
            rows = self._whole(named, table) if some is None else _sorted(some, named)
            return [shown.view(row) for row in rows] if shown.real_names else rows, ()

        whole = _Later(lambda: [shown.view(row) for row in self._whole(named, table)])
        return Source(named.name, named.key, whole, shown.sample, shown.enums, ENUM_MEMBERS, narrow)

    def _whole(self, named: DocumentSet, table: ReadTable) -> list[DocumentRow]:
        kept = self._kept.get(named.name)
        if kept is None or kept[0] != table.revision:
            kept = self._kept[named.name] = table.revision, _sorted(table, named)
        return kept[1]


class _Later(Sequence[Row]):
    """Rows that are put together when they are first looked at."""

    def __init__(self, make: Callable[[], list[Row]]) -> None:
        self._make = make
        self._made: list[Row] | None = None

    def __len__(self) -> int:
        return len(self._rows())

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self._rows()[index]

    def _rows(self) -> list[Row]:
        if self._made is None:
            self._made = self._make()
        return self._made


class _RenamedRow(dict[str, Any]):
    """A row seen under other names; it holds nothing itself."""

    def __init__(self, row: Row, real_names: Mapping[str, str]) -> None:
        super().__init__()
        self._row = row
        self._real_names = real_names

    def __missing__(self, name: str) -> Any:
        return self._row[self._real_names.get(name, name)]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, which every row has."""
        return self._row.get(name, default)


def _sorted(rows: "ReadTable | list[DocumentRow]", named: DocumentSet) -> list[DocumentRow]:
    return sorted(rows, key=lambda row: sort_key(row, named.key))
