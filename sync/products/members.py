"""What fields of a row become in a product of the shop."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sync.engine.flow import Work
from sync.mirror.ports import PlannedRow
from sync.products.mapping import (
    DISABLED,
    FIXED,
    MAXIMUM,
    MINIMUM,
    MULTIPLE,
    NAME,
    QUANTITIES,
    STATUS,
    TAX_CLASS,
    WEIGHT,
)
from sync.products.options import OptionBook
from sync.products.shop_reading import SKU
from sync.store.mirror_records import Value, Values

STATUS_BEFORE = "status_before"
"""Kept of a row that the ERP blocked: what the shop had it at, to be given back."""

# Names of rows that stand in a product under another name, or in no product.
_ATTRIBUTES = frozenset({TAX_CLASS})
_ELSEWHERE = FIXED - _ATTRIBUTES


async def members_of(values: Values, options: OptionBook, work: Work) -> dict[str, Any]:
    """Return the members that fields become; raises `FieldFaultError`."""
    members: dict[str, Any] = {}
    if NAME in values:
        members["name"] = values[NAME]
    if STATUS in values:
        members["status"] = int(str(values[STATUS]))
    if WEIGHT in values:
        members["weight"] = _number(values[WEIGHT])
    attributes = [
        {
            "attribute_code": name,
            "value": value if name == TAX_CLASS else await options.value(name, value, work),
        }
        for name, value in sorted(values.items())
        if name not in _ELSEWHERE
    ]
    if attributes:
        members["custom_attributes"] = attributes
    if QUANTITIES & values.keys():
        members["extension_attributes"] = {"stock_item": _stock_item(values)}
    return members


def unblocking(row: PlannedRow) -> str | None:
    """Return the status that a row is to have whose item the ERP sells again, None for the same."""
    before = (row.change.known or {}).get(STATUS_BEFORE)
    return None if before is None or before == DISABLED else str(before)


def sku_of(row: PlannedRow) -> str:
    """Return a row's SKU as the shop writes it."""
    told = None if row.held is None else row.held.values.get(SKU)
    return row.change.key if told is None else str(told)


def _number(value: Value) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _stock_item(values: Values) -> Mapping[str, Any]:
    """Return stock settings; of an unset one, that the shop's own apply."""
    item: dict[str, Any] = {}
    if MINIMUM in values:
        # A number to the shop, where the other flags are flags.
        item["use_config_min_sale_qty"] = int(values[MINIMUM] == "0")
    if MAXIMUM in values:
        item["use_config_max_sale_qty"] = values[MAXIMUM] == "0"
    if MULTIPLE in values:
        is_unset = values[MULTIPLE] == "0"
        item |= {"use_config_qty_increments": is_unset, "use_config_enable_qty_inc": is_unset}
        if not is_unset:
            item["enable_qty_increments"] = True
    return item | {
        name: _number(values[name])
        for name in sorted(QUANTITIES & values.keys())
        if values[name] != "0"
    }
