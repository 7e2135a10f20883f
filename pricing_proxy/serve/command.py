"""The command `pricing-proxy serve`."""

import asyncio
from importlib import import_module
from typing import Annotated

import typer

from pricing_proxy.command_line import Config, fail, settings_of
from pricing_proxy.diagnosis.rights import Surroundings, warn_of_rights
from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.listener import ListenError
from pricing_proxy.serve.crew import CrewError, serve_by_workers
from pricing_proxy.settings import load
from pricing_proxy.telemetry import logs

# Each has memory and connections to the ERP of its own; beyond this, take another machine.
_MOST_WORKERS = 64
# A parent of workers does without: it would cost as much memory as a worker.
_ALONE = "pricing_proxy.serve.process"

WorkerCount = Annotated[
    int,
    typer.Option(
        min=1,
        max=_MOST_WORKERS,
        help="Processes on the public port; one uses one CPU. The admin and the metrics listener "
        "of each is 100 above that of the one before: 8081, 8181, 8281.",
    ),
]


def serve_command(*, workers: WorkerCount = 1, config: Config = None) -> None:
    """Serve prices until stopped.

    The shop calls the public listener (port 8080); `/status`, `/metrics`, `/docs` and
    invalidations are on the admin listener (port 8081, this machine only by default).
    """
    settings = settings_of(load, config)
    logs.set_up(level=settings.telemetry.log_level, style=settings.telemetry.log_format)
    warn_of_rights(Surroundings.here())
    if workers == 1:
        import_module(_ALONE).serve_here(settings, config)
        return
    try:
        ended = asyncio.run(serve_by_workers(settings, config, workers))
    except (CrewError, ListenError) as error:
        fail(str(error), Exit.MISTAKEN)
    if ended != Exit.DONE:
        raise typer.Exit(ended)
