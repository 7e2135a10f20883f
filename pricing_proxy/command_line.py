"""What the commands of both programs share: options, how they end, and where they print.

Every failure is one message on standard error that says what to do next, and an exit code.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import BaseModel

from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.exit_codes import Exit
from pricing_proxy.terminal import PlainConsole

S = TypeVar("S", bound=BaseModel)

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


def settings_of(load: Callable[[Path | None], S], config: Path | None) -> S:
    """Return the settings; end the command with all mistakes when there are any."""
    try:
        return load(config)
    except ConfigurationError as error:
        fail(str(error), Exit.MISTAKEN)


def output() -> PlainConsole:
    """Return where results go; brackets in texts of other systems are brackets, no markup."""
    width = None if PlainConsole().is_terminal else _PIPE_COLUMNS
    return PlainConsole(highlight=False, markup=False, width=width)


def errors() -> PlainConsole:
    """Return where what is no result goes."""
    return PlainConsole(stderr=True, highlight=False, markup=False, soft_wrap=True)


def fail(message: str, code: Exit = Exit.FAILED) -> NoReturn:
    """End the command with a message."""
    errors().print(message, style="red")
    raise typer.Exit(code)
