"""The commands `sandbox confirm`, `promise`, `pick` and `close-short`: what becomes of an order.

Each takes effect at once in the simulated F&O, and prints what the order is now.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pricing_proxy.sandbox.erp_document_commands import (
    Lines,
    Order,
    Port,
    quantities_of,
    say,
    tell,
)
from pricing_proxy.sandbox.ports import CONTROL_PORT


def confirm(
    order: Order,
    *,
    ships: Annotated[
        str | None, typer.Option(help="Confirmed ship date, such as 2026-12-01; default: none.")
    ] = None,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Confirm an order; posted again, the confirmation counts on.

    Examples: confirm 000697 · confirm 000000001 --ships 2026-12-01
    """
    told = tell(order, "confirm", {"ships": ships}, control_port)
    say(f"Confirmation {told['confirmation']} over {told['total']}")


def promise(
    order: Order,
    ships: Annotated[str, typer.Argument(help="The day, such as 2026-12-04.")],
    *,
    lines: Lines = None,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Move the confirmed ship date of what is open, without another confirmation.

    Examples: promise 000697 2026-12-04 · promise 000697 2026-12-04 --lines 2
    """
    members = {"ships": ships, "lines": quantities_of(lines)}
    told = tell(order, "promise", members, control_port)
    say(f"Lines {', '.join(told['lines'])} ship on {ships}.")


def pick(order: Order, *, lines: Lines = None, control_port: Port = CONTROL_PORT) -> None:
    """Start picking: take what is named out of stock, or all that is open.

    Examples: pick 000697 · pick 000697 --lines 1:2
    """
    members = {"lines": quantities_of(lines)}
    _say_status(tell(order, "start-picking", members, control_port))


def close_short(order: Order, *, lines: Lines = None, control_port: Port = CONTROL_PORT) -> None:
    """Never deliver what is left of lines, or of all; of an order not shipped: cancel it.

    Examples: close-short 000697 --lines 2 · close-short 000000001
    """
    members = {"lines": quantities_of(lines)}
    _say_status(tell(order, "close-short", members, control_port))


def _say_status(told: Mapping[str, Any]) -> None:
    parts = (f"line {number} {status}" for number, status in told["lines"].items())
    say(f"Order {told['order']} is {told['status']}: {', '.join(parts)}")


COMMANDS = (confirm, promise, pick, close_short)
