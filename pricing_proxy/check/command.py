"""The command `pricing-proxy check`."""

from functools import partial

from pricing_proxy.check.run import run_checks
from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, settings_of
from pricing_proxy.diagnosis.command import check_and_end
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.settings import load


def check_command(*, config: Config = None, json_output: Json = False) -> None:
    """Show what works between this machine, Redis, Entra ID and the ERP; writes nothing.

    Exit code 0: all works. 1: something does not, and the table names the next step.
    2: the configuration has mistakes.
    """
    settings = settings_of(load, config)
    checks = partial(run_checks, settings, clock=SystemClock(), limits=Limits())
    check_and_end(checks, json_output=json_output)
