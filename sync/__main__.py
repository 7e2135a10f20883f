"""The command `d365-sync`: the flows of documents between shop and ERP."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvloop
from rich.console import Console

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.problems import ConfigurationError
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.telemetry import logs
from sync.bootstrap import assembled, systems
from sync.first_start import census_table, confirm, is_confirmed
from sync.serving import ListenError, run
from sync.settings import SyncSettings, load
from sync.store_access import StoreError
from sync.stores import stores

_FAILED, _BAD_SETTINGS, _NOT_CONFIRMED = 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Orders, customers and returns from Magento to Dynamics 365: each exactly once.",
)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file; else PRICING_PROXY_CONFIG, else ./pricing-proxy.toml.",
        show_default=False,
    ),
]


@app.command("run")
def run_command(
    *,
    config: Config = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="At the first start: send what the table says, unasked."),
    ] = False,
) -> None:
    """Carry documents over until Ctrl-C or SIGTERM.

    The first start of a shop counts its orders in and out of `orders.start_at`, and sends
    none before somebody said yes. Exit code 1: something it needs cannot be used. 2: the
    configuration has mistakes. 3: the first start was not confirmed.
    """
    settings = _settings(config)
    logs.set_up(level=settings.sync.logs.level, style=settings.sync.logs.style)
    try:
        if uvloop.run(_may_start(settings, is_agreed=yes)):
            uvloop.run(run(settings, clock=SystemClock()))
            return
    except (ListenError, StoreError) as error:
        _fail(str(error), _FAILED)
    except UpstreamError as error:
        _fail(f"{error}; see what is reachable with: d365-sync check", _FAILED)
    _fail("Nothing was sent. Say yes with: d365-sync run --yes", _NOT_CONFIRMED)


@app.command("version")
def version_command() -> None:
    """Print the version."""
    typer.echo(version("pricing-proxy"))


def main() -> None:
    """Run the command line."""
    app()


async def _may_start(settings: SyncSettings, *, is_agreed: bool) -> bool:
    clock = SystemClock()
    async with stores(settings) as opened:
        if await is_confirmed(opened.watermarks):
            return True
        async with systems(settings, clock=clock) as ways:
            _, sources = assembled(settings, opened, ways, clock=clock)
            table = census_table(await sources.orders.census())
        Console().print(table)
        if is_agreed or await asyncio.to_thread(_is_yes):
            await confirm(opened.watermarks)
            return True
    return False


def _is_yes() -> bool:
    try:
        return typer.confirm("Send these now, and every new order from now on?")
    except typer.Abort:
        return False


def _settings(config: Path | None) -> SyncSettings:
    try:
        return load(config)
    except ConfigurationError as error:
        _fail(str(error), _BAD_SETTINGS)


def _fail(text: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, style="red", markup=False)
    raise typer.Exit(code)


if __name__ == "__main__":
    main()
