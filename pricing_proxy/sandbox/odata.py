"""The entity sets of the book as OData: rows made once, and again when a journal was posted."""

from collections.abc import Mapping
from dataclasses import dataclass

from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.entities import ENTITY_SETS, ENUM_MEMBERS, EntitySet
from pricing_proxy.sandbox.odata_query import (
    ETAG,
    Page,
    Source,
    asked_fields,
    is_visible,
    key_values,
    output,
    query_page,
    refuse_unknown,
    sort_key,
)
from pricing_proxy.sandbox.row_values import Row

# F&O's own limit; a test takes a smaller one to see pages.
PAGE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of one set in the order of their key, as of one revision of the book."""

    revision: int
    source: Source
    by_key: Mapping[tuple[str, ...], Row]


class Tables:
    """The entity sets of a book."""

    def __init__(self, book: Book, *, page_size: int = PAGE_SIZE) -> None:
        self._book = book
        self._page_size = page_size
        self._tables: dict[str, _Table] = {}

    def page(self, entity_set: EntitySet, query: Mapping[str, str]) -> Page:
        """Return one page of the rows that a query asks for.

        Raises:
            BadQueryError: F&O would not answer the query.
        """
        return query_page(self._table(entity_set).source, query, page_size=self._page_size)

    def row(self, entity_set: EntitySet, key: str, query: Mapping[str, str]) -> Row | None:
        """Return the row under a key such as `dataAreaId='demf',ItemNumber='X'`, or None.

        Raises:
            BadQueryError: The key is not the set's, or the query is not answered.
        """
        refuse_unknown(query)
        table = self._table(entity_set)
        fields = asked_fields(query, table.source.sample)
        row = table.by_key.get(key_values(entity_set.name, entity_set.key, key))
        return output(row, fields) if row is not None and is_visible(row, query) else None

    def _table(self, entity_set: EntitySet) -> _Table:
        table = self._tables.get(entity_set.name)
        revision = self._book.revision if entity_set.follows_journals else 0
        if table is None or table.revision != revision:
            table = _made(entity_set, self._book, revision)
            self._tables[entity_set.name] = table
        return table


def entity_set(name: str) -> EntitySet | None:
    """Return a set by its name, which compares with case."""
    return ENTITY_SETS.get(name)


def _made(entity_set: EntitySet, book: Book, revision: int) -> _Table:
    rows = sorted(entity_set.rows(book), key=lambda row: sort_key(row, entity_set.key))
    by_key = {tuple(str(row[name]).casefold() for name in entity_set.key): row for row in rows}
    sample = {name: value for name, value in rows[0].items() if name != ETAG} if rows else {}
    source = Source(entity_set.name, entity_set.key, rows, sample, entity_set.enums, ENUM_MEMBERS)
    return _Table(revision, source, by_key)
