"""The commands `sandbox customer` and `sandbox product`: what happens in the shop that runs.

People register, change what they say of themselves, and leave; products are edited, get another
SKU or go. Each prints what there is afterwards.
"""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from pricing_proxy.sandbox.control_client import ask, control_address, failure
from pricing_proxy.sandbox.ports import CONTROL_PORT

_Port = Annotated[int, typer.Option(help="Port of the sandbox's dials.")]
_MEMBERS = ("name", "price", "weight", "status", "visibility")
_Customer = Annotated[
    int | None, typer.Argument(help="The shop's id; without: somebody registers.")
]


def change_customer(
    customer: _Customer = None,
    *,
    taxvat: Annotated[str | None, typer.Option(help="Tax number, as they type it.")] = None,
    email: Annotated[str | None, typer.Option(help="Default: one of their own.")] = None,
    company: Annotated[str | None, typer.Option(help="In their address.")] = None,
    account: Annotated[
        str | None, typer.Option(help="The ERP's account; the shop takes it from anybody.")
    ] = None,
    website: Annotated[str | None, typer.Option(help="Default: the demo's.")] = None,
    store: Annotated[str | None, typer.Option(help="Store view, by code or id.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="They go; orders stay.")] = False,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Register somebody in the simulated shop, change them, or delete them.

    Examples: customer --taxvat DE999888777 · customer 4 --account C-1001 · customer 4 --delete
    """
    said = {
        "taxvat": taxvat,
        "email": email,
        "company": company,
        "account": account,
        "website": website,
        "store": int(store) if store and store.isdecimal() else store,
    }
    members = {name: value for name, value in said.items() if value is not None}
    path = "magento/customers" if customer is None else f"magento/customers/{customer}"
    address = control_address(control_port, path)
    if customer is None:
        if delete:
            raise failure("say which customer is to be deleted, by the shop's id")
        _print("Registered", ask("POST", address, members))
    elif delete:
        ask("DELETE", address, None)
        Console().print(f"Deleted customer {customer}.")
    elif members:
        _print("Changed", ask("PATCH", address, members))
    else:
        raise failure("say what changes, such as --account C-1001")


def change_product(
    sku: Annotated[str, typer.Argument(help="As the shop calls it, in any letters.")],
    *,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Edit it: name, price, weight, status, visibility, or an attribute.",
        ),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="Of which view, by code; default: the whole shop.")
    ] = None,
    rename: Annotated[
        str | None, typer.Option(metavar="SKU", help="Its new SKU; orders keep the old one.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="It goes; orders keep its id.")] = False,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Edit, rename or delete a product of the simulated shop, as in its back office.

    Examples: product LAMP-13 --set name=Lampe --store b2b_de · product LAMP-13 --set price=9.90 ·
    product LAMP-13 --rename Lamp-13 · product LAMP-17 --delete
    """
    address = control_address(control_port, f"magento/products/{quote(sku, safe='')}")
    if [bool(assignments), rename is not None, delete].count(True) != 1:
        raise failure("give --set, --rename or --delete")
    if delete:
        ask("DELETE", address, None)
        Console().print(f"Deleted product {sku}.", highlight=False)
    elif rename is not None:
        renamed = ask("PATCH", address, {"sku": rename})
        Console().print(f"Renamed product {sku} to {renamed['sku']}.", highlight=False)
    else:
        members: dict[str, Any] = {} if store is None else {"store": store}
        edited = ask("PATCH", address, members | _edits(assignments or []))
        Console().print(f"Edited product {edited['sku']}.", highlight=False)


def _edits(assignments: list[str]) -> dict[str, Any]:
    """Return what is edited: members of a product, and attributes by their codes."""
    edits: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise failure(f"'{text}' is not NAME=VALUE, such as price=9.90")
        place = edits if name in _MEMBERS else edits.setdefault("attributes", {})
        place[name] = value
    return edits


def _print(what: str, customer: dict[str, Any]) -> None:
    Console().print(f"{what} customer {customer['id']} ({customer['email']}).", highlight=False)
