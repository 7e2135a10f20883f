"""The entity sets that nobody writes, as OData: rows as they are now.

Small sets are made once, and again when a journal was posted; those of products and stock row
by row when they are looked at, so that a change shows at once and a large catalog costs little.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from pricing_proxy.sandbox.book import ZERO, Book
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.entities import ENTITY_SETS
from pricing_proxy.sandbox.entity_sets import ENUM_MEMBERS, EntitySet
from pricing_proxy.sandbox.large_set import LargeSet
from pricing_proxy.sandbox.odata_bounds import Bound
from pricing_proxy.sandbox.odata_query import (
    ETAG,
    Narrow,
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
from pricing_proxy.sandbox.stock.ledger import StockLedger
from pricing_proxy.sandbox.stock.on_hand import OnHand

# F&O's own limit; a test takes a smaller one to see pages.
PAGE_SIZE = 10_000

_ON_HAND = "WarehousesOnHandV2"
_RELEASED = ("ReleasedProductsV2", "ReleasedProductVariantsV2")
_STOCK = ("OnHandQuantity", "AvailableOnHandQuantity", "TotalAvailableQuantity")


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of one set in the order of their key, as of one revision of the book."""

    revision: Hashable
    source: Source

    def at(self, values: tuple[str, ...]) -> Row | None:
        """Return the row with a folded key."""
        source = self.source
        rows = source.rows
        if source.narrow is not None:
            key = zip(source.key, values, strict=True)
            rows, _ = source.narrow({name: Bound(values=frozenset({one})) for name, one in key})
        return next((row for row in rows if _folded(row, source.key) == values), None)


class Tables:
    """The entity sets of a book."""

    def __init__(
        self,
        book: Book,
        ledger: StockLedger | None = None,
        dials: Dials | None = None,
        *,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._book = book
        self._dials = dials or Dials()
        self._page_size = page_size
        self._tables: dict[str, _Table] = {}
        self._on_hand = OnHand(book, ledger or StockLedger(), self._told)

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
        row = table.at(key_values(entity_set.name, entity_set.key, key))
        return output(row, fields) if row is not None and is_visible(row, query) else None

    def sample(self, entity_set: EntitySet) -> Row:
        """Return a row without its tag; empty where a set has none."""
        return self._table(entity_set).source.sample

    def _table(self, entity_set: EntitySet) -> _Table:
        table = self._tables.get(entity_set.name)
        revision = self._revision_of(entity_set)
        if table is None or table.revision != revision:
            table = _Table(revision, self._source(entity_set))
            self._tables[entity_set.name] = table
        return table

    def _revision_of(self, entity_set: EntitySet) -> Hashable:
        if entity_set.listing is not None or entity_set.name == _ON_HAND:
            return self._book.assortment, self._told_share(entity_set)
        return self._book.revision if entity_set.follows_journals else 0

    def _told_share(self, entity_set: EntitySet) -> float:
        return self._dials.catalog_share if entity_set.name in _RELEASED else 1.0

    def _source(self, entity_set: EntitySet) -> Source:
        if entity_set.name == _ON_HAND:
            found = self._on_hand
            return _made(entity_set, found.rows(), found.sample(), found.narrow)
        if entity_set.listing is not None:
            large = LargeSet(
                entity_set,
                entity_set.listing,
                self._book,
                told_share=self._told_share(entity_set),
                change=self._told,
            )
            # Also of a set of which nothing is told, the fields are known.
            sample = _sample([*islice(entity_set.rows(self._book), 1)])
            return _made(entity_set, large.rows, sample, large.narrow)
        rows = sorted(entity_set.rows(self._book), key=lambda row: sort_key(row, entity_set.key))
        return _made(entity_set, rows, _sample(rows))

    def _told(self, row: Row) -> Row:
        """Return what is told of a row: an export gone wrong tells zeros."""
        if self._dials.zero_prices and "SalesPrice" in row:
            return {**row, "SalesPrice": ZERO}
        if self._dials.zero_stock and "OnHandQuantity" in row:
            return {**row, **dict.fromkeys(_STOCK, ZERO)}
        return row


def entity_set(name: str) -> EntitySet | None:
    """Return a set by its name, which compares with case."""
    return ENTITY_SETS.get(name)


def _sample(rows: Sequence[Row]) -> Row:
    return {name: value for name, value in rows[0].items() if name != ETAG} if rows else {}


def _made(
    entity_set: EntitySet, rows: Sequence[Row], sample: Row, narrow: Narrow | None = None
) -> Source:
    return Source(
        entity_set.name, entity_set.key, rows, sample, entity_set.enums, ENUM_MEMBERS, narrow
    )


def _folded(row: Row, key: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[name]).casefold() for name in key)
