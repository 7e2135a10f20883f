"""Run the two listeners until told to stop.

SIGTERM: readiness goes off, requests are served a little longer until load balancers
know, then what is under way is finished. Ctrl-C does the same without the wait.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from pricing_proxy.bootstrap import Application, application
from pricing_proxy.clock import SystemClock
from pricing_proxy.settings import Listener, Settings

_log = logging.getLogger(__name__)

# A checkout may take four seconds; after that nothing is worth waiting for.
_DRAIN_SECONDS = 5.0
# A page makes some hundred short-lived tuples; the default of 700 would look for cycles among
# them every few requests, though there are hardly any.
_COLLECT_EVERY_ALLOCATIONS = 20_000


class ListenError(Exception):
    """An address cannot be listened on."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C; raises `ListenError`."""
    gc.set_threshold(_COLLECT_EVERY_ALLOCATIONS)
    stopping: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop_signal, _stop, stopping, stop_signal)
    async with application(settings, clock=SystemClock()) as running:
        service = settings.service
        async with (
            _listening(running.public, service.public, "service.public.port"),
            _listening(running.admin, service.admin, "service.admin.port"),
        ):
            _log.info("serving on port %d, admin on port %d", *_ports(settings))
            number = await stopping
            await _leave(running, settings, is_patient=number == signal.SIGTERM)


async def _leave(running: Application, settings: Settings, *, is_patient: bool) -> None:
    running.readiness.stop()
    if is_patient:
        _log.info("stopping in %d s", settings.service.shutdown_seconds)
        await asyncio.sleep(settings.service.shutdown_seconds)
    else:
        _log.info("stopping")


@asynccontextmanager
async def _listening(app: web.Application, listener: Listener, key: str) -> AsyncIterator[None]:
    # No access log: it would write queries, and metrics tell the rest.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, listener.host, listener.port).start()
    except OSError as error:
        await runner.cleanup()
        raise ListenError(
            f"cannot listen on {listener.host}:{listener.port} ({error.strerror}); "
            f"another program has it: stop that one, or set {key}"
        ) from error
    try:
        yield
    finally:
        await runner.cleanup()


def _stop(stopping: "asyncio.Future[int]", number: int) -> None:
    if not stopping.done():
        stopping.set_result(number)


def _ports(settings: Settings) -> tuple[int, int]:
    return settings.service.public.port, settings.service.admin.port
