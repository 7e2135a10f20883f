"""The command line of the sandbox: run it, turn its dials, and do what happens in its systems.

`sandbox_app` is mounted as `pricing-proxy sandbox`. Without a subcommand it serves
until Ctrl-C; the subcommands talk to the control port of a sandbox that runs.
"""

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pricing_proxy.sandbox import (
    entra_commands,
    erp_commands,
    erp_document_commands,
    erp_order_commands,
)
from pricing_proxy.sandbox.app_proofs import SECRETS
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.control_client import ask, control_address, failure
from pricing_proxy.sandbox.listener import PortTakenError
from pricing_proxy.sandbox.order_command import place_orders
from pricing_proxy.sandbox.ports import CONTROL_PORT, ENTRA_PORT, FO_PORT, MAGENTO_PORT
from pricing_proxy.sandbox.server import DEFAULT_LATENCY_MS, Sandbox, SandboxSettings
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from pricing_proxy.sandbox.shop_commands import change_customer, change_product
from pricing_proxy.sandbox.shop_stock_command import stock

STATE_DIR = Path(".demo")

sandbox_app = typer.Typer(
    help=(
        "Simulated Entra ID, F&O and Magento over real HTTP on loopback, with faults on dials. "
        "Without a command: run them until Ctrl-C."
    ),
    invoke_without_command=True,
    rich_markup_mode=None,
)
ControlPort = Annotated[int, typer.Option(help="Port of the dials; works while systems are dead.")]
_Skus = Annotated[
    int, typer.Option(min=1, help="SKUs to make up; LAMP-01 to LAMP-24 always exist.")
]
_Customers = Annotated[
    int, typer.Option(min=1, help="Customers to make up; C-1001 to C-1003 always exist.")
]
_IntakeUrl = Annotated[
    str | None, typer.Option(help="Where the shop tells of new orders; default: nowhere.")
]
_IntakeSecret = Annotated[
    str, typer.Option(help="What it signs that with.", envvar="SANDBOX_INTAKE_SECRET")
]
_EventsUrl = Annotated[
    str | None, typer.Option(help="Where F&O's business events go; default: nowhere.")
]
_AccountAttribute = Annotated[
    bool,
    typer.Option(
        "--account-attribute",
        help="The shop's customers have the attribute of the ERP's account; a stock shop has none.",
    ),
]
_Seed = Annotated[int, typer.Option(help="The same seed makes the same data and faults.")]
_Latency = Annotated[int, typer.Option(min=0, help="How long F&O and Magento take to answer.")]
_CaFile = Annotated[
    Path | None,
    typer.Option(help="Where the CA's certificate goes; default: into the state directory."),
]


