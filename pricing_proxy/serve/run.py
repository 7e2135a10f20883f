"""Run the listeners until told to stop.

SIGTERM: readiness goes off, requests are served a little longer until load balancers
know, then what is under way is finished. Ctrl-C does the same without the wait. SIGHUP:
the keys are read anew.
"""

import asyncio
import gc
import logging
import math
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.d365.way import CONNECTIONS as ERP_CONNECTIONS
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import listening
from pricing_proxy.listening.metrics_listener import (
    METRICS_CONNECTIONS,
    metrics_crowd,
    metrics_listening,
)
from pricing_proxy.listening.room import room
from pricing_proxy.listening.stopping import outlive_hangup, told_to_stop
from pricing_proxy.serve.application import Application, application
from pricing_proxy.serve.worker_board import WorkerState
from pricing_proxy.serve.worker_place import WorkerPlace
from pricing_proxy.settings import ConfigurationFiles, Settings
from pricing_proxy.shared_state.provenance import provenances
from pricing_proxy.shared_state.shop_claim import require_own_shop
from pricing_proxy.web.immediate import ImmediateRunner

_log = logging.getLogger(__name__)

L = TypeVar("L", bound=Listener)

# A page makes some hundred short-lived tuples; the default of 700 would look for cycles among
# them every few requests, though there are hardly any. Going through 50,000 takes some 3 ms.
_COLLECT_EVERY_ALLOCATIONS = 50_000
# Connections to Entra, to the collector of traces, and of the one that measures Redis' time.
_OTHERS = 8
_LOOK_SECONDS = 0.05
# Maps come out of Redis within a second or two; without them it says by health what is missing.
_START_SECONDS = 5.0


async def serve(
    settings: Settings, files: ConfigurationFiles, place: WorkerPlace | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C; raises `ListenError`, `OtherShopError`.

    Args:
        settings: What to serve, and where.
        files: Where the settings came from: their keys are taken anew when they change.
        place: Which of several workers this is; None for alone.
    """
    place = place or WorkerPlace()
    gc.set_threshold(_COLLECT_EVERY_ALLOCATIONS)
    stopping = told_to_stop()
    # Until there are keys to read anew; for good where they come from no file.
    outlive_hangup()
    if settings.shop_url is not None:
        read_from = provenances(settings.environments, settings.markets)
        await require_own_shop(settings.redis, read_from, settings.shop_url)
    async with (
        application(settings, clock=SystemClock(), files=files, place=place) as running,
        AsyncExitStack() as listeners,
    ):
        if running.key_watch is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, running.key_watch.read_now)
        if not await _may_listen(running, stopping):
            return
        ports = await listen(running, settings, listeners)
        _set_start_apart()
        if settings.redis.is_embedded:
            _log.warning("Redis is embedded: prices end with this process, and are its alone")
        _log.info("serving on port %d, admin on port %d", ports.public, ports.admin)
        is_patient = await stopping.get() == signal.SIGTERM
        await _leave(running, settings, is_patient=is_patient)


@dataclass(frozen=True, slots=True)
class ServedPorts:
    """Where the service listens.

    Attributes:
        metrics: None where nobody asked for that listener.
    """

    public: int
    admin: int
    metrics: int | None


async def listen(
    running: Application, settings: Settings, listeners: AsyncExitStack
) -> ServedPorts:
    """Open the listeners; raises `ListenError`.

    Args:
        running: What they answer with, and where it stands among workers.
        settings: Where they listen.
        listeners: Ends them, the last first.
    """
    place = running.place
    service, (public, admin) = settings.service, _crowds(settings)
    scrapers = [] if service.metrics is None else [metrics_crowd(service.metrics)]
    for crowd in (public, admin, *scrapers):
        crowd.watched(running.supervision, f"sweep of the {crowd.name} listener")
    running.metrics.count_connections(public, admin, *scrapers)
    shops = listening(
        running.public,
        _at(service.public, place.public_port or service.public.port),
        "service.public.port",
        crowd=public,
        runner_type=ImmediateRunner,
        is_shared=place.is_shared,
    )
    public_port = await listeners.enter_async_context(shops)
    own = _at(service.admin, place.own_port(service.admin.port))
    operators = listening(running.admin, own, "service.admin.port", crowd=admin)
    admin_port = await listeners.enter_async_context(operators)
    if service.metrics is None:
        return ServedPorts(public_port, admin_port, metrics=None)
    own_metrics = _at(service.metrics, place.own_port(service.metrics.port))
    scraped = metrics_listening(
        running.metrics.text, own_metrics, "service.metrics.port", crowd=scrapers[0]
    )
    return ServedPorts(public_port, admin_port, await listeners.enter_async_context(scraped))


def _at(listener: L, port: int) -> L:
    return listener.model_copy(update={"port": port})


def _crowds(settings: Settings) -> tuple[Crowd, Crowd]:
    """Return the connections of the public and the admin listener, beside our own to others.

    Strangers on the public one cannot take the places of operators.
    """
    erps = len(settings.environments) * ERP_CONNECTIONS
    redis = settings.redis.connections + len(settings.markets)
    service = settings.service
    scrapers = METRICS_CONNECTIONS if service.metrics is not None else 0
    found = room(outgoing=erps + redis + scrapers + _OTHERS)
    return (
        Crowd("public", most=found.outer, idle_seconds=service.public.idle_seconds),
        Crowd("admin", most=found.inner, idle_seconds=service.admin.idle_seconds),
    )


async def _may_listen(running: Application, stopping: "asyncio.Queue[signal.Signals]") -> bool:
    """Wait until it can answer, or should say that it cannot; return False if told to end before.

    A load balancer that asks nobody for health sends requests as soon as somebody listens. One
    that was started again beside others leaves it to them for as long as it takes.
    """
    until = math.inf if running.place.is_replacement else _START_SECONDS
    clock = asyncio.get_running_loop()
    until += clock.time()
    while running.readiness.state() != WorkerState.READY and clock.time() < until:
        if not stopping.empty():
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return stopping.empty()


def _set_start_apart() -> None:
    """Keep the collector off what stands since the start: modules, models and routes.

    Looking through it takes tens of milliseconds, in which no request is answered.
    """
    gc.collect()
    gc.freeze()


async def _leave(running: Application, settings: Settings, *, is_patient: bool) -> None:
    running.readiness.stop()
    if is_patient:
        _log.info("stopping in %d s", settings.service.shutdown_seconds)
        await asyncio.sleep(settings.service.shutdown_seconds)
    else:
        _log.info("stopping")
