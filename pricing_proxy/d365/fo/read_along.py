"""Walk through a set along one field, believing no more of its order than the answers say.

    $filter=ItemNumber ge 'last'  $orderby=ItemNumber,…the key  $top=5000

The only thing relied on is that the ERP's `$orderby` and its `ge` agree; which texts come first
and which are equal is its collation's affair. So what equals the last value in that collation is
asked for again, and told apart by the full key. The last value of a full answer may go on in
the next: its rows wait for that, so that all rows of one value come together. A value that has
more rows than an answer is read alone. Pure.
"""

from collections.abc import Sequence

from pricing_proxy.d365 import paging
from pricing_proxy.d365.odata import Filter, at_least, more_than
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.errors import UpstreamContractError

_Key = tuple[object, ...]


class AlongField:
    """How far such a walk is.

    Attributes:
        is_first: Whether nothing was answered yet.
        is_over: Whether all was.
        last: The last value that is whole.
        oversized: A value that is to be read alone before anything else.
        brought: How many rows came.
        promised: How many the first answer counted.
    """

    def __init__(
        self, key: Sequence[str], field: str, after: str, *, chunk_rows: int, system: str
    ) -> None:
        """Begin.

        Args:
            key: The set's.
            field: Which is walked along.
            after: The last value that is known; empty for the beginning.
            chunk_rows: How many rows a full answer has.
            system: The other side's name in errors.
        """
        self.is_first = True
        self.is_over = False
        self.last = after
        self.oversized: str | None = None
        self.brought = 0
        self.promised: int | None = None
        self._key = key
        self._field = field
        self._after = after
        self._chunk_rows = chunk_rows
        self._system = system
        self._is_beyond = False
        self._seen: set[_Key] = set()

    @property
    def condition(self) -> Filter | None:
        """What is asked for next; None for the beginning."""
        if not self.last:
            return None
        beyond = more_than if self._is_beyond else at_least
        return beyond(self._field, self.last)

    def take(self, page: Sequence[paging.Row], promised: int | None) -> list[paging.Row]:
        """Return the rows of an answer that are new and whole; `oversized` may be set then.

        Raises:
            UpstreamContractError: A row is not in the place it should be.
        """
        if self.is_first:
            self.is_first, self.promised = False, promised
        self.is_over = len(page) < self._chunk_rows
        new = [row for row in page if self._key_of(row) not in self._seen]
        again = [row for row in page if self._key_of(row) in self._seen]
        if self.is_over:
            return self._known(new, again, self._value(new[-1]) if new else self.last)
        tail = self._value(page[-1])
        whole = self._before(new, tail)
        if whole:
            return self._known(whole, again, self._value(whole[-1]))
        if not tail or "*" in tail:
            raise UpstreamContractError(
                f"{self._chunk_rows} rows with {tail!r} as {self._field}", system=self._system
            )
        self.oversized = tail
        return []

    def take_alone(self, rows: Sequence[paging.Row]) -> list[paging.Row]:
        """Return the rows of the value that was read alone, as far as they are new."""
        value, self.oversized = self.oversized or "", None
        # Others that the ERP takes for equal came too, and would not come again.
        new = self._known([row for row in rows if self._key_of(row) not in self._seen], [], value)
        self._is_beyond = True
        return new

    def _before(self, rows: Sequence[paging.Row], tail: str) -> list[paging.Row]:
        """Return rows without those at the end that have the last value."""
        whole = list(rows)
        while whole and is_same_name(self._value(whole[-1]), tail):
            whole.pop()
        return whole

    def _known(
        self, rows: list[paging.Row], again: list[paging.Row], last: str
    ) -> list[paging.Row]:
        self.brought += len(rows)
        self.last, self._is_beyond = last, False
        # Only what equals `last` may come again: the ERP's order has passed all others.
        self._seen = {self._key_of(row) for row in (*rows, *again)}
        if not self._after:
            return rows
        return [row for row in rows if not is_same_name(self._value(row), self._after)]

    def _value(self, row: paging.Row) -> str:
        value = row.get(self._field)
        if not isinstance(value, str):
            raise UpstreamContractError(f"a row without {self._field}", system=self._system)
        return value

    def _key_of(self, row: paging.Row) -> _Key:
        return tuple(row.get(name) for name in self._key)
