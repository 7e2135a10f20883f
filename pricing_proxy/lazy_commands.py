"""Command lines that import a command when it is called, and not before.

A program's `__main__` is a table of `module:attribute` by the command's name; each is a
function, or a `typer.Typer` with further commands. `--version` and the completion of names
import none of them, as a shell asks for these while somebody types; `--help` imports all.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, ClassVar, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from pricing_proxy.exit_codes import EXIT_CODES

_MARKUP: Final = "markdown"


def lazy_commands(commands: Mapping[str, str], *, about: str) -> typer.Typer:
    """Return a command line.

    Args:
        commands: Where each is, as `module:attribute`, in the order of the help.
        about: What the program does.
    """
    app = typer.Typer(
        cls=type("Commands", (_LazyGroup,), {"places": commands}),
        no_args_is_help=True,
        rich_markup_mode=_MARKUP,
        help=about,
        epilog=EXIT_CODES,
    )
    app.callback()(_options)
    app.command("version")(_print_version)
    return app


class _LazyGroup(TyperGroup):
    """A table of commands.

    Attributes:
        places: Where each is.
    """

    places: ClassVar[Mapping[str, str]]
    _is_naming = False

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [*self.places, *super().list_commands(ctx)]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        place = self.places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        return TyperCommand(cmd_name) if self._is_naming else _command(cmd_name, place)

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> Any:  # type: ignore[override]
        self._is_naming = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._is_naming = False


def _command(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, rich_markup_mode=_MARKUP)
    alone.command(name)(found)
    return get_command(alone)


def _version_told(is_asked: bool) -> None:  # noqa: FBT001 -- typer's way to call it
    if is_asked:
        _print_version()
        raise typer.Exit


def _options(
    *,
    _: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version_told),
    ] = False,
) -> None:
    """Take the options of the program itself; `about` is shown instead of this."""


def _print_version() -> None:
    """Print the version."""
    typer.echo(version("pricing-proxy"))
