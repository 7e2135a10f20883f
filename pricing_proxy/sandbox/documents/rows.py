"""Rows of documents in memory: sparse, indexed where readers look, and undone together."""

import base64
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

from pricing_proxy.sandbox.book import FIRST_RECORD_ID, fold
from pricing_proxy.sandbox.odata_query import ETAG
from pricing_proxy.sandbox.row_values import NULL_DATE

Key = tuple[str, ...]

WRITTEN = "written_at"
"""Stands for the instant at which a row was put into its table, which no field need tell."""


class DocumentRow(dict[str, Any]):
    """The fields of a row that were set; any other reads as empty, or is computed.

    Attributes:
        empty: What the others hold.
        computed: Functions of the row for fields that are computed when read.
        written_at: When it was put into its table, as F&O writes it; sets that know no such
            field do not show it.
    """

    __slots__ = ("computed", "empty", "written_at")

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        empty: Mapping[str, Any],
        computed: Mapping[str, Callable[["DocumentRow"], Any]],
    ) -> None:
        super().__init__(values)
        self.empty = empty
        self.computed = computed
        self.written_at = NULL_DATE

    def __missing__(self, name: str) -> Any:
        compute = self.computed.get(name)
        return self.empty[name] if compute is None else compute(self)

    def instant(self, field: str) -> str:
        """Return an instant of the row; of `WRITTEN`, when it was put into its table."""
        return self.written_at if field == WRITTEN else str(self[field])

    def changed(self, values: Mapping[str, Any]) -> "DocumentRow":
        """Return the row with other values."""
        return DocumentRow({**self, **values}, empty=self.empty, computed=self.computed)


class UndoLog:
    """Remembers how to take back what a transaction did, and counts versions of rows."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._versions = count(FIRST_RECORD_ID)
        self._steps: list[Callable[[], None]] = []
        self._depth = 0

    def new_tag(self) -> str:
        """Return a tag that no row had, in the form of F&O's "version,record id"."""
        record = f"'{next(self._versions)},{FIRST_RECORD_ID}'"
        return f'W/"{base64.b64encode(record.encode()).decode()}"'

    def time(self) -> str:
        """Return the time as rows hold it."""
        return f"{self._now():%Y-%m-%dT%H:%M:%SZ}"

    def add(self, step: Callable[[], None]) -> None:
        """Remember how to undo what was just done."""
        self._steps.append(step)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that the block does, or none of it when it raises; may be nested."""
        begun = len(self._steps)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._steps) > begun:
                self._steps.pop()()
            raise
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._steps.clear()


class _InOrder:
    """The keys of rows in the order of an instant that each row has."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, Key]] = []
        self._at: dict[Key, str] = {}

    def put(self, key: Key, at: str | None) -> None:
        """Give a row another instant; None takes it out."""
        old = self._at.pop(key, None)
        if old is not None:
            del self._keys[bisect_left(self._keys, (old, key))]
        if at is not None:
            self._at[key] = at
            insort(self._keys, (at, key))

    def since(self, low: str) -> list[Key] | None:
        """Return those of an instant and later; None where those are most of all."""
        start = bisect_left(self._keys, (low, ()))
        if 2 * start < len(self._keys):
            return None
        return [key for _, key in self._keys[start:]]


class DocumentTable:
    """The rows behind one or more versions of a set.

    Attributes:
        revision: Rises with each change of any row.
    """

    def __init__(
        self,
        *,
        key: Sequence[str],
        indexed: Sequence[str],
        undo: UndoLog,
        instants: Sequence[str] = (),
    ) -> None:
        """Begin empty.

        Args:
            key: The fields that name a row.
            indexed: Fields by whose values rows are found at once.
            undo: Takes back what fails.
            instants: Fields since whose values rows are found at once; `WRITTEN` always is.
        """
        self.key = tuple(key)
        self.revision = 0
        self._rows: dict[Key, DocumentRow] = {}
        self._indexes: dict[str, dict[str, dict[Key, DocumentRow]]] = {
            field: {} for field in indexed
        }
        self._order = {field: _InOrder() for field in (WRITTEN, *instants)}
        self._undo = undo

    def __iter__(self) -> Iterator[DocumentRow]:
        return iter(self._rows.values())

    def get(self, *key: str) -> DocumentRow | None:
        """Return the row under a key; neither case nor blanks behind it matter."""
        return self._rows.get(tuple(fold(value) for value in key))

    def having(self, field: str, value: str) -> list[DocumentRow]:
        """Return the rows with a value in an indexed field."""
        return list(self._indexes[field].get(fold(value), {}).values())

    def among(self, values: Mapping[str, Collection[str]]) -> list[DocumentRow] | None:
        """Return all rows that may have one of these values: those of the first indexed field.

        Args:
            values: Folded, by field.

        Returns:
            None where none of the fields is indexed.
        """
        for field, ones in values.items():
            if field in self._indexes:
                return [row for one in ones for row in self._indexes[field].get(one, {}).values()]
        return None

    def since(self, field: str, low: str) -> list[DocumentRow] | None:
        """Return the rows with an instant or a later one; None where that finds nothing sooner."""
        order = self._order.get(field)
        keys = None if order is None else order.since(low)
        return None if keys is None else [self._rows[key] for key in keys]

    def put(self, row: DocumentRow) -> None:
        """Add a row, or put it in the place of the one with its key; either has a new tag."""
        row[ETAG] = self._undo.new_tag()
        row.written_at = self._undo.time()
        key = self._key_of(row)
        old = self._rows.get(key)
        self._set(key, row)
        self._undo.add(lambda: self._set(key, old))

    def remove(self, row: DocumentRow) -> None:
        """Take a row out."""
        key = self._key_of(row)
        self._set(key, None)
        self._undo.add(lambda: self._set(key, row))

    def _set(self, key: Key, row: DocumentRow | None) -> None:
        self.revision += 1
        old = self._rows.pop(key, None) if row is None else self._rows.get(key)
        for field, index in self._indexes.items():
            if old is not None:
                index[fold(str(old[field]))].pop(key, None)
            if row is not None:
                index.setdefault(fold(str(row[field])), {})[key] = row
        for field, order in self._order.items():
            order.put(key, None if row is None else row.instant(field))
        if row is not None:
            self._rows[key] = row

    def _key_of(self, row: DocumentRow) -> Key:
        return tuple(fold(str(row[field])) for field in self.key)
