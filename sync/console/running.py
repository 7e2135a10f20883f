"""Run one command: its options, its settings, and how each failure is told.

Exit code 1: something it needs cannot be used, or cannot be done. 2: the configuration has
mistakes. A message says what to do next, on standard error.
"""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.terminal import PlainConsole
from sync.serve.postgres import StoreError
from sync.serve.stores import Stores, stores
from sync.settings import SyncSettings, load
from sync.store.interventions import InterventionError

T = TypeVar("T")

FAILED, BAD_SETTINGS = 1, 2
# Of a pipe, which has no width: nothing is folded that somebody may search for.
_PIPE_COLUMNS = 160

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file; else PRICING_PROXY_CONFIG, else ./pricing-proxy.toml.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
By = Annotated[
    str | None,
    typer.Option("--by", help="Who does this, for the audit; else your user name here."),
]


def settings_of(config: Path | None) -> SyncSettings:
    """Return the settings; end the command with all mistakes when there are any."""
    try:
        return load(config)
    except ConfigurationError as error:
        fail(str(error), BAD_SETTINGS)


def carry_out(work: Awaitable[T]) -> T:
    """Run a command's work; end the command with a message when it cannot be done."""

    async def run() -> T:
        return await work

    try:
        return asyncio.run(run())
    except (StoreError, InterventionError) as error:
        fail(str(error), FAILED)
    except UpstreamError as error:
        fail(f"{error}; see what is reachable with: d365-sync check", FAILED)


def with_stores(config: Path | None, work: Callable[[Stores], Awaitable[T]]) -> T:
    """Run work over what the sync keeps."""
    settings = settings_of(config)

    async def run() -> T:
        async with stores(settings) as opened:
            return await work(opened)

    return carry_out(run())


def operator(by: str | None) -> str:
    """Return whom an intervention is written down for."""
    return by or getpass.getuser()


def output() -> PlainConsole:
    """Return where results go."""
    console = PlainConsole(highlight=False)
    return console if console.is_terminal else PlainConsole(highlight=False, width=_PIPE_COLUMNS)


def fail(text: str, code: int) -> NoReturn:
    """End the command with a message."""
    PlainConsole(stderr=True, highlight=False, soft_wrap=True).print(
        text, style="red", markup=False
    )
    raise typer.Exit(code)
