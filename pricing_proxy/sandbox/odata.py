"""Answer OData queries out of the book, with the options and the limits that F&O has.

Supported: $filter (see `odata_filter`), $select, $orderby, $top, $skip, $count, keyed
reads and cross-company. Without `cross-company=true` only the user's own company is
seen, and the users of the sandbox start in another one than `demf`: a reader who
forgets it gets an empty page, as in real life. Large answers are cut into pages by
the server; the link to the next one is opaque.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pricing_proxy.sandbox.book import FIRST_RECORD_ID, Book
from pricing_proxy.sandbox.entities import ENTITY_SETS, ENUM_MEMBERS, EntitySet
from pricing_proxy.sandbox.master_rows import DEFAULT_COMPANY
from pricing_proxy.sandbox.odata_filter import BadQueryError, FieldTypes, row_test
from pricing_proxy.sandbox.row_values import Row

# F&O's own limit; a test takes a smaller one to see pages.
PAGE_SIZE = 10_000

ETAG = "@odata.etag"
COMPANY_FIELD = "dataAreaId"
_OPTIONS = ("$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken")
_KEY_PART = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^']|'')*)'|(-?\d+)|([\dT:.Z-]+))\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of an answer.

    Attributes:
        total: Rows that match, over all pages; None unless asked for.
        next_query: The query string's members that give the next page; None on the last.
    """

    rows: list[Row]
    total: int | None
    next_query: Mapping[str, str] | None


@dataclass(slots=True)
class _Table:
    """The rows of one set in the order of their key, as of one revision of the book."""

    revision: int
    rows: list[Row]
    by_key: dict[tuple[str, ...], Row]
    sample: Row


class Tables:
    """The entity sets of a book; rows are made once and again when a journal was posted."""

    def __init__(self, book: Book, *, page_size: int = PAGE_SIZE) -> None:
        self._book = book
        self._page_size = page_size
        self._tables: dict[str, _Table] = {}

    def page(self, entity_set: EntitySet, query: Mapping[str, str]) -> Page:
        """Return one page of the rows that a query asks for.

        Raises:
            BadQueryError: F&O would not answer the query.
        """
        _refuse_unknown(query)
        table = self._table(entity_set)
        fields = _fields(query, table.sample)
        rows = _ordered(self._matching(entity_set, table, query), query, table.sample)
        start, left = _window(query, len(rows))
        size = min(left, self._page_size)
        chosen = [_output(row, fields) for row in rows[start : start + size]]
        total = len(rows) if query.get("$count") == "true" else None
        if left <= size:
            return Page(chosen, total, None)
        token = _token(start + size, left - size)
        kept = {name: value for name, value in query.items() if name not in ("$skip", "$top")}
        return Page(chosen, total, {**kept, "$skiptoken": token})

    def row(self, entity_set: EntitySet, key: str, query: Mapping[str, str]) -> Row | None:
        """Return the row under a key such as `dataAreaId='demf',ItemNumber='X'`, or None.

        Raises:
            BadQueryError: The key is not the set's, or the query is not answered.
        """
        _refuse_unknown(query)
        table = self._table(entity_set)
        fields = _fields(query, table.sample)
        row = table.by_key.get(_key_values(entity_set, key))
        if row is None or not (_is_cross_company(query) or _is_default_company(row)):
            return None
        return _output(row, fields)

    def _matching(
        self, entity_set: EntitySet, table: _Table, query: Mapping[str, str]
    ) -> Sequence[Row]:
        rows = table.rows
        if not _is_cross_company(query):
            rows = [row for row in rows if _is_default_company(row)]
        text = query.get("$filter")
        if text is None:
            return rows
        test = row_test(text, FieldTypes(table.sample, entity_set.enums, ENUM_MEMBERS))
        return [row for row in rows if test(row)]

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
    rows = sorted(entity_set.rows(book), key=lambda row: _sort_key(row, entity_set.key))
    by_key = {tuple(str(row[name]).casefold() for name in entity_set.key): row for row in rows}
    sample = {name: value for name, value in rows[0].items() if name != ETAG} if rows else {}
    return _Table(revision, rows, by_key, sample)


