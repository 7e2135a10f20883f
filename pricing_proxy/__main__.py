"""The command `pricing-proxy`: serve prices, check a configuration, try everything out."""

import json
from typing import Annotated

import typer
import uvloop

from pricing_proxy.check.command import check_command
from pricing_proxy.command_line import EXIT_CODES, Config, Exit, fail, settings_of, version_command
from pricing_proxy.configuration.api_keys import LONGEST_NAME, SCOPES, hash_of, new_key
from pricing_proxy.demo.command import demo_command
from pricing_proxy.explain.command import explain_command
from pricing_proxy.listening.listener import ListenError
from pricing_proxy.operating.gate_command import gate_app
from pricing_proxy.operating.poison_command import poison_app
from pricing_proxy.sandbox.command import sandbox_app
from pricing_proxy.serve.run import serve
from pricing_proxy.settings import ConfigurationFiles, load
from pricing_proxy.telemetry import logs

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Customer prices from Dynamics 365 for Magento: fast, and never silently old.",
    epilog=EXIT_CODES,
)
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(gate_app, name="gate")
app.add_typer(poison_app, name="poison")
app.command("check")(check_command)
app.command("demo")(demo_command)
app.command("explain")(explain_command)
app.command("version")(version_command)


@app.command("serve")
def serve_command(config: Config = None) -> None:
    """Serve prices until stopped.

    The shop calls the public listener (port 8080); `/status`, `/metrics`, `/docs` and
    invalidations are on the admin listener (port 8081, this machine only by default).
    """
    settings = settings_of(load, config)
    logs.set_up(level=settings.telemetry.log_level, style=settings.telemetry.log_format)
    try:
        uvloop.run(serve(settings, ConfigurationFiles(config)))
    except ListenError as error:
        fail(str(error), Exit.MISTAKEN)


@app.command("key")
def key_command(
    name: Annotated[str, typer.Argument(help="Who will use it, such as shop-de.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(SCOPES)}; repeat for several."),
    ] = None,
) -> None:
    """Make an API key, and print what the configuration needs of it.

    The key itself is shown once and stored nowhere; the configuration holds its hash.
    """
    scopes = list(dict.fromkeys(scope or ["prices", "login"]))
    if unknown := [one for one in scopes if one not in SCOPES]:
        known = ", ".join(SCOPES)
        fail(f"--scope {unknown[0]}: there is no such scope; there are {known}", Exit.MISTAKEN)
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        fail(f"The name must have 1 to {LONGEST_NAME} printable characters.", Exit.MISTAKEN)
    key = new_key()
    typer.echo(f"The key, to give to {name} (shown once):\n\n  {key}\n")
    typer.echo("For the configuration file:\n")
    # JSON's texts and lists are TOML's as well.
    typer.echo(
        f"[[api_keys]]\nname = {json.dumps(name, ensure_ascii=False)}\n"
        f'sha256 = "{hash_of(key)}"\nscopes = {json.dumps(scopes)}'
    )


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
