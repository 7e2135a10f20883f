"""Dates of F&O that have a time: when a row was changed."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from pricing_proxy.d365.fo.models import date_or_none


def instant_or_none(value: Any) -> datetime | None:
    """Return an instant of F&O in UTC, None when it stands for "never".

    Raises:
        ValueError: Not an instant.
    """
    if date_or_none(value) is None:
        return None
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("an instant names its time zone")
    return instant.astimezone(UTC)


Instant = Annotated[datetime | None, BeforeValidator(instant_or_none)]
"""An instant, None when F&O has none."""
