"""One at a time for each SKU: whoever counts what is reserved of it, and whoever changes that.

Stock, shipments, cancellations and credit memos of one SKU that overlap would each be right by
itself and wrong together. Writes of one order of the shop (`sync.magento.order_turns`) are kept
apart likewise. The locks are PostgreSQL's own, of one transaction: they end with the process that
holds them, or with its connection. None is asked for under another.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# Longer than the shop takes for a batch of a hundred: past it the holder is stuck, and the event
# that waits is tried again.
_PATIENCE = "60s"
_PATIENT = text(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
_UNHURRIED = text("SET LOCAL idle_in_transaction_session_timeout = 0")
# In one order whoever asks, so that no two wait for each other.
_TAKE = text(
    "SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) WITH ORDINALITY "
    "AS wanted (key, place) ORDER BY place"
)


class SkuLocks:
    """The locks of one shop.

    Args:
        database: Its own connections hold them.
        most: So many at once: who holds one needs other connections for the journal.
    """

    def __init__(self, database: AsyncEngine, *, most: int) -> None:
        self._database = database
        self._places = asyncio.Semaphore(most)

    @asynccontextmanager
    async def hold(self, folded: Collection[str]) -> AsyncIterator[None]:
        """Hold the locks of SKUs, given as what all spellings of each share."""
        keys = sorted({_key_of(sku) for sku in folded})
        if not keys:
            # No connection is kept from others while the shop is waited for.
            yield
            return
        async with self._places, self._database.begin() as connection:
            await connection.execute(_PATIENT)
            await connection.execute(_UNHURRIED)
            await connection.execute(_TAKE, {"keys": keys})
            yield


def _key_of(folded: str) -> int:
    digest = hashlib.blake2b(f"sku/{folded}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
