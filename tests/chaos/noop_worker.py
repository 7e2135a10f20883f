"""A worker whose flow does nothing: what the engine and its database cost by themselves."""

import argparse
import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from pricing_proxy.clock import SystemClock
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.queue import JobQueue, queue_application
from sync.engine.runner import Runner
from sync.engine.sweep import Sweep
from sync.engine.workers import Workers
from sync.serve.stores import stores
from sync.settings import SyncSettings, load
from tests.chaos.configuration import MARKET

_log = logging.getLogger(__name__)

FLOW = "orders"


class Nothing:
    """A flow that does nothing."""

    name = FLOW

    async def carry(self, work: Work) -> Done:
        """Say that it is done."""
        return Done(work.event.business_key)


async def run(settings: SyncSettings) -> None:
    """Run until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(stores(settings))
        runner = Runner(
            database=opened.opened.database,
            events=opened.events,
            journal=opened.journal,
            flows={FLOW: Nothing()},
            clock=SystemClock(),
            give_up_after=settings.sync.delivery.give_up_after,
        )
        app = queue_application(
            opened.opened.url, runner.carry, connections=settings.sync.postgres.connections
        )
        await stack.enter_async_context(app.open_async())
        workers = Workers(
            app, opened.control, lines=[(FLOW, MARKET)], concurrency=settings.sync.concurrency
        )
        await stack.enter_async_context(workers)
        await stack.enter_async_context(Sweep(opened.opened.database, JobQueue()))
        _log.info("carrying nothing")
        await stopping.wait()


def main() -> None:
    """Run the worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    asyncio.run(run(load(options.config)))


if __name__ == "__main__":
    main()
