"""Whose orders are watched, and from when on."""

from dataclasses import dataclass
from datetime import datetime

from pricing_proxy.clock import Clock
from sync.engine.sources import Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedMarket:
    """Whose orders are watched.

    Attributes:
        flow: Who watches.
        code: The market's code.
        company: Its company in the ERP.
        start_at: What happened earlier is left out; None for what happened before the first look.
    """

    flow: str
    code: str
    company: str
    start_at: datetime | None = None

    def mark(self, what: str) -> str:
        """Return under which name it is kept how far something was read."""
        return f"{self.flow}.{self.code}.{what}"


async def begins_at(market: WatchedMarket, marks: Marks, clock: Clock) -> datetime:
    """Return from when on it is brought over what happens; now at the first look."""
    if market.start_at is not None:
        return market.start_at
    name = market.mark("begins")
    kept = await marks.get(name)
    if kept is None:
        # The ERP says when in whole seconds.
        kept = clock.utc().replace(microsecond=0).isoformat()
        await marks.put(name, kept)
    return datetime.fromisoformat(kept)
