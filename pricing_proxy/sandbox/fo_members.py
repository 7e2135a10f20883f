"""Check the members of what the control port is told of F&O."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.stock.places import DEFAULT_WAREHOUSE, WAREHOUSES


def checked(members: Mapping[str, Any], *known: str) -> None:
    """Raise `BadMemberError` for a member that is not known."""
    for name in members:
        if name not in known:
            raise BadMemberError(name, f"unknown; there are {', '.join(known)}")


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


def number_of(name: str, value: Any) -> Decimal:
    """Return a finite number; raises `BadMemberError`."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadMemberError(name, "expected a number, such as 12.5") from None
    if not number.is_finite():
        raise BadMemberError(name, "expected a number, such as 12.5")
    return number
