"""Answer one OData query out of rows, with the options and the limits that F&O has. Pure.

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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pricing_proxy.sandbox.book import FIRST_RECORD_ID
from pricing_proxy.sandbox.master_rows import DEFAULT_COMPANY
from pricing_proxy.sandbox.odata_bounds import Bound
from pricing_proxy.sandbox.odata_filter import (
    BadQueryError,
    Condition,
    FieldTypes,
    Test,
    row_condition,
)
from pricing_proxy.sandbox.row_values import Row

ETAG = "@odata.etag"
COMPANY_FIELD = "dataAreaId"
_OPTIONS = ("$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken")
_KEY_PART = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^']|'')*)'|(-?\d+)|([\dT:.Z-]+))\s*(?:,|$)")


Narrow = Callable[[Mapping[str, Bound]], tuple[Sequence[Row], Collection[str]]]


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


@dataclass(frozen=True, slots=True)
class Source:
    """The rows that a query is asked of.

    Attributes:
        name: The set's.
        key: Its key fields, in order.
        rows: In the order of the key.
        sample: One row without its tag, for the names and kinds of the fields; empty where no
            row is.
        enums: Enum by field.
        members: Members by enum.
        narrow: Returns the rows that keep to bounds of some fields, in the order of the key, and
            of which; None where all are looked through.
    """

    name: str
    key: Sequence[str]
    rows: Sequence[Row]
    sample: Row
    enums: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    narrow: Narrow | None = None


def query_page(source: Source, query: Mapping[str, str], *, page_size: int) -> Page:
    """Return one page of the rows that a query asks for.

    Raises:
        BadQueryError: F&O would not answer the query.
    """
    refuse_unknown(query)
    fields = asked_fields(query, source.sample)
    found = _ordered(_matching(source, query), query, source)
    start, skip, left = _window(query, len(found.rows))
    chosen: list[Row] = []
    following, size = 0, min(left, page_size)
    for position, row in islice(found.after(start), skip, None):
        if len(chosen) == size:
            following = position
            break
        chosen.append(output(row, fields))
    else:
        left = 0
    total = found.count() if query.get("$count") == "true" else None
    if left <= size:
        return Page(chosen, total, None)
    kept = {name: value for name, value in query.items() if name not in ("$skip", "$top")}
    return Page(chosen, total, {**kept, "$skiptoken": _token(following, left - size)})


def is_visible(row: Row, query: Mapping[str, str]) -> bool:
    """Return whether a query sees a row: all companies' rows, or the default company's."""
    return _is_cross_company(query) or _is_default_company(row)


def key_values(source_name: str, key: Sequence[str], text: str) -> tuple[str, ...]:
    """Return the folded values of a key such as `dataAreaId='demf',ItemNumber='X'`, in order.

    Raises:
        BadQueryError: The key is not the set's.
    """
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        part = _KEY_PART.match(text, position)
        if part is None:
            raise BadQueryError("The key has a syntax error.")
        quoted = part[2]
        values[part[1]] = part[3] or part[4] if quoted is None else quoted.replace("''", "'")
        position = part.end()
    if sorted(values) != sorted(key):
        raise BadQueryError(f"The key of {source_name} is {', '.join(key)}.")
    return tuple(values[name].casefold() for name in key)


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows, and which of them are meant; None for all."""

    rows: Sequence[Row]
    test: Test | None = None

    def after(self, start: int) -> Iterator[tuple[int, Row]]:
        """Yield what is meant from a place on, each with its place."""
        for position in range(start, len(self.rows)):
            row = self.rows[position]
            if self.test is None or self.test(row):
                yield position, row

    def count(self) -> int:
        """Return how many are meant."""
        return len(self.rows) if self.test is None else sum(map(self.test, self.rows))


def _matching(source: Source, query: Mapping[str, str]) -> _Found:
    text = query.get("$filter")
    rows, test = source.rows, None
    if text is not None:
        types = FieldTypes(source.sample, source.enums, source.members)
        rows, test = _narrowed(source, row_condition(text, types))
    if _is_cross_company(query):
        return _Found(rows, test)
    if COMPANY_FIELD not in source.sample:
        return _Found(rows, test)
    return _Found([row for row in rows if _is_default_company(row)], test)


def _narrowed(source: Source, condition: Condition) -> tuple[Sequence[Row], Test | None]:
    bounds = condition.bounds
    if source.narrow is None:
        return source.rows, condition.test
    rows, kept = source.narrow(bounds.fields)
    is_all = bounds.is_exact and bounds.fields.keys() <= set(kept)
    return rows, None if is_all else condition.test


def sort_key(row: Row, fields: Sequence[str]) -> tuple[Any, ...]:
    """Return what puts rows into the order of some fields."""
    return tuple(_comparable(row[name]) for name in fields)


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def refuse_unknown(query: Mapping[str, str]) -> None:
    """Raise `BadQueryError` for an option that F&O does not have."""
    for name in query:
        if name.startswith("$") and name not in _OPTIONS:
            raise BadQueryError(f"The query option '{name}' is not supported.")


def asked_fields(query: Mapping[str, str], sample: Row) -> tuple[str, ...]:
    """Return the fields of an answer: those selected, or all; raises `BadQueryError`."""
    text = query.get("$select")
    if text is None or text.strip() == "*":
        return tuple(sample)
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


def _ordered(found: _Found, query: Mapping[str, str], source: Source) -> _Found:
    """Return rows in the asked order; Python's sort is stable, so the last field goes first."""
    text, sample = query.get("$orderby"), source.sample
    if text is None or not sample or _is_order_of_key(text, source.key):
        return found
    rows: Sequence[Row] = [row for _, row in found.after(0)]
    for part in reversed(text.split(",")):
        name, _, direction = part.strip().partition(" ")
        _refuse_missing(name, sample)
        if direction.strip() not in ("", "asc", "desc"):
            raise BadQueryError(f"'{direction.strip()}' is not a direction.")
        is_descending = direction.strip() == "desc"
        rows = sorted(rows, key=lambda row: _comparable(row[name]), reverse=is_descending)
    return _Found(rows)


def _is_order_of_key(text: str, key: Sequence[str]) -> bool:
    """Return whether rows are in that order already: there is one company."""
    asked = [part.strip().removesuffix(" asc") for part in text.split(",")]
    fields = [name for name in asked if name != COMPANY_FIELD]
    return fields == [name for name in key if name != COMPANY_FIELD][: len(fields)]


def _window(query: Mapping[str, str], most: int) -> tuple[int, int, int]:
    """Return where an answer starts, how many to skip, and how many it has with its next pages."""
    if "$skiptoken" in query:
        start, left = _from_token(query["$skiptoken"])
        return start, 0, left
    return 0, _whole_number(query, "$skip", 0), _whole_number(query, "$top", most)


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


def output(row: Row, fields: Sequence[str]) -> Row:
    """Return the asked fields of a row, with its tag in front."""
    etag = row.get(ETAG)
    if etag is None:
        # Made when first shown and kept with the row: most rows are never asked for.
        etag = row[ETAG] = _etag(row)
    return {ETAG: etag, **{name: row[name] for name in fields}}


def _etag(row: Row) -> str:
    """Return a tag that changes with the row, in the form of F&O's "version,record id"."""
    version = zlib.crc32(repr(row).encode())
    record = f"'{version},{row.get('RecordId', FIRST_RECORD_ID)}'"
    return f'W/"{base64.b64encode(record.encode()).decode()}"'
