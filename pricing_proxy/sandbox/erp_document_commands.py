"""The commands `sandbox ship`, `track`, `correct`, `invoice`, `credit`: what the ERP posts.

Each takes effect at once, prints what was posted, and is refused as F&O refuses it.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from pricing_proxy.sandbox.control_client import ask, control_address
from pricing_proxy.sandbox.ports import CONTROL_PORT

Port = Annotated[int, typer.Option(help="Port of the sandbox's dials.")]
Order = Annotated[
    str, typer.Argument(help="The ERP's order number, or the shop's, such as 000000001.")
]
Lines = Annotated[
    str | None,
    typer.Option(
        help="Numbers of lines, with quantities behind colons: 1,2 or 1:2.5,3; default: all."
    ),
]
_Warehouse = Annotated[str | None, typer.Option(help="13, 14 or 24; default: as the lines say.")]
_Number = Annotated[
    str | None,
    typer.Option(help="Number of the packing slip, which others may have too; default: next."),
]
_Day = Annotated[str | None, typer.Option(help="Delivery date; default: today.")]
_Carrier = Annotated[str | None, typer.Option(help="DHL, DPD, GLS or UPS.")]
_Also = Annotated[list[str] | None, typer.Option("--with", help="Another order on the same paper.")]
_Summary = Annotated[
    bool, typer.Option("--summary", help="One slip under the first order, for all of them.")
]
_Over = Annotated[bool, typer.Option("--over", help="More than is left may be delivered.")]
_Without = Annotated[
    bool, typer.Option("--without-services", help="Leave freight and fees for later.")
]
_Slip = Annotated[
    str | None, typer.Option(help="The packing slip's number; default: the order's last one.")
]


def ship(
    order: Order,
    *,
    lines: Lines = None,
    warehouse: _Warehouse = None,
    slip: _Number = None,
    day: _Day = None,
    carrier: _Carrier = None,
    also: _Also = None,
    summary: _Summary = False,
    over: _Over = False,
    without_services: _Without = False,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Post a packing slip: ship an order, whole or in part.

    What is left of the named lines, or of all; freight goes with the first slip. With --warehouse
    the lines move there first, unless some of them was shipped from elsewhere.

    Examples: ship 000697 · ship 000000001 --lines 1,2 --warehouse 14 · ship 000697 --lines 1:2
    --carrier DHL · ship 000697 --with 000698 --slip PS-77
    """
    members = {
        "lines": quantities_of(lines),
        "warehouse": warehouse,
        "slip": slip,
        "day": day,
        "carrier": carrier,
        "also": also,
        "summary": summary or None,
        "over": over or None,
        "services": False if without_services else None,
    }
    for posted in tell(order, "ship", members, control_port):
        parts = (
            f"{quantity(line['quantity'])} {line['item']} (line {number}, {line['warehouse']})"
            for number, line in posted["lines"].items()
        )
        say(f"Packing slip {posted['slip']} of order {posted['order']}: {', '.join(parts)}")


def track(
    order: Order,
    parcel: Annotated[str, typer.Argument(help="The carrier's number of the parcel.")],
    *,
    slip: _Slip = None,
    url: Annotated[
        str | None, typer.Option(help="Where it is followed; default: as its carrier has it.")
    ] = None,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Give a shipped parcel its tracking number, as late as it comes.

    Examples: track 000697 1Z999AA10123456784 · track 000697 JD0001 --slip PS-000501
    """
    members = {"parcel": parcel, "slip": slip, "url": url}
    told = tell(order, "track", members, control_port)
    say(f"Parcel {told['parcel']} on packing slip {told['slip']} {told['url']}".rstrip())


def correct(
    order: Order,
    *,
    lines: Lines = None,
    slip: _Slip = None,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Correct a packing slip to what was really shipped; without lines it is cancelled.

    Examples: correct 000697 --lines 1:1 · correct 000697 --slip PS-000501
    """
    members = {"lines": quantities_of(lines), "slip": slip}
    told = tell(order, "correct", members, control_port)
    say(f"Packing slip {told['slip']} holds {quantity(told['quantity'])} now.")


def invoice(
    order: Order,
    *,
    lines: Lines = None,
    number: Annotated[str | None, typer.Option(help="The invoice's number; default: next.")] = None,
    day: Annotated[str | None, typer.Option(help="Its date; default: today.")] = None,
    also: Annotated[
        list[str] | None, typer.Option("--with", help="Another order on the same invoice.")
    ] = None,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Post an invoice: what was delivered and is not billed yet, and all services.

    Lines that are named with more than that are delivered by the invoice itself, without a
    packing slip. An invoice over several orders names the first one in its head.

    Examples: invoice 000697 · invoice 000000001 --lines 1:2 · invoice 000697 --with 000698
    """
    members = {"lines": quantities_of(lines), "number": number, "day": day, "also": also}
    _say_billed("Invoice", tell(order, "invoice", members, control_port))


def credit(
    order: Annotated[
        str, typer.Argument(help="An order, by the ERP's or the shop's number, or a return.")
    ],
    *,
    lines: Lines = None,
    amount: Annotated[
        str | None, typer.Option(help="Credit this much, net, and none of the goods.")
    ] = None,
    tax_group: Annotated[
        str | None, typer.Option(help="Item tax group of --amount, such as VAT19.")
    ] = None,
    number: Annotated[
        str | None, typer.Option(help="The credit note's number; default: next.")
    ] = None,
    day: Annotated[str | None, typer.Option(help="Its date; default: today.")] = None,
    control_port: Port = CONTROL_PORT,
) -> None:
    """Post a credit note: an invoice below zero.

    For a return, all of it is taken in and credited. For an order, a return of the named lines is
    entered first, of all that is invoiced by default; with --amount only money goes back.

    Examples: credit 000697 · credit 000000001 --lines 1:1 · credit 000697 --amount 5.00 ·
    credit 000701
    """
    members = {
        "lines": quantities_of(lines),
        "amount": amount,
        "tax_group": tax_group,
        "number": number,
        "day": day,
    }
    _say_billed("Credit note", tell(order, "credit", members, control_port))


def _say_billed(what: str, told: Mapping[str, Any]) -> None:
    parts = (f"{quantity(line['quantity'])} {line['item']}" for line in told["lines"])
    rma = f" (RMA {told['rma']})" if told["rma"] else ""
    say(
        f"{what} {told['invoice']} of {told['order']}{rma}: {', '.join(parts)}; "
        f"{told['total']:.2f} {told['currency']}, tax {told['tax']:.2f} of it"
    )


def tell(order: str, deed: str, members: Mapping[str, Any], control_port: int) -> Any:
    """Have something posted of an order; return what was. Members of None are not said."""
    address = control_address(control_port, f"fo/orders/{quote(order, safe='')}/{deed}")
    told = {name: value for name, value in members.items() if value is not None}
    return ask("POST", address, told)


def quantities_of(lines: str | None) -> dict[str, str | None] | None:
    """Return quantities by line out of a text such as "1:2.5,3"; None for all lines."""
    if lines is None:
        return None
    parts = (part.strip().partition(":") for part in lines.split(","))
    return {number: amount or None for number, _, amount in parts}


def quantity(number: Any) -> str:
    """Return a quantity as people write it."""
    return f"{number:g}" if isinstance(number, float) else str(number)


def say(text: str) -> None:
    """Print a line as it is."""
    Console().print(text, highlight=False, markup=False, soft_wrap=True)


COMMANDS = (ship, track, correct, invoice, credit)
