"""What is written to F&O: bodies under its field names, in the forms it takes them.

A member that is None is left out, so that the ERP's own default applies; an empty text
is sent, and empties the field. Pure.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from pricing_proxy.d365.odata import instant_text

FieldValue = str | bool | int | Decimal | date | datetime
"""What a field can be given; a bool is F&O's NoYes."""

JsonValue = str | int | Decimal


class Body(BaseModel):
    """The members of a write; a name that its model does not have is a mistake of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def members(self) -> dict[str, JsonValue]:
        """Return the members that are set, as F&O reads them."""
        return wire_members({name: value for name, value in self if value is not None})


def wire_members(values: Mapping[str, FieldValue]) -> dict[str, JsonValue]:
    """Return values as F&O reads them: enums by name, dates at noon, numbers with their digits."""
    return {name: _wire_value(value) for name, value in values.items()}


def _wire_value(value: FieldValue) -> JsonValue:
    match value:
        case bool():
            return "Yes" if value else "No"
        case datetime():
            return instant_text(value)
        case date():
            return f"{value.isoformat()}T12:00:00Z"
        case _:
            return value
