"""Run the sync until told to stop: flows, and the listeners for the shop and for operators.

SIGTERM and Ctrl-C end it alike: nothing new is taken, what is under way is finished or left
where its successor looks it up. SIGHUP changes nothing, and is said.
"""

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from pricing_proxy.clock import Clock
from pricing_proxy.d365.way import CONNECTIONS as ERP_CONNECTIONS
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import listening
from pricing_proxy.listening.metrics_listener import metrics_crowd, metrics_listening
from pricing_proxy.listening.room import room
from pricing_proxy.listening.stopping import outlive_hangup, told_to_stop
from pricing_proxy.supervision import Supervision
from sync.console.operator_pages import OperatorPages
from sync.engine.postgres_programs import ORIGIN
from sync.serve.application import Running, running
from sync.serve.mirror_state import read_mirrors
from sync.settings import Sync, SyncSettings

_log = logging.getLogger(__name__)

# Connections to Entra, of alerts, and of what listens to the database.
_OTHERS = 8
# The queue has a pool of its own beside the tables'.
_POOLS = 2


async def run(settings: SyncSettings, *, clock: Clock) -> None:
    """Run until SIGTERM or Ctrl-C.

    Raises:
        ListenError: An address is taken.
        StoreError: The database cannot be used.
    """
    stopping = told_to_stop()
    outlive_hangup()
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(running(settings, clock=clock))
        await _listen(parts, settings, clock, stack)
        if parts.stores.opened.is_embedded:
            _log.warning(
                "PostgreSQL is embedded: one machine, no replica, no backup by others; %s", ORIGIN
            )
        if settings.redis.is_embedded:
            _log.warning("Redis is embedded: the price service does not see the customer map")
        _log.info("carrying %s", ", ".join(sorted(settings.sync.markets)))
        await stopping.get()
        _log.info("stopping")


async def _listen(
    parts: Running, settings: SyncSettings, clock: Clock, listeners: AsyncExitStack
) -> None:
    """Open the listeners, and say where; raises `ListenError`."""
    own, (hints, looks, *scrapers) = settings.sync, _crowds(settings, parts.supervision)
    parts.metrics.count_connections(hints, looks, *scrapers)
    if own.intake.secret is None:
        _log.warning("the shop is not heard, without sync.intake.secret: orders wait for polls")
    if parts.intake is not None:
        heard = listening(parts.intake, own.intake, "sync.intake.port", crowd=hints)
        _log.info("hearing hints on port %d", await listeners.enter_async_context(heard))
    pages = _pages(parts, own, clock).application(host_names=own.operators.host_names)
    shown = listening(pages, own.operators, "sync.operators.port", crowd=looks)
    port = await listeners.enter_async_context(shown)
    _log.info("state and metrics on port %d of this machine", port)
    if own.metrics is not None:
        await listeners.enter_async_context(
            metrics_listening(
                parts.metrics.text, own.metrics, "sync.metrics.port", crowd=scrapers[0]
            )
        )


def _pages(parts: Running, own: Sync, clock: Clock) -> OperatorPages:
    return OperatorPages(
        parts.stores,
        parts.metrics,
        mirrors=partial(read_mirrors, parts.stores, own),
        clock=clock,
        gates=parts.gates,
        redis=parts.redis,
        supervision=parts.supervision,
    )


def _crowds(settings: SyncSettings, supervision: Supervision) -> Sequence[Crowd]:
    """Return the connections of the shop's, operators' and scrapers' listener, beside our own.

    Strangers on the shop's cannot take the places of operators.
    """
    own = settings.sync
    systems = len(settings.environments) * ERP_CONNECTIONS + own.magento.connections
    kept = settings.redis.connections + _POOLS * own.postgres.connections
    scrapers = [] if own.metrics is None else [metrics_crowd(own.metrics)]
    found = room(outgoing=systems + kept + sum(each.most for each in scrapers) + _OTHERS)
    crowds = (
        Crowd("intake", most=found.outer, idle_seconds=own.intake.idle_seconds),
        Crowd("operators", most=found.inner, idle_seconds=own.operators.idle_seconds),
        *scrapers,
    )
    for crowd in crowds:
        crowd.watched(supervision, f"sweep of the {crowd.name} listener")
    return crowds
