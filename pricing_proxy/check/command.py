"""The command `pricing-proxy check`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pricing_proxy.check.run import run_checks
from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.diagnosis.leaving import ending_at_once, leave
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.diagnosis.table import as_json, print_tables
from pricing_proxy.settings import Settings, load
from pricing_proxy.terminal import PlainConsole

_NOT_ALL_WORKS = 1
_BAD_SETTINGS = 2


def check_command(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Configuration file; else PRICING_PROXY_CONFIG, else ./pricing-proxy.toml.",
            show_default=False,
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs instead of tables.")
    ] = False,
) -> None:
    """Show what works between this machine, Redis, Entra ID and the ERP; writes nothing.

    Exit code 0: all works. 1: something does not, and the table names the next step.
    2: the configuration has mistakes.
    """
    errors = PlainConsole(stderr=True, highlight=False, soft_wrap=True)
    try:
        settings = load(config)
    except ConfigurationError as error:
        errors.print(str(error), style="red", markup=False)
        raise typer.Exit(_BAD_SETTINGS) from None
    with ending_at_once():
        report = _run(settings, errors)
    if json_output:
        typer.echo(as_json(report))
    else:
        print_tables(report, PlainConsole(highlight=False))
    code = 0 if report.is_ok else _NOT_ALL_WORKS
    if report.is_stuck:
        leave(code)
    raise typer.Exit(code)


def _run(settings: Settings, errors: PlainConsole) -> Report:
    with errors.status("Checking ...") as status:

        def say(what: str) -> None:
            if errors.is_terminal:
                status.update(f"Checking {what} ...")
            else:
                errors.print(f"Checking {what} ...", markup=False)

        return asyncio.run(
            run_checks(settings, clock=SystemClock(), limits=Limits(), on_progress=say)
        )