def _sort_key(row: Row, fields: Sequence[str]) -> tuple[Any, ...]:
    return tuple(_comparable(row[name]) for name in fields)


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _refuse_unknown(query: Mapping[str, str]) -> None:
    for name in query:
        if name.startswith("$") and name not in _OPTIONS:
            raise BadQueryError(f"The query option '{name}' is not supported.")


def _fields(query: Mapping[str, str], sample: Row) -> tuple[str, ...] | None:
    text = query.get("$select")
    if text is None or text.strip() == "*":
        return None
    fields = tuple(name.strip() for name in text.split(","))
    for name in fields:
        _refuse_missing(name, sample)
    return fields


def _refuse_missing(name: str, sample: Row) -> None:
    if sample and name not in sample:
        raise BadQueryError(f"Could not find a property named '{name}'.")


def _is_cross_company(query: Mapping[str, str]) -> bool:
    return query.get("cross-company", "").casefold() == "true"


def _is_default_company(row: Row) -> bool:
    return bool(row.get(COMPANY_FIELD, DEFAULT_COMPANY) == DEFAULT_COMPANY)


def _ordered(rows: Sequence[Row], query: Mapping[str, str], sample: Row) -> Sequence[Row]:
    """Return rows in the asked order; Python's sort is stable, so the last field goes first."""
    text = query.get("$orderby")
    if text is None or not sample:
        return rows
    for part in reversed(text.split(",")):
        name, _, direction = part.strip().partition(" ")
        _refuse_missing(name, sample)
        if direction.strip() not in ("", "asc", "desc"):
            raise BadQueryError(f"'{direction.strip()}' is not a direction.")
        is_descending = direction.strip() == "desc"
        rows = sorted(rows, key=lambda row: _comparable(row[name]), reverse=is_descending)
    return rows


def _window(query: Mapping[str, str], found: int) -> tuple[int, int]:
    """Return where an answer starts and how many rows are left for it and its next pages."""
    if "$skiptoken" in query:
        start, left = _from_token(query["$skiptoken"])
    else:
        start, left = _whole_number(query, "$skip", 0), _whole_number(query, "$top", found)
    return start, max(0, min(left, found - start))


def _whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise BadQueryError(f"'{name}' needs a whole number.")
    return int(text)


def _token(start: int, left: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, left]).encode()).decode()


def _from_token(token: str) -> tuple[int, int]:
    try:
        start, left = json.loads(base64.urlsafe_b64decode(token))
        return int(start), int(left)
    except (binascii.Error, ValueError, TypeError):
        raise BadQueryError("The skip token is not one of ours.") from None


def _key_values(entity_set: EntitySet, text: str) -> tuple[str, ...]:
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        part = _KEY_PART.match(text, position)
        if part is None:
            raise BadQueryError("The key has a syntax error.")
        quoted = part[2]
        values[part[1]] = part[3] or part[4] if quoted is None else quoted.replace("''", "'")
        position = part.end()
    if sorted(values) != sorted(entity_set.key):
        raise BadQueryError(f"The key of {entity_set.name} is {', '.join(entity_set.key)}.")
    return tuple(values[name].casefold() for name in entity_set.key)


def _output(row: Row, fields: tuple[str, ...] | None) -> Row:
    etag = row.get(ETAG)
    if etag is None:
        # Made when first shown and kept with the row: most rows are never asked for.
        etag = row[ETAG] = _etag(row)
    names = (name for name in row if name != ETAG) if fields is None else fields
    return {ETAG: etag, **{name: row[name] for name in names}}


def _etag(row: Row) -> str:
    """Return a tag that changes with the row, in the form of F&O's "version,record id"."""
    version = zlib.crc32(repr(row).encode())
    record = f"'{version},{row.get('RecordId', FIRST_RECORD_ID)}'"
    return f'W/"{base64.b64encode(record.encode()).decode()}"'
