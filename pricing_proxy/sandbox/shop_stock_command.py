"""The command `sandbox stock`: look at what the simulated shop has of a SKU, or edit it by hand."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from pricing_proxy.sandbox.control_client import ask, control_address, failure
from pricing_proxy.sandbox.ports import CONTROL_PORT


def stock(
    sku: Annotated[str, typer.Argument(help="As the shop calls it, in any letters.")],
    *,
    source: Annotated[str | None, typer.Option(help="Where somebody edits it.")] = None,
    quantity: Annotated[str | None, typer.Option(help="How much lies there then.")] = None,
    control_port: Annotated[int, typer.Option(help="Port of the sandbox's dials.")] = CONTROL_PORT,
) -> None:
    """Show what the simulated shop has of a SKU; with --source and --quantity, edit it by hand.

    Examples: stock LAMP-01 · stock LAMP-01 --source berlin --quantity 12
    """
    address = control_address(control_port, f"magento/stock/{quote(sku, safe='')}")
    if (source is None) != (quantity is None):
        raise failure("give both --source and --quantity, or neither")
    if source is None:
        told = ask("GET", address, None)
    else:
        told = ask("POST", address, {"source": source, "quantity": quantity})
    _print(told)


def _print(told: dict[str, Any]) -> None:
    lying = ", ".join(
        f"{item['source_code']} {item['quantity']}" + ("" if item["status"] else " (out of stock)")
        for item in told["source_items"]
    )
    console = Console()
    console.print(f"{told['sku']}: {lying or 'no source item'}", highlight=False)
    table = Table("Stock", "Indexed", "Reserved", "Salable", box=None)
    for one in told["stocks"]:
        indexed = "-" if one["indexed"] is None else str(one["indexed"])
        table.add_row(str(one["stock_id"]), indexed, str(one["reserved"]), str(one["salable"]))
    console.print(table, highlight=False)
