"""Save and delete source items as the batch routes do: whole batches, written or refused.

What is checked is checked before anything is written, row by row; the answer's message is the
first row's mistake, its `errors` are all of them. An unknown SKU and a quantity below zero are
none. Of two rows of one SKU and source the last one wins.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Catalog, Product
from pricing_proxy.sandbox.shop.inventory.inventory import Inventory
from pricing_proxy.sandbox.shop.inventory.source_items import IN_STOCK, OUT_OF_STOCK
from pricing_proxy.sandbox.shop.wire import (
    CrashedError,
    RefusedError,
    internal_error,
    required,
    wrong_type,
)

_BACK_OFFICE = "http://127.0.0.1:18080"
UNSAVED = "Could not save Source Item"
_MEMBERS = frozenset({"sku", "source_code", "quantity", "status", "extension_attributes"})
_EMPTY_LIST = "Input data is empty"
_EMPTY = '"%field" can not be empty.'
_NOT_NUMERIC = '"%field" should be numeric.'
_BUNDLED = (
    'Not able to assign "%1" to product "%2", as it is part of bundle product <a href="%3">"%4"</a>'
    ' with shipment type "Ship Together" and has multiple sources or different source as other '
    "bundle selections."
)

_Row = Mapping[str, Any]


class SourceItemBatches:
    """The two batch routes of source items."""

    def __init__(self, inventory: Inventory, catalog: Catalog) -> None:
        """Write to these tables."""
        self._inventory = inventory
        self._catalog = catalog

    def save(self, body: Mapping[str, Any]) -> list[Any]:
        """Write every row of a batch, or none, and return the empty answer.

        Raises:
            RefusedError: The batch is malformed, a row is wrong, or its source is unknown.
        """
        rows, bundles = _rows(body), list(self._catalog.bundles())
        errors = [error for row in rows for error in self._mistakes(row, bundles)]
        if errors:
            first = errors[0]
            text = f"Validation Failed: {_filled(first['message'], first['parameters'])}"
            raise RefusedError(400, text, errors=errors)
        if any(row["source_code"] not in self._inventory.network.sources for row in rows):
            raise RefusedError(400, UNSAVED)
        for row in rows:
            quantity = Decimal(str(row["quantity"]))
            self._inventory.write(row["sku"], row["source_code"], quantity, int(row["status"]))
        return []

    def delete(self, body: Mapping[str, Any]) -> list[Any]:
        """Delete every row of a batch; one that is not there is deleted already.

        Raises:
            RefusedError: The batch is malformed or empty.
        """
        for row in _rows(body):
            self._inventory.erase(str(row.get("sku") or ""), str(row.get("source_code") or ""))
        return []

    def _mistakes(self, row: _Row, bundles: Sequence[Product]) -> Iterator[dict[str, Any]]:
        for name in ("sku", "source_code"):
            text = str(row.get(name) or "")
            if not text.strip():
                yield _error(_EMPTY, name)
        sku, source = str(row.get("sku") or ""), str(row.get("source_code") or "")
        if sku != sku.strip():
            yield _error('"%field" can not contain leading or trailing spaces.', "sku")
        if any(letter.isspace() for letter in source):
            yield _error('"%field" can not contain whitespaces.', "source_code")
        for name in ("quantity", "status"):
            if row.get(name) is None:
                yield _error(_NOT_NUMERIC, name)
        if int(row.get("status") or OUT_OF_STOCK) not in (IN_STOCK, OUT_OF_STOCK):
            yield _error('"%field" should a known status.', "status")
        yield from self._bundled(sku, source, bundles)

    def _bundled(
        self, sku: str, source: str, bundles: Sequence[Product]
    ) -> Iterator[dict[str, Any]]:
        """Yield what a bundle that ships together has against another source for its part."""
        product = self._catalog.by_sku(sku)
        if product is None or self._inventory.network.has_one_source:
            return
        for bundle in bundles:
            if bundle.ships_apart or product.id not in dict(bundle.parts):
                continue
            parts = (self._catalog.by_id(number) for number, _ in bundle.parts)
            held = {
                item.source_code for part in parts for item in self._inventory.items.of(part.sku)
            }
            if held and source not in held:
                page = f"{_BACK_OFFICE}/catalog/product/edit/id/{bundle.id}/"
                yield {"message": _BUNDLED, "parameters": [source, sku, page, bundle.sku]}
                return


def _rows(body: Mapping[str, Any]) -> list[_Row]:
    rows = body.get("sourceItems")
    if rows is None:
        raise required("sourceItems")
    if not isinstance(rows, list):
        raise CrashedError
    read = [_read(row if isinstance(row, dict) else {}) for row in rows]
    if not read:
        raise RefusedError(400, _EMPTY_LIST)
    return read


def _read(row: _Row) -> _Row:
    """Return a row with its numbers read; raises `RefusedError` where one is no number."""
    if not row.keys() <= _MEMBERS:
        # Of products an unknown member is refused; here it ends in the shop's log.
        raise internal_error()
    for name, kind in (("quantity", "float"), ("status", "int")):
        value = row.get(name)
        if value is not None and not _is_number(value):
            raise wrong_type(value, kind, during=name)
    return row


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _error(message: str, field: str) -> dict[str, Any]:
    return {"message": message, "parameters": {"field": field}}


def _filled(message: str, parameters: Any) -> str:
    if isinstance(parameters, dict):
        return message.replace("%field", str(parameters["field"]))
    for number, value in enumerate(parameters, start=1):
        message = message.replace(f"%{number}", str(value))
    return message
