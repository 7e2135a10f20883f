"""Magento's search criteria as a query string, ready to sign and to send.

Filters within a group are alternatives, groups must all hold. An `in` list is joined
with commas, which texts may contain, so several texts are a group of `eq` filters.
An unknown field is answered with 500 and an unknown condition with nothing found, so
conditions are an enum here. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import quote

# A page of full orders takes a second at this size, and a limited Magento admits it.
PAGE_SIZE = 100
MOST_ROWS = 300
"""Rows of a page that a limited Magento admits."""
# Web servers cut a request line at 8 kB. A filter takes about 250 of them beside its value,
# and a SKU of 64 characters that are all escaped up to 768.
_LINE_BYTES = 6000
_FILTER_BYTES = 250
# A list has all its values in one filter, and room for a second one beside it.
_LIST_BYTES = 5000


class SearchCondition(StrEnum):
    """The comparisons we use."""

    EQUAL = "eq"
    AT_LEAST = "gteq"
    AT_MOST = "lteq"
    ABOVE = "gt"
    BELOW = "lt"
    IN = "in"
    NOT_IN = "nin"
    MISSING = "null"
    PRESENT = "notnull"

    @property
    def has_value(self) -> bool:
        """Whether it compares with something."""
        return self not in (SearchCondition.MISSING, SearchCondition.PRESENT)


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """One comparison of a field; `value` is ignored where the condition has none."""

    field: str
    condition: SearchCondition
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One read of a list route.

    Attributes:
        groups: All must hold; within one, any.
        sort: Fields in ascending order; those of a unique key for anything read page by page.
        is_descending: The other way round.
        page_size: Rows of a page; `MOST_ROWS` at most.
        page: From 1.
        fields: Members to answer, in Magento's own notation; empty for all of them.
    """

    groups: Sequence[Sequence[SearchFilter]] = ()
    sort: Sequence[str] = ()
    is_descending: bool = False
    page_size: int = PAGE_SIZE
    page: int = 1
    fields: str = ""

    def query(self) -> str:
        """Return the query string, without "?"."""
        pairs = [*self._filters(), *self._sorting()]
        pairs.append(("searchCriteria[pageSize]", str(self.page_size)))
        pairs.append(("searchCriteria[currentPage]", str(self.page)))
        if self.fields:
            pairs.append(("fields", self.fields))
        return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs)

    def _filters(self) -> Iterator[tuple[str, str]]:
        for number, group in enumerate(self.groups):
            for index, one in enumerate(group):
                name = f"searchCriteria[filter_groups][{number}][filters][{index}]"
                yield f"{name}[field]", one.field
                yield f"{name}[condition_type]", one.condition
                if one.condition.has_value:
                    yield f"{name}[value]", one.value

    def _sorting(self) -> Iterator[tuple[str, str]]:
        for number, name in enumerate(self.sort):
            yield f"searchCriteria[sortOrders][{number}][field]", name
            way = "DESC" if self.is_descending else "ASC"
            yield f"searchCriteria[sortOrders][{number}][direction]", way


def equals(field: str, value: str | int) -> tuple[SearchFilter]:
    """Return a group in which the field has this value."""
    return (SearchFilter(field, SearchCondition.EQUAL, str(value)),)


def any_text(field: str, values: Sequence[str]) -> tuple[SearchFilter, ...]:
    """Return a group in which the field has one of these texts, whatever they contain."""
    return tuple(SearchFilter(field, SearchCondition.EQUAL, value) for value in values)


def text_parts(values: Sequence[str]) -> Iterator[list[str]]:
    """Yield texts in parts that fit into one request line as alternatives."""
    part: list[str] = []
    size = 0
    for value in values:
        needed = _FILTER_BYTES + len(encoded(value))
        if part and size + needed > _LINE_BYTES:
            yield part
            part, size = [], 0
        part.append(value)
        size += needed
    if part:
        yield part


def sku_groups(skus: Sequence[str]) -> Iterator[tuple[Sequence[SearchFilter], int]]:
    """Yield groups that together find SKUs, as few as fit, each with how many it names.

    They are lists, but for SKUs with a comma.
    """
    plain = [sku for sku in skus if "," not in sku]
    size, start = 0, 0
    for end, sku in enumerate(plain):
        needed = len(encoded(f"{sku},"))
        if end - start == PAGE_SIZE or (size + needed > _LIST_BYTES and end > start):
            yield any_code("sku", plain[start:end]), end - start
            size, start = 0, end
        size += needed
    if plain[start:]:
        yield any_code("sku", plain[start:]), len(plain) - start
    for part in text_parts([sku for sku in skus if "," in sku]):
        yield any_text("sku", part), len(part)


def any_code(field: str, codes: Sequence[str]) -> tuple[SearchFilter]:
    """Return a group in which the field has one of these texts, none of which has a comma."""
    return (SearchFilter(field, SearchCondition.IN, ",".join(codes)),)


def any_id(field: str, ids: Sequence[int]) -> tuple[SearchFilter]:
    """Return a group in which the field has one of these numbers."""
    return (SearchFilter(field, SearchCondition.IN, ",".join(map(str, ids))),)


def no_id(field: str, ids: Sequence[int]) -> tuple[SearchFilter]:
    """Return a group in which the field has none of these numbers."""
    return (SearchFilter(field, SearchCondition.NOT_IN, ",".join(map(str, ids))),)


def wire_instant(at: datetime) -> str:
    """Return an instant as Magento stores them: UTC, whole seconds (cut), no zone."""
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def encoded(text: str) -> str:
    """Return a text as it stands in a path or query."""
    # A plus would be signed as a plus, so a space is %20; all that means something is escaped.
    return quote(text, safe="")
