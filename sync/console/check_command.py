"""The command `check`: what works between this machine and every system; writes nothing."""

import asyncio

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.diagnosis.leaving import ending_at_once, leave
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.diagnosis.table import as_json, print_tables
from pricing_proxy.terminal import PlainConsole
from sync.check.run import LIMITS, run_checks
from sync.console.running import FAILED, Config, Json, output, settings_of
from sync.settings import SyncSettings


def check_command(*, config: Config = None, json_output: Json = False) -> None:
    """Show what works between this machine, the shop, the ERP, Redis and PostgreSQL.

    Writes nothing. Exit code 0: all works. 1: something does not, and its row names the
    next step. 2: the configuration has mistakes.
    """
    settings = settings_of(config)
    with ending_at_once():
        report = _run(settings)
    if json_output:
        typer.echo(as_json(report))
    else:
        print_tables(report, output())
    code = 0 if report.is_ok else FAILED
    if report.is_stuck:
        leave(code)
    raise typer.Exit(code)


def _run(settings: SyncSettings) -> Report:
    errors = PlainConsole(stderr=True, highlight=False, soft_wrap=True)
    with errors.status("Checking ...") as status:

        def say(what: str) -> None:
            if errors.is_terminal:
                status.update(f"Checking {what} ...")

        return asyncio.run(
            run_checks(settings, clock=SystemClock(), limits=LIMITS, on_progress=say)
        )
