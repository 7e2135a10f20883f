"""The commands `sandbox certificate` and `sandbox token`: by what apps prove themselves.

Each makes a file and prints where; asked again, it rotates it.
"""

from typing import Annotated

import typer
from rich.console import Console

from pricing_proxy.sandbox.control_client import ask, control_address
from pricing_proxy.sandbox.ports import CONTROL_PORT

_App = Annotated[str, typer.Argument(help="demo-pricing or demo-sync")]
_Port = Annotated[int, typer.Option(help="Port of the sandbox's dials.")]


def certificate(
    app: _App,
    *,
    days: Annotated[int, typer.Option(help="How long it is good; -1: it ended yesterday.")] = 365,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="The certificates of before stay registered.")
    ] = False,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Register a certificate with an app of the simulated Entra ID, and print its file.

    Examples: certificate demo-pricing · certificate demo-sync --days 20 --keep-old
    """
    address = control_address(control_port, "entra/certificates")
    told = ask("POST", address, {"app": app, "days": days, "keep_old": keep_old})
    key = f"{app.removeprefix('demo-')}_certificate_file"
    _print(f'{key} = "{told["file"]}"   # ends {told["ends_at"]}, SHA-256 {told["thumbprint"]}')


def token(
    app: _App,
    *,
    seconds: Annotated[int, typer.Option(help="How long it is good; below 0: it ended.")] = 3600,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Have the simulated platform make a federated token for an app, and print its file.

    Examples: token demo-pricing · token demo-sync --seconds 600
    """
    address = control_address(control_port, "entra/tokens")
    told = ask("POST", address, {"app": app, "seconds": seconds})
    key = f"{app.removeprefix('demo-')}_federated_token_file"
    _print(f'{key} = "{told["file"]}"   # ends {told["ends_at"]}, for {told["subject"]}')


def _print(text: str) -> None:
    Console().print(text, soft_wrap=True, markup=False, highlight=False)


COMMANDS = (certificate, token)
