"""OData requests as F&O understands them: filters, queries and keys, ready to send.

Always across companies, because without `cross-company` F&O answers for the default
company of its own user only. F&O knows neither `in` nor `has`, compares enums for
equality only, and reads `*` within an equality as a wildcard. Everything leaves here
percent-encoded, as path and query, without a host. Pure; raises `ValueError` for
what F&O could not be asked safely.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import quote

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ROOT = "/data/"


@dataclass(frozen=True, slots=True)
class EnumMember:
    """A member of an ERP enum, such as `EnumMember("NoYes", "Yes")`."""

    enum: str
    member: str


Value = str | int | Decimal | date | datetime | EnumMember


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on rows; combine with `&`.

    Attributes:
        text: OData text, not percent-encoded, bracketed so that it can be combined.
    """

    text: str

    def __and__(self, other: "Filter") -> "Filter":
        return Filter(f"({self.text} and {other.text})")


def equals(field: str, value: Value) -> Filter:
    """Return `field eq value`; a text with `*` is refused, since it would match other rows too."""
    return _comparison(field, "eq", _without_wildcard(value))


def is_one_of(field: str, values: Iterable[Value]) -> Filter:
    """Return rows whose field has one of the values, which must be some; each as in `equals`."""
    return Filter(f"({' or '.join(equals(field, value).text for value in values)})")


def at_least(field: str, value: Value) -> Filter:
    """Return `field ge value`; for texts, in the ERP's collation, and `*` stands for itself."""
    return _comparison(field, "ge", value)


def at_most(field: str, value: Value) -> Filter:
    """Return `field le value`, as in `at_least`."""
    return _comparison(field, "le", value)


def more_than(field: str, value: Value) -> Filter:
    """Return `field gt value`, as in `at_least`."""
    return _comparison(field, "gt", value)


def dated(field: str, since: date, last: date | None = None) -> Filter:
    """Return that a date is a day or later, and none after the last day where one is named."""
    begins = at_least(field, since)
    return begins if last is None else begins & at_most(field, last)


def matches(field: str, pattern: str) -> Filter:
    """Return rows whose text fits `pattern`, in which `*` stands for anything."""
    return _comparison(field, "eq", pattern)


def fitting(field: str, values: Iterable[str], *, longest: int) -> Iterator[list[str]]:
    """Yield values in groups whose `is_one_of` takes at most `longest` characters of a URL.

    A value that is longer than that is a group of its own.
    """
    group: list[str] = []
    length = 0
    for value in values:
        more = len(_encode(f"{equals(field, value).text} or "))
        if group and length + more > longest:
            yield group
            group, length = [], 0
        group.append(value)
        length += more
    if group:
        yield group


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A read of one entity set.

    Attributes:
        select: Fields to return; named always, so that fields added in the ERP change nothing here.
        order_by: The full key for large reads, so that pages neither overlap nor leave gaps.
        counted: Whether the first page tells the number of all rows (`@odata.count`).
    """

    entity_set: str
    select: Sequence[str]
    where: Filter | None = None
    order_by: Sequence[str] = ()
    top: int | None = None
    counted: bool = False

    def target(self) -> str:
        """Return path and query."""
        options = ["cross-company=true"]
        if self.where is not None:
            options.append(f"$filter={_encode(self.where.text)}")
        options.append(f"$select={_fields(self.select)}")
        if self.order_by:
            options.append(f"$orderby={_fields(self.order_by)}")
        if self.top is not None:
            options.append(f"$top={self.top}")
        if self.counted:
            options.append("$count=true")
        return f"{_ROOT}{_name(self.entity_set)}?{'&'.join(options)}"


def row_target(entity_set: str, key: Mapping[str, Value]) -> str:
    """Return path and query of one row, by every field of its key."""
    if not key:
        raise ValueError(f"{entity_set}: a row needs its key")
    segment = ",".join(f"{_name(field)}={_encode(_literal(value))}" for field, value in key.items())
    return f"{_ROOT}{_name(entity_set)}({segment})?cross-company=true"


def set_target(entity_set: str) -> str:
    """Return path and query under which a set takes new rows."""
    return f"{_ROOT}{_name(entity_set)}?cross-company=true"


def metadata_list_target(collection: str) -> str:
    """Return the path of all entities or enums under `/Metadata`."""
    return f"/Metadata/{_name(collection)}"


def metadata_target(collection: str, name: str) -> str:
    """Return the path of one entity or enum under `/Metadata`."""
    return f"/Metadata/{_name(collection)}('{_name(name)}')"


def action_target(entity_set: str, action: str) -> str:
    """Return the path of an action bound to a whole set."""
    return f"{_ROOT}{_name(entity_set)}/Microsoft.Dynamics.DataEntities.{_name(action)}"


def instant_text(value: datetime) -> str:
    """Return an instant as F&O writes it, in whole seconds of UTC."""
    if value.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _comparison(field: str, operator: str, value: Value) -> Filter:
    return Filter(f"{_name(field)} {operator} {_literal(value)}")


def _without_wildcard(value: Value) -> Value:
    if isinstance(value, str) and "*" in value:
        raise ValueError("'*' is a wildcard in F&O and cannot be escaped")
    return value


def _literal(value: Value) -> str:
    match value:
        case EnumMember(enum, member):
            return f"Microsoft.Dynamics.DataEntities.{_name(enum)}'{_name(member)}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return instant_text(value)
        case date():
            # F&O keeps dates at noon, so noon is equal to the date and between its neighbours.
            return f"{value.isoformat()}T12:00:00Z"
        case Decimal() if not value.is_finite():
            raise ValueError(f"{value} is not a number")
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"not a name in OData: {name!r}")
    return name


def _fields(names: Sequence[str]) -> str:
    return ",".join(map(_name, names))


def _encode(text: str) -> str:
    return quote(text, safe="'")
