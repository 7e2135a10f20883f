"""The commands `pricing-proxy config`: an example to begin with, and what is wrong with a file."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import typer

from pricing_proxy.children import tied
from pricing_proxy.command_line import Config, errors, fail
from pricing_proxy.configuration.example import example
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.configuration.reading import has_section, sources
from pricing_proxy.exit_codes import Exit
from pricing_proxy.settings import load

config_app = typer.Typer(no_args_is_help=True, help="Begin a configuration file, or check one.")


@config_app.command("example")
def example_command() -> None:
    """Print a configuration file with every key of both programs, its default and meaning."""
    typer.echo(example(), nl=False)


@config_app.command("check")
def check_command(config: Config = None) -> None:
    """Tell everything that is wrong with the configuration, and ask nobody over the network.

    The section `sync` is checked by the other program, as `d365-sync config check` does.
    """
    is_sync_wrong = has_section(config, "sync") and not _accepts_sync(config)
    try:
        settings = load(config)
    except ConfigurationError as error:
        fail(f"pricing-proxy: {error}", Exit.MISTAKEN)
    if is_sync_wrong:
        raise typer.Exit(Exit.MISTAKEN)
    markets = ", ".join(settings.markets)
    typer.echo(f"pricing-proxy accepts {sources(config)[0]}, with the markets {markets}.")


def _accepts_sync(config: Path | None) -> bool:
    """Let `d365-sync` say what it thinks of the file; nothing of it is imported here."""
    if find_spec("sync") is None:
        errors().print("d365-sync is not installed here: the section sync was not checked.")
        return True
    command = [sys.executable, "-m", "sync", "config", "check"]
    command += [] if config is None else ["--config", str(config)]
    ended = subprocess.run(  # noqa: S603 -- our own program
        command, capture_output=True, text=True, check=False, **tied()
    )
    typer.echo(ended.stdout, nl=False)
    typer.echo(ended.stderr, nl=False, err=True)
    return bool(ended.returncode == 0)
