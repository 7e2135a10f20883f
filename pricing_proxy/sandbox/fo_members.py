"""Check what the control port is told of F&O: texts and warehouses."""

from collections.abc import Mapping
from typing import Any

from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.stock.places import DEFAULT_WAREHOUSE, WAREHOUSES


def text_of(members: Mapping[str, Any], name: str) -> str | None:
    """Return a text, None where it is not told; raises `BadMemberError`."""
    value = members.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise BadMemberError(name, "expected a text")
    return value


def warehouse_of(members: Mapping[str, Any]) -> str:
    """Return a warehouse, the usual one where it is not told; raises `BadMemberError`."""
    warehouse = members.get("warehouse") or DEFAULT_WAREHOUSE
    if warehouse not in WAREHOUSES:
        raise BadMemberError("warehouse", f"expected one of {', '.join(WAREHOUSES)}")
    return str(warehouse)
