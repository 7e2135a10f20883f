"""Show and save sources, stocks and their links, as the routes of the same names do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pricing_proxy.sandbox.shop.criteria import find
from pricing_proxy.sandbox.shop.reading import Call, criteria_of
from pricing_proxy.sandbox.shop.wire import CrashedError, RefusedError, internal_error, required

_INVALID = "Validation Failed"
_EMPTY = '"%field" can not be empty.'
# In the order in which the recorded shop complained.
_NEEDED = ("postcode", "source_code", "name", "country_id")


def sources(call: Call) -> dict[str, Any]:
    """Return a page of sources."""
    return _listed(call, call.shop.inventory.network.sources.values())


def source(call: Call) -> Any:
    """Return one source; raises `RefusedError` where there is none."""
    found = call.shop.inventory.network.sources.get(call.places[0])
    if found is None:
        text = 'Source with code "%value" does not exist.'
        raise RefusedError(404, text, {"value": call.places[0]})
    return found


def save_source(call: Call) -> list[Any]:
    """Add or change a source, and return the empty answer."""
    members = dict(call.members("source"))
    if call.places:
        known = call.shop.inventory.network.sources.get(call.places[0], {})
        members = {**known, **members, "source_code": call.places[0]}
    missing = [name for name in _NEEDED if not str(members.get(name) or "").strip()]
    if missing:
        raise RefusedError(400, _INVALID, errors=[_error(_EMPTY, name) for name in missing])
    call.shop.inventory.network.save_source(members)
    return []


def stocks(call: Call) -> dict[str, Any]:
    """Return a page of stocks."""
    return _listed(call, [one.body() for one in call.shop.inventory.network.stocks.values()])


def stock(call: Call) -> dict[str, Any]:
    """Return one stock; raises `RefusedError` where there is none."""
    number = call.number()
    found = call.shop.inventory.network.stocks.get(number)
    if found is None:
        text = 'Stock with id "%value" does not exist.'
        raise RefusedError(404, text, {"value": number})
    return found.body()


def save_stock(call: Call) -> int:
    """Add or change a stock, and return its id."""
    members = call.members("stock")
    name = str(members.get("name") or "")
    if not name.strip():
        raise RefusedError(400, _INVALID, errors=[_error(_EMPTY, "name")])
    extension = members.get("extension_attributes") or {}
    websites = [one["code"] for one in extension.get("sales_channels") or ()]
    number = call.number() if call.places else members.get("stock_id")
    return call.shop.inventory.network.save_stock(name, websites, stock_id=number).id


def resolved(call: Call) -> dict[str, Any]:
    """Return what a website sells from."""
    kind, code = call.places
    return call.shop.inventory.network.stock_of(code if kind == "website" else "").body()


def links(call: Call) -> dict[str, Any]:
    """Return a page of links."""
    return _listed(call, call.shop.inventory.network.links())


def save_links(call: Call) -> list[Any]:
    """Let stocks draw on sources, and return the empty answer."""
    network, rows = call.shop.inventory.network, _links(call)
    errors = [
        _error('"%field" should be greater then 0.', "priority")
        for row in rows
        if int(row.get("priority") or 0) <= 0
    ]
    if errors:
        raise RefusedError(400, _INVALID, errors=errors)
    for row in rows:
        if (
            row.get("stock_id") not in network.stocks
            or row.get("source_code") not in network.sources
        ):
            raise RefusedError(400, "Could not save StockSourceLinks")
    for row in rows:
        network.link(row["stock_id"], row["source_code"], int(row["priority"]))
    return []


def delete_links(call: Call) -> list[Any]:
    """Let stocks draw on sources no longer, and return the empty answer."""
    for row in _links(call):
        call.shop.inventory.network.unlink(row.get("stock_id", 0), row.get("source_code", ""))
    return []


def _links(call: Call) -> Sequence[Mapping[str, Any]]:
    rows = call.body.get("links")
    if rows is None:
        raise required("links")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CrashedError
    if not rows:
        raise RefusedError(400, "Input data is empty")
    return rows


def _listed(call: Call, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    criteria = criteria_of(call)
    page, total = find(rows, criteria, _column)
    return {"items": page, "search_criteria": criteria.echo(), "total_count": total}


def _column(row: Mapping[str, Any], name: str) -> Any:
    if name not in row:
        raise internal_error()
    return row[name]


def _error(message: str, field: str) -> dict[str, Any]:
    return {"message": message, "parameters": {"field": field}}
