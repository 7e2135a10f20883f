"""Start several workers of the price service on one machine, and supervise them.

Nothing is kept by them alone but what they remember, so each is like another replica: it has
its own memory, breakers and connections, and finds the others through Redis. What would be
wrong for more than one is refused here, before any starts.
"""

import logging
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.listener import ListenError
from pricing_proxy.serve.supervisor import Supervisor
from pricing_proxy.serve.worker_board import new_board
from pricing_proxy.serve.worker_place import own_port
from pricing_proxy.settings import Service, Settings

_log = logging.getLogger(__name__)

# After `shutdown_seconds`: what is under way (5), last loads (2), and some for the machine. Units
# and charts give 15.
_ENDING_SECONDS = 12.0
# Before a worker that ended is started again for the first time.
_FIRST_PAUSE_SECONDS = 1.0
_HIGHEST_PORT = 65_535


class CrewError(Exception):
    """The configuration is for one worker only; the text says why."""


async def serve_by_workers(settings: Settings, config: Path | None, count: int) -> Exit:
    """Serve by so many processes until SIGTERM or Ctrl-C; return how it ended.

    Raises:
        CrewError: The configuration is for one worker only.
        ListenError: The public port cannot be listened on.
    """
    _check(settings, count)
    with _reserved(settings.service) as port, new_board(count) as (board, descriptor):
        command = [sys.executable, "-m", "pricing_proxy.serve.worker"]
        command += [f"--board={descriptor}", f"--of={count}", f"--port={port}"]
        supervisor = Supervisor(
            [*command, *([] if config is None else [f"--config={config}"])],
            board=board,
            descriptor=descriptor,
            patience_seconds=settings.service.shutdown_seconds + _ENDING_SECONDS,
            first_pause_seconds=_FIRST_PAUSE_SECONDS,
        )
        _log.info("%d workers on port %d", count, port)
        return await supervisor.run()


def _check(settings: Settings, count: int) -> None:
    if settings.redis.is_embedded:
        raise CrewError(
            "redis.url: expected a Redis server for more than one worker: each would have an "
            "embedded one of its own, and hear of no invalidation that another was sent"
        )
    ports = _ports(settings.service, count)
    if too_high := [key for key, port in ports if port > _HIGHEST_PORT]:
        raise CrewError(
            f"{too_high[0]}: too high for {count} workers: each is 100 above the one before"
        )
    counts = Counter(port for _, port in ports if port)
    if twice := {key for key, port in ports if counts[port] > 1}:
        raise CrewError(
            f"{', '.join(sorted(twice))}: {count} workers would meet on a port: own listeners of "
            "each are 100 above those of the one before"
        )
    if count > (processors := len(os.sched_getaffinity(0))):
        _log.warning(
            "%d workers share %d CPUs: more than one each gains nothing", count, processors
        )


def _ports(service: Service, count: int) -> Sequence[tuple[str, int]]:
    own = {"service.admin.port": service.admin.port}
    if service.metrics is not None:
        own["service.metrics.port"] = service.metrics.port
    numbers = range(1, count + 1)
    each = [(key, own_port(port, n)) for key, port in own.items() for n in numbers]
    return [("service.public.port", service.public.port), *each]


@contextmanager
def _reserved(service: Service) -> Iterator[int]:
    """Hold the shared port while workers come and go, and yield it; nothing listens here."""
    host, port = service.public.host, service.public.port
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for family, kind, protocol, _, address in dict.fromkeys(found):
                with socket.socket(family, kind, protocol) as alone:
                    # Any that shares its port would let us share it, another replica as well.
                    alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    _bind(alone, (address[0], port))
                held = stack.enter_context(socket.socket(family, kind, protocol))
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                _bind(held, (address[0], port))
                port = int(held.getsockname()[1])
        except OSError as error:
            raise ListenError(
                f"cannot listen on {host}:{port} ({error.strerror}); another program has it: "
                "stop that one, or set service.public.port"
            ) from error
        yield port


def _bind(held: socket.socket, address: tuple[str | int, int]) -> None:
    if held.family == socket.AF_INET6:
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    held.bind(address)
