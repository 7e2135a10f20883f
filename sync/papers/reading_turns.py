"""When papers of some days are read again: the longer back, the more rarely."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class ReadingTurn:
    """How often something is read, and when it last was; a new process begins with it."""

    every: timedelta
    done_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether it is to be read now."""
        return self.done_at is None or now - self.done_at >= self.every
