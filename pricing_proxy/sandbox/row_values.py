"""How F&O writes single values in OData rows."""

from datetime import date
from typing import Any

Row = dict[str, Any]

NULL_DATE = "1900-01-01T12:00:00Z"


def no_yes(is_yes: bool) -> str:  # noqa: FBT001 - a conversion of one value
    """Return a NoYes member."""
    return "Yes" if is_yes else "No"


def day(day: date | None) -> str:
    """Return a date as F&O does: at noon, and one of 1900 for none."""
    return NULL_DATE if day is None else f"{day:%Y-%m-%d}T12:00:00Z"
