"""Run the sync until told to stop: flows, and the listeners for the shop and for operators.

SIGTERM and Ctrl-C end it alike: nothing new is taken, what is under way is finished or left
where its successor looks it up.
"""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack

from pricing_proxy.clock import Clock
from pricing_proxy.listening.listener import listening
from sync.console.operator_pages import OperatorPages
from sync.serve.application import running
from sync.serve.places import places
from sync.settings import SyncSettings

_log = logging.getLogger(__name__)


async def run(settings: SyncSettings, *, clock: Clock) -> None:
    """Run until SIGTERM or Ctrl-C.

    Raises:
        ListenError: An address is taken.
        StoreError: The database cannot be used.
    """
    stopping = asyncio.Event()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop_signal, stopping.set)
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(running(settings, clock=clock))
        taken = places(settings)
        parts.metrics.count_connections(taken.intake, taken.operators)
        if parts.intake is None:
            _log.warning("no intake: sync.intake.secret is not set, so orders wait for the poll")
        else:
            intake = settings.sync.intake
            port = await stack.enter_async_context(
                listening(
                    parts.intake,
                    intake,
                    "sync.intake.port",
                    crowd=taken.intake,
                )
            )
            _log.info("hearing the shop on port %d", port)
        operators = settings.sync.operators
        pages = OperatorPages(parts.stores, parts.metrics, clock=clock, gates=parts.gates)
        shown = await stack.enter_async_context(
            listening(
                pages.application(host_names=operators.host_names),
                operators,
                "sync.operators.port",
                crowd=taken.operators,
            )
        )
        _log.info("state and metrics on port %d of this machine", shown)
        if parts.stores.opened.is_embedded:
            _log.warning("PostgreSQL is embedded: one machine, no replica, no backup by others")
        if settings.redis.is_embedded:
            _log.warning("Redis is embedded: the price service does not see the customer map")
        _log.info("carrying %s", ", ".join(sorted(settings.sync.markets)))
        await stopping.wait()
        _log.info("stopping")
