"""What is kept of how wide a shop is written to, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPace:
    """How wide one shop is written to.

    Attributes:
        width: Batches at once, when that was last set.
        changed_at: When; it grows from here.
        cut_at: When it last became less.
        is_slow: Whether the storefront is slow: then it does not grow.
        reason: Why it was last halved.
    """

    width: int
    changed_at: datetime
    cut_at: datetime | None = None
    is_slow: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What the storefront's page took of late.

    Attributes:
        recent_ms: Of the latest probes.
        usual_ms: The median of a day.
        count: How many there were within it.
    """

    recent_ms: Sequence[float]
    usual_ms: float
    count: int
