"""The command `sandbox order`: place orders in the shop that runs, with progress."""

import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from pricing_proxy.sandbox.control_client import ask, control_address
from pricing_proxy.sandbox.ports import CONTROL_PORT

# Progress moves, and a load of thousands of orders is still placed within seconds.
_AT_ONCE = 25
_SHOWN = 10

_Kind = Annotated[
    str,
    typer.Option(
        help="simple, configurable, bundle, options, discount, tax, guest, company, "
        "fixed_bundle, separate_bundle, separate_fixed_bundle, virtual; mixed takes turns through "
        "those whose SKUs the ERP knows."
    ),
]
_Customer = Annotated[
    int | None, typer.Option(help="The shop's customer id; default: 1 to 3 in turn.")
]
_Store = Annotated[
    str | None, typer.Option(help="Store view, by code or id; default: the demo website's.")
]
_ExtOrderId = Annotated[
    str | None, typer.Option(help="A number that somebody else wrote, as a marketplace's.")
]
_Sku = Annotated[list[str] | None, typer.Option(help="One line of this SKU; may be given again.")]


def place_orders(
    *,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 1,
    kind: _Kind = "mixed",
    customer: _Customer = None,
    store: _Store = None,
    ext_order_id: _ExtOrderId = None,
    sku: _Sku = None,
    quantity: Annotated[str, typer.Option(help="Of each --sku.")] = "1",
    country: Annotated[str | None, typer.Option(help="Ship and bill to it, such as NL.")] = None,
    payment: Annotated[str | None, typer.Option(help="Payment method code.")] = None,
    shipping: Annotated[str | None, typer.Option(help="Shipping method code.")] = None,
    currency: Annotated[str | None, typer.Option(help="Paid in EUR or USD; default: EUR.")] = None,
    every_ms: Annotated[
        int, typer.Option(min=0, help="Place one order every so many milliseconds.")
    ] = 0,
    control_port: Annotated[int, typer.Option(help="Port of the sandbox's dials.")] = CONTROL_PORT,
) -> None:
    """Place orders in the simulated shop.

    Examples: order --count 50 · order --kind bundle --customer 2 ·
    order --sku LAMP-01 --quantity 3 --payment unknown_method · order --store b2b_de_en
    """
    lines = [{"sku": one, "quantity": quantity} for one in sku or ()]
    chosen: dict[str, Any] = {
        "kind": kind,
        "customer": customer,
        "store": int(store) if store and store.isdecimal() else store,
        "ext_order_id": ext_order_id,
        "lines": lines or None,
        "address": country and {"country_id": country},
        "payment_method": payment,
        "shipping_method": shipping,
        "currency": currency,
    }
    members = {name: value for name, value in chosen.items() if value is not None}
    placed = _place(count, members, control_address(control_port, "magento/orders"), every_ms)
    numbers = [order["increment_id"] for order in placed[:_SHOWN]]
    more = "" if len(placed) <= _SHOWN else f" … {placed[-1]['increment_id']}"
    Console().print(f"Placed {len(placed)} orders: {', '.join(numbers)}{more}", soft_wrap=True)


def _place(count: int, members: dict[str, Any], address: str, every_ms: int) -> list[Any]:
    placed: list[Any] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Placing orders", total=count)
        while len(placed) < count:
            part = 1 if every_ms else min(_AT_ONCE, count - len(placed))
            placed += ask("POST", address, {**members, "count": part})["orders"]
            progress.update(task, completed=len(placed))
            if every_ms and len(placed) < count:
                time.sleep(every_ms / 1000)
    return placed
