"""The commands `d365-sync config`: an example to begin with, and what is wrong with a file."""

import typer

from pricing_proxy.command_line import Config, fail
from pricing_proxy.configuration.example import example
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.configuration.reading import sources
from pricing_proxy.exit_codes import Exit
from sync.settings import SyncSettings, load

config_app = typer.Typer(no_args_is_help=True, help="Begin a configuration file, or check one.")


@config_app.command("example")
def example_command() -> None:
    """Print a configuration file with every key of both programs, its default and meaning."""
    typer.echo(example(), nl=False)


@config_app.command("check")
def check_command(config: Config = None) -> None:
    """Tell everything that is wrong with the configuration, and ask nobody over the network."""
    try:
        settings: SyncSettings = load(config)
    except ConfigurationError as error:
        fail(f"d365-sync: {error}", Exit.MISTAKEN)
    markets = ", ".join(settings.sync.markets)
    typer.echo(f"d365-sync accepts {sources(config)[0]}, with the markets {markets}.")
