"""How a read says that it is alive, and what it ends of."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from pricing_proxy.resilience.errors import TransientUpstreamError, UpstreamError, words_of
from sync.store.mirror_records import MirrorRun

# Several times before others take it for dead.
_KEEP_SECONDS = 20.0


class LivingRuns(Protocol):
    """What is kept of runs; each raises `RunLostError`."""

    async def keep(self, run: MirrorRun) -> None:
        """Say that a run is still read for."""
        ...

    async def note(self, run: MirrorRun, text: str) -> None:
        """Note why a read is broken off just now."""
        ...

    async def fail(self, run: MirrorRun, text: str) -> None:
        """End a run that plans nothing."""
        ...


@asynccontextmanager
async def failing(
    runs: LivingRuns, run: MirrorRun, keys: Sequence[str] | None
) -> AsyncGenerator[None, None]:
    """Note on a run why it breaks off, and end it unless it is taken up again."""
    try:
        yield
    except asyncio.CancelledError:
        if run.asked_by:
            await runs.fail(run, "whoever read for it was stopped")
        raise
    except UpstreamError as error:
        is_taken_up = keys is None and not run.asked_by
        is_over = not is_taken_up or not isinstance(error, TransientUpstreamError)
        end = runs.fail if is_over else runs.note
        await end(run, f"the reading broke off: {words_of(error)}")
        raise


@asynccontextmanager
async def kept(runs: LivingRuns, run: MirrorRun) -> AsyncGenerator[None, None]:
    """Say of a run that it is read for, for as long as this is entered."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(_KEEP_SECONDS)
            await runs.keep(run)

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
