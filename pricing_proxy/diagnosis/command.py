"""The command `check` of both programs: run the checks, show what they found, and end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, Protocol

import typer

from pricing_proxy.command_line import errors, output
from pricing_proxy.diagnosis.leaving import ending_at_once, leave
from pricing_proxy.diagnosis.report import Progress, Report
from pricing_proxy.diagnosis.table import as_json, print_tables
from pricing_proxy.exit_codes import Exit


class Checks(Protocol):
    """All checks of a program."""

    def __call__(self, *, on_progress: Progress) -> Coroutine[Any, Any, Report]:
        """Return what works; tell `on_progress` what is checked."""
        ...


def check_and_end(checks: Checks, *, json_output: bool) -> NoReturn:
    """Show what works, and end the command: well where all does; Ctrl-C ends it at once."""
    told = errors()
    with ending_at_once(), told.status("Checking ...") as status:

        def say(what: str) -> None:
            if told.is_terminal:
                status.update(f"Checking {what} ...")
            else:
                told.print(f"Checking {what} ...", markup=False)

        report = asyncio.run(checks(on_progress=say))
    if json_output:
        typer.echo(as_json(report))
    else:
        print_tables(report, output())
    code = Exit.DONE if report.is_ok else Exit.FAILED
    if report.is_stuck:
        leave(code)
    raise typer.Exit(code)
