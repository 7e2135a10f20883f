"""The command `pricing-proxy key`."""

import json
from typing import Annotated

import typer

from pricing_proxy.command_line import fail
from pricing_proxy.configuration.api_keys import LONGEST_NAME, SCOPES, hash_of, new_key
from pricing_proxy.exit_codes import Exit


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
