"""The command `d365-sync`: the flows of documents between shop and ERP."""

from importlib.metadata import version

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Documents between Magento and Dynamics 365. This version has no flow yet: it brings "
    "prices only, with `pricing-proxy`.",
)


@app.callback()
def _root() -> None:
    """Keep `version` a command of its own, as it will be beside others."""


@app.command("version")
def version_command() -> None:
    """Print the version."""
    typer.echo(version("pricing-proxy"))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
