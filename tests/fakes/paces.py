"""How wide a shop is written to, in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from sync.store.mirror_pace_record import Probes, ShopPace


@dataclass
class FakePaces:
    """A `sync.mirror.governor.Paces`."""

    pace: ShopPace | None = None
    took_ms: list[float] = field(default_factory=list)

    async def of(self, shop: str) -> ShopPace | None:
        del shop
        return self.pace

    async def change(
        self, shop: str, first: ShopPace, change: Callable[[ShopPace], ShopPace]
    ) -> None:
        del shop
        self.pace = change(self.pace or first)

    async def note_probe(self, shop: str, at: datetime, took_ms: float) -> None:
        del shop, at
        self.took_ms.append(took_ms)

    async def probes(self, shop: str, *, recent: int) -> Probes:
        del shop
        return Probes(
            recent_ms=self.took_ms[-recent:],
            usual_ms=median(self.took_ms),
            count=len(self.took_ms),
        )
