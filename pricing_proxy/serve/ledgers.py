"""Build what reads every market's ledger, and what writes to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis

from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.serve.caching import Caching
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.ledger import LedgerWriter, positions_within
from pricing_proxy.shared_state.ledger_reader import LedgerReader, LedgerView
from pricing_proxy.shared_state.opening import ledger_client
from pricing_proxy.shared_state.provenance import provenances
from pricing_proxy.supervision import Supervision


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    """All markets' ledgers as this process knows them."""

    writer: LedgerWriter
    readers: Mapping[str, LedgerReader]
    invalidations: Invalidations

    def is_verified(self, market: str) -> bool:
        """Return whether the market's ledger was read within its lease."""
        return self.readers[market].is_verified()

    def are_all_verified(self) -> bool:
        """Return whether every market is."""
        return all(reader.is_verified() for reader in self.readers.values())

    def view(self, market: str) -> LedgerView:
        """Return where a market's reader is."""
        return self.readers[market].view()


@asynccontextmanager
async def open_ledgers(
    settings: Settings,
    redis: Redis,
    *,
    caching: Caching,
    clock: Clock,
    supervision: Supervision,
) -> AsyncIterator[Ledgers]:
    """Begin to read every market's ledger; on exit, stop."""
    freshness = {code: market.freshness for code, market in settings.markets.items()}
    read_from = provenances(settings.environments, settings.markets)
    keep = {code: timedelta(seconds=each.max_seconds) for code, each in freshness.items()}
    longest = max(keep.values())
    invalidations = Invalidations(
        keep_positions=positions_within(longest),
        keep_us=longest // timedelta(microseconds=1),
        now_us=clock.monotonic_us,
    )
    async with AsyncExitStack() as stack:
        reading = await stack.enter_async_context(
            ledger_client(settings.redis, redis, connections=len(freshness))
        )
        readers = {
            code: await stack.enter_async_context(
                LedgerReader(
                    reading,
                    code,
                    provenance=read_from[code],
                    take=partial(invalidations.take, code),
                    keep=keep[code],
                    lease_us=each.lease_seconds * SECOND_US,
                    offset_us=lambda: caching.heartbeat.time().offset_us,
                    clock=clock,
                    watch=caching.watch,
                ).watched(supervision, f"ledger of {code}")
            )
            for code, each in freshness.items()
        }
        writer = LedgerWriter(redis, provenances=read_from, keep=keep)
        yield Ledgers(writer=writer, readers=readers, invalidations=invalidations)
