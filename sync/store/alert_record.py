"""An open alert as it is kept."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One row of `alert`; the names are those of its columns."""

    key: str
    title: str
    text: str
    count: int
    raised_at: datetime
    told_at: datetime | None
    told_count: int
    times_told: int
