"""A worker process for tests to kill: python -m tests.sync_engine.worker_program URL LEDGER.

Its flow journals one write per event and appends `key fence` to the ledger, the wire of
these tests; an event whose payload names `seconds` takes that long before it writes.
"""

import asyncio
import os
import sys

from pricing_proxy.clock import SystemClock
from sync.engine.database import database
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.queue import JobQueue, Lease, queue_application
from sync.engine.runner import Runner
from sync.engine.sweep import Sweep
from sync.engine.workers import Workers
from sync.store.events import EventStore
from sync.store.flow_control import FlowControl
from sync.store.journal import Journal

MARKET = "b2b_de"
# As in earnest, in a tenth of the time.
LEASE = Lease(heartbeat=0.5, seconds=2)


class LedgerFlow:
    """Writes a line for each event, once: it looks before it writes."""

    name = "orders"

    def __init__(self, path: str) -> None:
        self._path = path

    async def carry(self, work: Work) -> Done:
        key = work.event.business_key
        if key in written_keys(self._path):
            return Done("was written before")
        call = work.call("ledger", "write", {"key": key})
        # Asked, then stopped by a test, then asked again last before the wire.
        await call.sent()
        await asyncio.sleep(float(work.event.payload.get("seconds", 0)))
        await call.sent()
        line = f"{key} {work.event.fence}\n".encode()
        with open(self._path, "ab", buffering=0) as ledger:  # noqa: ASYNC230, PTH123 -- one write
            ledger.write(line)
        await call.acked(200, {})
        return Done("written")


def written_keys(path: str) -> list[str]:
    """Return the keys in the ledger, as often as each was written."""
    with open(path, encoding="ascii") as ledger:  # noqa: PTH123 -- also called in an event loop
        return [line.split()[0] for line in ledger]


async def work(url: str, ledger: str) -> None:
    """Work until killed."""
    async with database(url, connections=8) as store:
        queue = JobQueue()
        runner = Runner(
            database=store,
            events=EventStore(store, queue),
            journal=Journal(store, configuration_hash="c0ffee"),
            flows={"orders": LedgerFlow(ledger)},
            clock=SystemClock(),
            give_up_after=50,
        )
        app = queue_application(url, runner.carry, connections=4)
        async with (
            app.open_async(),
            Sweep(store, queue, lease=LEASE),
            Workers(
                app, FlowControl(store), lines=[("orders", MARKET)], concurrency=4, lease=LEASE
            ),
        ):
            print(f"ready {os.getpid()}", flush=True)  # noqa: T201 -- read by the test
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2]))