@sandbox_app.callback()
def run(
    context: typer.Context,
    *,
    skus: _Skus = 240,
    customers: _Customers = 40,
    seed: _Seed = 1,
    latency_ms: _Latency = DEFAULT_LATENCY_MS,
    account_attribute: _AccountAttribute = False,
    control_port: ControlPort = CONTROL_PORT,
    fo_port: Annotated[int, typer.Option(help="Port of F&O.")] = FO_PORT,
    entra_port: Annotated[int, typer.Option(help="Port of Entra ID (TLS).")] = ENTRA_PORT,
    magento_port: Annotated[int, typer.Option(help="Port of Magento.")] = MAGENTO_PORT,
    intake_url: _IntakeUrl = None,
    intake_secret: _IntakeSecret = "",
    events_url: _EventsUrl = None,
    state_dir: Annotated[Path, typer.Option(help="Where certificates are written.")] = STATE_DIR,
    ca_file: _CaFile = None,
) -> None:
    """Run the simulated systems until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    settings = SandboxSettings(
        state_dir=state_dir,
        size=CatalogSize(skus=skus, customers=customers, seed=seed),
        latency_ms=latency_ms,
        account_attribute=account_attribute,
        control_port=control_port,
        fo_port=fo_port,
        entra_port=entra_port,
        magento_port=magento_port,
        intake_url=intake_url,
        intake_secret=intake_secret,
        events_url=events_url,
        ca_file=ca_file,
    )
    try:
        asyncio.run(_serve(settings))
    except PortTakenError as error:
        raise failure(str(error)) from error


@sandbox_app.command()
def dial(
    system: Annotated[str, typer.Argument(help="entra, fo or magento")],
    assignments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Dials to turn; none = show them."),
    ] = None,
    *,
    control_port: ControlPort = CONTROL_PORT,
) -> None:
    """Show or turn a system's dials.

    Examples: dial fo dead=true · dial fo latency_ms=800 error_rate=0.2 ·
    dial fo retry_after=7 · dial fo retry_after=null · dial fo drop_lines=LAMP-01,LAMP-02 ·
    dial fo rename_fields=SalesOrderHeadersV3.CustomersOrderReference:CustRef ·
    dial fo short_sets=CustomersV3:60 · dial magento gateway_page=302 ·
    dial magento clock_ahead_seconds=-7200
    """
    members = dict(_assignment(text) for text in assignments or [])
    address = control_address(control_port, f"{system}/dials")
    dials = ask("PATCH" if members else "GET", address, members or None)
    _print_table(f"Dials of {system}", ("dial", "value"), dials)


@sandbox_app.command()
def calls(
    system: Annotated[str, typer.Argument(help="entra, fo or magento")],
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Start counting anew.")] = False,
    control_port: ControlPort = CONTROL_PORT,
) -> None:
    """Show how often a system was called, by operation; --reset shows, then forgets."""
    address = control_address(control_port, f"{system}/calls")
    counts = ask("GET", address, None)
    rows = {**counts["operations"], "total": counts["total"], "price lines": counts["lines"]}
    _print_table(f"Calls of {system}", ("operation", "calls"), rows)
    if reset:
        ask("DELETE", address, None)


@sandbox_app.command()
def price(
    sku: Annotated[str, typer.Argument(help="Item or variant number, such as LAMP-01.")],
    new_price: Annotated[str, typer.Argument(metavar="PRICE", help="Such as 17.50.")],
    *,
    customer: Annotated[str | None, typer.Option(help="For one customer, such as C-1001.")] = None,
    group: Annotated[str | None, typer.Option(help="For a price group, such as B2B.")] = None,
    price_unit: Annotated[str, typer.Option(help="Units that the price is for.")] = "1",
    from_quantity: Annotated[str, typer.Option(help="Smallest quantity.")] = "0",
    to_quantity: Annotated[str, typer.Option(help="Largest quantity; 0 = open.")] = "0",
    currency: Annotated[str | None, typer.Option(help="Default: the company's.")] = None,
    unit: Annotated[str | None, typer.Option(help="Default: the item's sales unit.")] = None,
    from_date: Annotated[str | None, typer.Option(help="First day, as 2026-12-31.")] = None,
    to_date: Annotated[str | None, typer.Option(help="Last day.")] = None,
    find_next: Annotated[
        bool, typer.Option(help="Let a lower price of a wider account win.")
    ] = False,
    control_port: ControlPort = CONTROL_PORT,
) -> None:
    """Post a sales price in F&O; it holds at once, for everybody unless told otherwise."""
    if customer and group:
        raise failure("give --customer or --group, not both")
    members = {
        "account_type": "table" if customer else "group" if group else "all",
        "account": customer or group,
        "sku": sku,
        "price": new_price,
        "price_unit": price_unit,
        "from_quantity": from_quantity,
        "to_quantity": to_quantity,
        "currency": currency,
        "unit": unit,
        "from_date": from_date,
        "to_date": to_date,
        "find_next": find_next,
    }
    posted = ask("POST", control_address(control_port, "fo/prices"), members)
    Console().print(f"Posted journal {posted['journal']}.")


sandbox_app.command("order")(place_orders)
sandbox_app.command("customer")(change_customer)
sandbox_app.command("product")(change_product)
sandbox_app.command("stock")(stock)
for module in (entra_commands, erp_commands, erp_document_commands, erp_order_commands):
    for each in module.COMMANDS:
        sandbox_app.command()(each)


async def _serve(settings: SandboxSettings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Sandbox(settings) as sandbox:
        _print_addresses(sandbox)
        await stopped.wait()


def _print_addresses(sandbox: Sandbox) -> None:
    shop = INTEGRATIONS[0]
    rows = {
        "Control port": sandbox.control_url,
        "F&O": sandbox.fo_url,
        "Magento": sandbox.magento_url,
        "Entra ID (authority)": sandbox.authority,
        "CA certificate": str(sandbox.ca_file),
        "Apps (client id, secret)": ", ".join(
            f"{client} {secret}" for client, secret in SECRETS.items()
        ),
        "Integration, consumer": f"{shop.consumer_key} {shop.consumer_secret}",
        "Integration, token": f"{shop.token} {shop.token_secret}",
        "Legal entity": sandbox.book.company,
        "Items, variants": f"{len(sandbox.book.items)}, {len(sandbox.book.variants)}",
        "Customers": str(len(sandbox.book.customers)),
    }
    _print_table("Sandbox, until Ctrl-C", ("what", "where"), rows)


def _print_table(title: str, columns: tuple[str, str], rows: Mapping[str, Any]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value if isinstance(value, str) else json.dumps(value))
    Console().print(table)


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise failure(f"'{text}' is not NAME=VALUE, such as dead=true")
    if name in ("drop_lines", "poison_skus", "mandatory_fields", "absent_sets"):
        return name, _list(value)
    if name == "poison_lines":
        return name, _lines_of_customers(value)
    if name in ("rename_fields", "odd_lines", "proof_faults"):
        return name, _pairs(value)
    if name in ("short_sets", "hidden_sets"):
        return name, _counts(value)
    return name, _value(value)


def _list(text: str) -> Any:
    """Return a list of texts: JSON, or the short form A,B that needs no quotes in a shell."""
    if text.startswith("["):
        return _value(text)
    return [part for part in text.split(",") if part]


def _pairs(text: str) -> Any:
    """Return an object: JSON, or the short form Set.Old:New,Set.Other:Newer."""
    if text.startswith("{"):
        return _value(text)
    pairs = (part.partition(":") for part in _list(text))
    return {old: new for old, _, new in pairs}


def _counts(text: str) -> Any:
    """Return rows of sets: JSON, or the short form Set:60,Other:0."""
    pairs = _pairs(text)
    if not isinstance(pairs, dict):
        return pairs
    return {name: _value(rows) if isinstance(rows, str) else rows for name, rows in pairs.items()}


def _lines_of_customers(text: str) -> Any:
    """Return lines of customers: JSON, or the short form C-1:SKU,C-2:SKU."""
    if text.startswith("["):
        return _value(text)
    pairs = (part.partition(":") for part in _list(text))
    return [{"customer": customer, "sku": sku} for customer, _, sku in pairs]


def _value(text: str) -> Any:
    """Return JSON where it is JSON, and the text itself where not: an HTTP date needs no quotes."""
    try:
        return json.loads(text)
    except ValueError:
        return text
