"""`pricing-proxy poison`: see what the ERP refuses to price, and ask it again after a repair.

Every process remembers by itself what was refused: each replica is asked, and cleared, by its
own admin address.
"""

from typing import Annotated, Any

import typer
from rich.table import Table

from pricing_proxy.operating.admin_call import ApiKey, Config, Url, ask_operator_route
from pricing_proxy.terminal import PlainConsole

poison_app = typer.Typer(
    no_args_is_help=True, help="See and clear what is kept out because the ERP refused it."
)


@poison_app.command("show")
def show_command(*, config: Config = None, url: Url = None, key: ApiKey = None) -> None:
    """Show the SKUs of which lines are kept out or asked for alone, and why."""
    status = ask_operator_route("/status", None, config=config, url=url, key=key, brings="kept_out")
    rows = status["kept_out"]
    if not rows:
        typer.echo("Nothing is kept out.")
        return
    table = Table()
    columns = ("market", "SKU", "reason", "customers", "kept out now", "asked for alone")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*_cells(row))
    PlainConsole(highlight=False, markup=False).print(table)


@poison_app.command("clear")
def clear_command(
    *,
    sku: Annotated[str | None, typer.Option(help="This SKU alone, else all.")] = None,
    market: Annotated[str | None, typer.Option(help="This market alone, else all.")] = None,
    config: Config = None,
    url: Url = None,
    key: ApiKey = None,
) -> None:
    """Ask the ERP again for what it refused, at the next page that wants it.

    In the process that is asked; name each replica by --url.
    """
    named = {"sku": sku, "market": market}
    body = {name: value for name, value in named.items() if value is not None}
    path = "/v1/kept-out/clear"
    answer = ask_operator_route(path, body, config=config, url=url, key=key, brings="cleared")
    told = "SKUs were kept out, and are asked for again; in this process only."
    typer.echo(f"{answer['cleared']} {told}")


def _cells(row: dict[str, Any]) -> list[str]:
    ends = f", {row['longest_seconds']:.0f} s at most" if row["lines"] else ""
    return [
        row["market"],
        row["sku"],
        row["reason"],
        str(row["customers"]),
        f"{row['lines']} lines{ends}",
        "for everybody" if row["is_alone"] else "for those customers",
    ]
