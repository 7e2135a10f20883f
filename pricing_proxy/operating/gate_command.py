"""`pricing-proxy gate`: end a throttling that nobody wants to wait out.

A gate closes by itself when a system answers 429, and opens by itself ten minutes later at
most. Opening it sooner is right where the wish was a mistake of a proxy or of a clock, or
where the cause is gone; if it is not, the next 429 closes the gate again.
"""

from typing import Annotated
from urllib.parse import quote

import typer

from pricing_proxy.operating.admin_call import ApiKey, Config, Url, ask_operator_route

gate_app = typer.Typer(
    no_args_is_help=True, help="See and open what throttling has closed; see also /status."
)


@gate_app.callback()
def gate() -> None:
    """Let calls start again that a system asked us to hold back."""


@gate_app.command("open")
def open_command(
    environment: Annotated[str, typer.Argument(help="Its name in the configuration.")],
    *,
    token: Annotated[
        bool, typer.Option("--token", help="The gate before Entra ID, instead of the ERP's.")
    ] = False,
    config: Config = None,
    url: Url = None,
    key: ApiKey = None,
) -> None:
    """Open the gate of the price service's app at an ERP environment, in all replicas.

    Calls come back on a ramp: 5 in the first second, twice as many in each that follows. The
    sync has an app and gates of its own: d365-sync gate open.
    """
    name = f"{environment}:pricing{':tokens' if token else ''}"
    path = f"/v1/gates/{quote(name, safe='')}"
    ask_operator_route(path, {"order": "open"}, config=config, url=url, key=key, brings="erp")
    typer.echo(f"{name} is open, in all replicas within two seconds.")
