"""Search criteria and `fields=` as Magento's list routes understand them.

Names come in camel or snake case. Mistakes end as they do there: a misspelt key is
refused, an unknown column of a table is an internal error, an unknown condition finds
nothing, and a page size below zero becomes one row.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.shop.wire import RefusedError, required, wrong_type
from pricing_proxy.shop_names import collated

Row = Mapping[str, Any]

_KEYS = {"filter_groups", "sort_orders", "page_size", "current_page"}
_BRACKETS = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Filter:
    """One comparison."""

    field: str
    value: str
    condition: str = "eq"

    def echo(self) -> dict[str, str]:
        """Return it as the answer repeats it."""
        return {"field": self.field, "value": self.value, "condition_type": self.condition}


@dataclass(slots=True)
class Criteria:
    """A parsed search."""

    groups: list[list[Filter]] = field(default_factory=list)
    sort: list[tuple[str, str]] = field(default_factory=list)
    page_size: int | None = None
    current_page: int | None = None

    def echo(self) -> dict[str, Any]:
        """Return the criteria as the answer repeats them."""
        said: dict[str, Any] = {
            "filter_groups": [{"filters": [one.echo() for one in group]} for group in self.groups]
        }
        if self.sort:
            said["sort_orders"] = [{"field": name, "direction": way} for name, way in self.sort]
        if self.page_size is not None:
            said["page_size"] = self.page_size
        if self.current_page is not None:
            said["current_page"] = self.current_page
        return said

    def names(self) -> Iterable[str]:
        """Return every field that is asked about."""
        yield from (one.field for group in self.groups for one in group)
        yield from (name for name, _ in self.sort)


def parse_criteria(query: Iterable[tuple[str, str]]) -> Criteria:
    """Return the criteria of a query string, decoded already.

    Raises:
        RefusedError: There are none, or something in them is not understood.
    """
    tree = _tree(query)
    if tree is None:
        raise required("searchCriteria")
    criteria = Criteria()
    for name, value in tree.items():
        key = _snake(name)
        if key not in _KEYS:
            text = '"%fieldName" is not supported. Correct the field name and try again.'
            raise RefusedError(400, text, {"fieldName": name[:1].upper() + name[1:]})
        if key == "filter_groups":
            criteria.groups = [list(_filters(group)) for group in _values(value)]
        elif key == "sort_orders":
            criteria.sort = [_sorting(one) for one in _values(value)]
        else:
            setattr(criteria, key, _number(name, value))
    return criteria


def find(
    rows: Iterable[Any], criteria: Criteria, read: Callable[[Any, str], Any]
) -> tuple[list[Any], int]:
    """Return the page that was asked for, and how many rows fit in all.

    Args:
        rows: Of one table, in their natural order.
        criteria: What is asked.
        read: Returns a row's value of a field.
    """
    fitting = [
        row
        for row in rows
        if all(any(_fits(read(row, one.field), one) for one in group) for group in criteria.groups)
    ]
    for name, way in reversed(criteria.sort):
        fitting.sort(
            key=lambda row, name=name: _sort_key(read(row, name)),  # type: ignore[misc]
            reverse=way == "DESC",
        )
    size = criteria.page_size
    if not size:
        return fitting, len(fitting)
    size = max(1, size)
    start = (max(1, criteria.current_page or 1) - 1) * size
    return fitting[start : start + size], len(fitting)


def only_values(group: list[Filter]) -> tuple[str, list[str]]:
    """Return the one field that a group is about, with the values it must have one of.

    Of any other group there is no field: what it asks must be asked of each row.
    """
    if len(group) != 1 or group[0].condition not in ("eq", "in"):
        return "", []
    [one] = group
    values = one.value.split(",") if one.condition == "in" else [one.value]
    return one.field, [value.rstrip() for value in values]


def trimmed(body: Any, fields: str | None) -> Any:
    """Return a body with the named members only; nothing becomes null, an empty object a list."""
    return body if not fields else _trim(body, _field_tree(fields))


def _tree(query: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    tree: dict[str, Any] | None = None
    for name, value in query:
        top, *path = name.split("[", 1)
        if _snake(top) != "search_criteria":
            continue
        tree = tree if tree is not None else {}
        keys = _BRACKETS.findall("[" + path[0]) if path else []
        node = tree
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        if keys:
            node[keys[-1]] = value
    return tree


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower() if name != name.lower() else name


def _values(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else []


def _members(node: Any) -> dict[str, str]:
    return {_snake(name): value for name, value in node.items()} if isinstance(node, dict) else {}


def _filters(group: Any) -> Iterable[Filter]:
    for one in _values(group.get("filters") if isinstance(group, dict) else None):
        said = _members(one)
        yield Filter(said.get("field", ""), said.get("value", ""), said.get("condition_type", "eq"))


def _sorting(node: Any) -> tuple[str, str]:
    said = _members(node)
    way = said.get("direction", "DESC").upper()
    if way not in ("ASC", "DESC"):
        text = (
            "The sort order has to be specified as %1 for ascending order or %2 for "
            "descending order."
        )
        raise RefusedError(400, text, ["ASC", "DESC"])
    return said.get("field", ""), way


def _number(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise wrong_type(value, "int", during=name) from None


def _fits(value: Any, one: Filter) -> bool:
    if one.condition in ("null", "notnull"):
        return (value is None) == (one.condition == "null")
    if value is None:
        return False
    if one.condition in ("in", "nin"):
        listed = any(_compare(value, text) == 0 for text in one.value.split(","))
        return listed == (one.condition == "in")
    if one.condition == "like":
        pattern = re.escape(one.value).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, str(value), re.IGNORECASE | re.DOTALL) is not None
    accepted = _ORDERS.get(one.condition)
    return accepted is not None and _compare(value, one.value) in accepted


_ORDERS: Mapping[str, tuple[int, ...]] = {
    "eq": (0,),
    "neq": (-1, 1),
    "gt": (1,),
    "gteq": (0, 1),
    "from": (0, 1),
    "lt": (-1,),
    "lteq": (-1, 0),
    "to": (-1, 0),
}


def _compare(value: Any, text: str) -> int:
    """Compare as the database does: numbers by value, texts without case and spaces at the end."""
    if isinstance(value, int | Decimal):
        try:
            given = Decimal(text)
        except InvalidOperation:
            given = Decimal(0)
        return (value > given) - (value < given)
    left, right = collated(str(value)), collated(text)
    return (left > right) - (left < right)


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, int | Decimal) else (2, collated(str(value)))


def _field_tree(text: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    stack, name = [root], ""
    for character in [*text, ","]:
        if character not in "[],":
            name += character
            continue
        if name.strip():
            node = stack[-1].setdefault(name.strip(), {})
            if character == "[":
                stack.append(node)
        if character == "]" and len(stack) > 1:
            stack.pop()
        name = ""
    return root


def _trim(body: Any, wanted: Mapping[str, Any]) -> Any:
    if isinstance(body, list):
        return [_trim(one, wanted) for one in body] or None
    if not isinstance(body, dict) or not wanted:
        return body
    kept = {
        name: _trim(value, wanted[name]) if wanted[name] else value
        for name, value in body.items()
        if name in wanted
    }
    return kept or []
