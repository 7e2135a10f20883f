"""Check a body against the type of its set, as OData does before any application runs. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from pricing_proxy.sandbox.documents.refusals import unknown_property, wrong_value
from pricing_proxy.sandbox.documents.schema import ENUM_MEMBERS, DocumentSet
from pricing_proxy.sandbox.odata_filter import BadQueryError, to_instant

_INT_BITS = {"Edm.Int32": 31, "Edm.Int64": 63}


def read_members(
    named: DocumentSet, members: Mapping[str, Any], *, real_names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the members that say something, with values as rows hold them.

    Args:
        named: The set.
        members: Of the body; numbers are int or Decimal.
        real_names: Our name of each field that is called otherwise now.

    Raises:
        Refusal: A member is unknown, or of another type.
    """
    hidden = set(real_names.values())
    values = {}
    for told, value in members.items():
        if told.startswith("@odata."):
            continue
        name = real_names.get(told, told)
        if name not in named.types or told in hidden:
            raise unknown_property(named.entity, told)
        # Null is "not said": F&O keeps no nulls.
        if value is not None:
            values[name] = _value(told, named.types[name], value)
    return values


def _value(name: str, kind: str, value: Any) -> Any:
    if kind in ENUM_MEMBERS:
        return _member(name, kind, value)
    if kind == "Edm.String" and isinstance(value, str):
        return value.rstrip(" ")
    if kind == "Edm.Decimal" and type(value) in (int, Decimal):
        return Decimal(value)
    if kind in _INT_BITS and type(value) is int and abs(value) < 1 << _INT_BITS[kind]:
        return value
    if kind in ("Edm.DateTimeOffset", "Edm.Guid") and isinstance(value, str):
        return _date_or_guid(name, kind, value)
    raise wrong_value(name, kind)


def _member(name: str, enum: str, value: Any) -> str:
    if not isinstance(value, str) or value not in ENUM_MEMBERS[enum]:
        raise wrong_value(name, f"Microsoft.Dynamics.DataEntities.{enum}")
    return value


def _date_or_guid(name: str, kind: str, value: str) -> str:
    try:
        return to_instant(value) if kind == "Edm.DateTimeOffset" else str(UUID(value))
    except (BadQueryError, ValueError) as error:
        raise wrong_value(name, kind) from error
