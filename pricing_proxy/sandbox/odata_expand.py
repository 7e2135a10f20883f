"""Answer `$expand`: the lines of an order inside its header, first level only, as F&O does."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pricing_proxy.sandbox.odata_filter import BadQueryError
from pricing_proxy.sandbox.odata_query import ETAG, Page
from pricing_proxy.sandbox.row_values import Row

_PART = re.compile(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")
_INNER = ("$select", "$filter", "$orderby", "$top")


@dataclass(frozen=True, slots=True)
class _Navigation:
    """Where a member of a row leads: to a set, by fields that both have."""

    target: str
    fields: tuple[str, ...]


# F&O's own; the fourth version of order headers has no such member.
_NAVIGATIONS: Mapping[tuple[str, str], _Navigation] = {
    ("SalesOrderHeadersV3", "SalesOrderLines"): _Navigation(
        "SalesOrderLines", ("dataAreaId", "SalesOrderNumber")
    ),
    ("ReturnOrderHeadersV2", "ReturnOrderLines"): _Navigation(
        "ReturnOrderLinesV2", ("dataAreaId", "ReturnOrderNumber")
    ),
}
Ask = Callable[[str, Mapping[str, str]], Page]
"""Returns a page of a set, as a query asks for it."""


def expanded(name: str, query: Mapping[str, str], ask: Ask) -> Page:
    """Return a page of a set with what `$expand` names in each row.

    Raises:
        BadQueryError: The set has no such member, or F&O does not expand so deep.
    """
    wanted = _wanted(name, query["$expand"])
    # The fields that lead to the lines are needed, whether or not they are selected.
    plain = {option: text for option, text in query.items() if option != "$expand"}
    page = ask(name, {option: text for option, text in plain.items() if option != "$select"})
    shown = [field.strip() for field in query.get("$select", "").split(",") if field.strip()]
    rows = [
        {
            **_cut(row, shown),
            **{member: _inside(row, where, options, ask) for member, where, options in wanted},
        }
        for row in page.rows
    ]
    following = page.next_query
    if following is not None:
        kept = {option: query[option] for option in ("$expand", "$select") if option in query}
        following = {**following, **kept}
    return replace(page, rows=rows, next_query=following)


def _wanted(name: str, text: str) -> list[tuple[str, _Navigation, dict[str, str]]]:
    found: list[tuple[str, _Navigation, dict[str, str]]] = []
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise BadQueryError("Only the first level can be expanded.")
        navigation = _NAVIGATIONS.get((name, part[1]))
        if navigation is None:
            raise BadQueryError(f"Could not find a property named '{part[1]}' on type '{name}'.")
        found.append((part[1], navigation, _options(part[2] or "")))
        position = part.end()
    return found


def _options(text: str) -> dict[str, str]:
    options = {}
    for each in filter(None, text.split(";")):
        option, equals, value = each.strip().partition("=")
        if option not in _INNER or not equals:
            raise BadQueryError(f"The query option '{option}' is not supported within $expand.")
        options[option] = value
    return options


def _inside(
    row: Row, navigation: _Navigation, options: Mapping[str, str], ask: Ask
) -> Sequence[Row]:
    texts = ((field, str(row[field]).replace("'", "''")) for field in navigation.fields)
    condition = " and ".join(f"{field} eq '{text}'" for field, text in texts)
    if "$filter" in options:
        condition = f"{condition} and ({options['$filter']})"
    asked = {**options, "cross-company": "true", "$filter": condition}
    return ask(navigation.target, asked).rows


def _cut(row: Row, shown: Sequence[str]) -> Row:
    if not shown or shown == ["*"]:
        return row
    for field in shown:
        if field not in row:
            raise BadQueryError(f"Could not find a property named '{field}'.")
    return {ETAG: row[ETAG], **{field: row[field] for field in shown}}
