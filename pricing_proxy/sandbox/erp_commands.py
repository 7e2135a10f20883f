"""The commands `sandbox adjust`, `rename`, `block`, `unblock` and `poison`: what happens in F&O.

Each takes effect at once, and prints what there is afterwards.
"""

from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from pricing_proxy.sandbox.control_client import ask, control_address
from pricing_proxy.sandbox.ports import CONTROL_PORT
from pricing_proxy.sandbox.stock.places import DEFAULT_WAREHOUSE

_Port = Annotated[int, typer.Option(help="Port of the sandbox's dials.")]
_Sku = Annotated[str, typer.Argument(help="Item or variant number, such as LAMP-01.")]
_Language = Annotated[
    str | None, typer.Option(help="Of which language, such as en-us; default: of all.")
]

_SOUND = {"zero_prices": False, "zero_stock": False, "catalog_share": 1}


class Poison(StrEnum):
    """What an export gone wrong tells."""

    PRICES = "prices"
    STOCK = "stock"
    EMPTY = "empty"
    HALF = "half"
    OFF = "off"


_DIALS: dict[Poison, dict[str, Any]] = {
    Poison.PRICES: {"zero_prices": True},
    Poison.STOCK: {"zero_stock": True},
    Poison.EMPTY: {"catalog_share": 0},
    Poison.HALF: {"catalog_share": 0.5},
    Poison.OFF: {},
}


def adjust(
    sku: _Sku,
    quantity: Annotated[str, typer.Argument(help="What a count found; +3 or -3 adds.")],
    *,
    warehouse: Annotated[str, typer.Option(help="13, 14, 19 or 24.")] = DEFAULT_WAREHOUSE,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Count an item in a warehouse of the simulated ERP.

    Examples: adjust LAMP-01 12 · adjust LAMP-01 --warehouse 14 +5
    """
    member = "change" if quantity.startswith(("+", "-")) else "quantity"
    address = control_address(control_port, f"fo/stock/{quote(sku, safe='')}")
    told = ask("POST", address, {"warehouse": warehouse, member: quantity})
    for name, place in told["warehouses"].items():
        _print(f"{sku} in {name}: {place['on_hand']} on hand, {place['available']} available")


def rename(
    sku: _Sku,
    name: Annotated[str, typer.Argument(help="Its new name.")],
    *,
    language: _Language = None,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Rename a product of the simulated ERP.

    Examples: rename LAMP-01 "Desk lamp" · rename LAMP-01 "Tischlampe" --language de
    """
    members = {"name": name} if language is None else {"names": {language: name}}
    card = _change(sku, members, control_port)
    for each, text in card["names"].items():
        _print(f"{sku} in {each}: {text}")


def block(sku: _Sku, *, control_port: _Port = CONTROL_PORT) -> None:
    """Block a product of the simulated ERP for sales."""
    _change(sku, {"is_stopped": True}, control_port)
    _print(f"{sku} is blocked for sales.")


def unblock(sku: _Sku, *, control_port: _Port = CONTROL_PORT) -> None:
    """Let a product of the simulated ERP be sold again."""
    _change(sku, {"is_stopped": False}, control_port)
    _print(f"{sku} is sold.")


def poison(
    what: Annotated[Poison, typer.Argument(help="What goes wrong; off ends it.")],
    *,
    control_port: _Port = CONTROL_PORT,
) -> None:
    """Have the simulated ERP tell zeros, or too little: what must never reach a shop.

    prices: every base price is 0 · stock: everything on hand is 0 · empty: no released
    products · half: half of them · off: all is well again
    """
    ask("PATCH", control_address(control_port, "fo/dials"), {**_SOUND, **_DIALS[what]})
    _print("All is well again." if what is Poison.OFF else f"Poisoned: {what}.")


def _change(sku: str, members: dict[str, Any], control_port: int) -> Any:
    address = control_address(control_port, f"fo/products/{quote(sku, safe='')}")
    return ask("POST", address, members)


def _print(text: str) -> None:
    Console().print(text, highlight=False, markup=False)


COMMANDS = (adjust, rename, block, unblock, poison)
