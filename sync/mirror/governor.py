"""Let as many batches at once into a shop as it bears, whichever processes they are of.

Who writes a batch holds one of so many numbered slots, which are claims of the database: a
process that dies holds none for longer than its lease. How many there are says `pace`; it is
kept with the database too, so a cut of one process is one of all.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.mirror.pace import FLOOR, RECENT, halved, probed, width
from sync.store.mirror_pace_record import Probes, ShopPace

SLOTS = "mirror batches"
"""The scope of the claims of who writes a batch."""

# What a dead process was at goes on this much later; it is renewed three times within.
_LEASE = timedelta(seconds=15)
# A batch takes longer than that; whoever waits asks the database so often.
_LOOK_SECONDS = 0.2


class Slots(Protocol):
    """Claims of one scope: `sync.store.claims.Claims`."""

    async def take(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        """Claim; return False while it is another's."""
        ...

    async def keep(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        """Renew; return False when another has it."""
        ...

    async def release(self, key: str, holder: str) -> None:
        """Give it back."""
        ...


class Paces(Protocol):
    """What is kept of paces: `sync.store.mirror_pace.MirrorPaces`."""

    async def of(self, shop: str) -> ShopPace | None:
        """Return a shop's pace, None while nothing has changed it."""
        ...

    async def change(
        self, shop: str, first: ShopPace, change: Callable[[ShopPace], ShopPace]
    ) -> None:
        """Change it, of all processes one at a time."""
        ...

    async def note_probe(self, shop: str, at: datetime, took_ms: float) -> None:
        """Keep what a probe took."""
        ...

    async def probes(self, shop: str, *, recent: int) -> Probes:
        """Return what probes took of late."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceView:
    """How wide a shop is written to now.

    Attributes:
        width: Batches at once.
        ceiling: What it grows to.
        reason: Why it is less; empty where it is not.
        cut_at: When it last became less.
    """

    width: int
    ceiling: int
    reason: str
    cut_at: datetime | None

    @property
    def is_at_floor(self) -> bool:
        """Whether it cannot be less."""
        return self.width == FLOOR < self.ceiling


def pace_view(pace: ShopPace | None, now: datetime, *, ceiling: int) -> PaceView:
    """Return how wide a shop is written to at an instant; as its ceiling says without a pace."""
    pace = pace or ShopPace(width=ceiling, changed_at=now)
    wide = width(pace, now, ceiling=ceiling)
    return PaceView(
        width=wide,
        ceiling=ceiling,
        reason=pace.reason if wide < ceiling else "",
        cut_at=pace.cut_at,
    )


class Governor:
    """One shop's.

    Args:
        paces: What is kept of them.
        slots: Who writes a batch.
        shop: Its root address.
        ceiling: Batches at once, at most.
        clock: Time.
    """

    def __init__(
        self, paces: Paces, slots: Slots, *, shop: str, ceiling: int, clock: Clock
    ) -> None:
        self.ceiling = ceiling
        self._paces = paces
        self._slots = slots
        self._shop = shop
        self._clock = clock

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait until one more batch may go on, and count it for as long as this is entered."""
        holder = str(uuid.uuid4())
        key = await self._taken(holder)
        keeping = asyncio.create_task(self._keep(key, holder))
        try:
            yield
        finally:
            keeping.cancel()
            # What it failed of is no matter: a database that is away lets nobody else take it.
            await asyncio.gather(keeping, return_exceptions=True)
            await self._slots.release(key, holder)

    async def failed(self, reason: str, *, began_at: datetime) -> None:
        """Note that Magento failed at a batch that began then."""
        now = self._clock.utc()
        cut = partial(halved, now=now, ceiling=self.ceiling, reason=reason, began_at=began_at)
        await self._paces.change(self._shop, self._first(now), cut)

    async def probe(self, ask: Callable[[], Awaitable[float]]) -> None:
        """Ask the storefront for a page, and judge by what it took.

        Args:
            ask: Returns the milliseconds.
        """
        took_ms = await ask()
        now = self._clock.utc()
        await self._paces.note_probe(self._shop, now, took_ms)
        probes = await self._paces.probes(self._shop, recent=RECENT)
        judged = partial(probed, probes=probes, now=now, ceiling=self.ceiling)
        await self._paces.change(self._shop, self._first(now), judged)

    async def view(self) -> PaceView:
        """Return how wide the shop is written to now."""
        pace = await self._paces.of(self._shop)
        return pace_view(pace, self._clock.utc(), ceiling=self.ceiling)

    def _first(self, now: datetime) -> ShopPace:
        return ShopPace(width=self.ceiling, changed_at=now)

    async def _taken(self, holder: str) -> str:
        while True:
            for number in range((await self.view()).width):
                key = f"{self._shop}/{number}"
                if await self._slots.take(key, holder, lasting=_LEASE):
                    return key
            await asyncio.sleep(_LOOK_SECONDS)

    async def _keep(self, key: str, holder: str) -> None:
        # One that is lost is not given up: the batch is on the wire, and the next is not begun.
        while True:
            await asyncio.sleep(_LEASE.total_seconds() / 3)
            await self._slots.keep(key, holder, lasting=_LEASE)
