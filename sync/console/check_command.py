"""The command `check`: what works between this machine and every system; writes nothing."""

from functools import partial
from typing import Annotated

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json
from pricing_proxy.diagnosis.command import check_and_end
from sync.check.run import LIMITS, run_checks
from sync.console import prove_stock as proving
from sync.console.running import settings_of

ProveStock = Annotated[
    str | None,
    typer.Option(
        "--prove-stock",
        metavar="ORDER",
        help="Watch this order of the shop, which is not in the ERP yet, while you let it in and "
        "deliver it there: stock is right if what is free falls when it enters, and stays then.",
        show_default=False,
    ),
]


def check_command(
    *, prove_stock: ProveStock = None, config: Config = None, json_output: Json = False
) -> None:
    """Show what works between this machine, the shop, the ERP, Redis and PostgreSQL.

    Writes nothing. Exit code 0: all works. 1: something does not, and its row names the
    next step. 2: the configuration has mistakes.
    """
    settings = settings_of(config)
    if prove_stock is not None:
        proving.prove_stock(settings, prove_stock)
        return
    checks = partial(run_checks, settings, clock=SystemClock(), limits=LIMITS)
    check_and_end(checks, json_output=json_output)
