"""A set whose rows are made when they are looked at: what is kept is what they are made of."""

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any, overload

from pricing_proxy.sandbox.book import Book, fold
from pricing_proxy.sandbox.entity_sets import EntitySet, Listing
from pricing_proxy.sandbox.odata_bounds import Bound
from pricing_proxy.sandbox.odata_query import COMPANY_FIELD
from pricing_proxy.sandbox.row_values import Row

_PARTS = 1000


class MadeRows(Sequence[Row]):
    """Rows made of entries."""

    def __init__(self, entries: Sequence[Any], make: Callable[[Any], Row]) -> None:
        self._entries = entries
        self._make = make

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._make(each) for each in self._entries[index]]
        return self._make(self._entries[index])


class LargeSet:
    """The rows of a set in the order of their key, as of one assortment of the book."""

    def __init__(
        self,
        entity_set: EntitySet,
        listing: Listing,
        book: Book,
        *,
        told_share: float = 1.0,
        change: Callable[[Row], Row] = lambda row: row,
    ) -> None:
        """Find and order all there is.

        Args:
            entity_set: The set.
            listing: How its rows are made.
            book: Of what.
            told_share: The share of the rows that are told.
            change: Makes of a row what is told of it.
        """
        self._book = book
        self._listing = listing
        self._change = change
        most = told_share * _PARTS
        key = [name for name in entity_set.key if name != COMPANY_FIELD]
        lead, made = key.index(listing.lead), []
        for number, entry in enumerate(listing.entries(book)):
            told = listing.key(entry)
            if zlib.crc32(told[lead].encode()) % _PARTS < most:
                made.append((*map(str.casefold, told), number, entry))
        made.sort(key=lambda each: each[:-1])
        self._entries = [each[-1] for each in made]
        self._leads = [each[lead].rstrip(" ") for each in made]
        self._also: dict[str, list[int]] = {}
        if listing.also_of is not None:
            for place, entry in enumerate(self._entries):
                self._also.setdefault(fold(listing.also_of(entry)), []).append(place)

    @property
    def rows(self) -> Sequence[Row]:
        """Every row."""
        return MadeRows(self._entries, self._make)

    def narrow(self, bounds: Mapping[str, Bound]) -> tuple[Sequence[Row], Collection[str]]:
        """Return the rows within bounds of the company and of what is found at once."""
        company = bounds.get(COMPANY_FIELD)
        if company is not None and not company.admits(fold(self._book.company)):
            return [], bounds.keys()
        lead, also = bounds.get(self._listing.lead), bounds.get(self._listing.also)
        if lead is not None:
            places = [self._entries[span.start : span.stop] for span in lead.within(self._leads)]
            found = places[0] if len(places) == 1 else list(chain.from_iterable(places))
            return MadeRows(found, self._make), (COMPANY_FIELD, self._listing.lead)
        if also is not None and also.values is not None:
            numbers = sorted(chain.from_iterable(self._also.get(one, ()) for one in also.values))
            found = [self._entries[number] for number in numbers]
            return MadeRows(found, self._make), (COMPANY_FIELD, self._listing.also)
        return self.rows, (COMPANY_FIELD,)

    def _make(self, entry: Any) -> Row:
        return self._change(self._listing.row(self._book, entry))
